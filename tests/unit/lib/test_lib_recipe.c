#include "unit.h"

#include <math.h>

static const fmix_recipe good = {
    .seed = 7, .method = FMIX_METHOD_FMIX, .shape = {2, {8, 9, 0}}, .alpha = 1, .delta = 3};

static fmix_status try_recipe(const fmix_recipe *recipe) {
    fmix_context *context = unit_context();
    fmix_plan *plan = NULL;
    fmix_status status = fmix_plan_new(context, recipe, &plan);
    assert_true((plan != NULL) == (status == FMIX_OK));
    fmix_plan_free(plan);
    fmix_context_free(context);
    return status;
}

static const fmix_method methods[] = {FMIX_METHOD_FMIX, FMIX_METHOD_CUTMIX, FMIX_METHOD_MIXUP};

/* Sets one number of a good recipe, of every method, to each of the values. */
static void try_numbers(size_t offset, bool lambda_given, const double *values, size_t n,
                        fmix_status expected) {
    for (int m = 0; m < 3; m++)
        for (size_t i = 0; i < n; i++) {
            fmix_recipe recipe = good;
            recipe.method = methods[m];
            recipe.lambda_given = lambda_given;
            memcpy((char *)&recipe + offset, &values[i], sizeof values[i]);
            assert_int_equal(try_recipe(&recipe), expected);
        }
}

#define NUMBERS(field, given, expected, ...)                                                       \
    do {                                                                                           \
        const double values[] = {__VA_ARGS__};                                                     \
        try_numbers(offsetof(fmix_recipe, field), given, values, sizeof values / sizeof *values,   \
                    expected);                                                                     \
    } while (0)

static void alpha_outside_its_range_is_refused(void **state) {
    (void)state;
    NUMBERS(alpha, false, FMIX_OK, 0.01, 0.2, 1, 999, 1000);
    NUMBERS(alpha, false, FMIX_ERROR_RANGE, NAN, -NAN, INFINITY, -INFINITY, 0, -0.0, -1, 5e-324,
            nextafter(0.01, 0), nextafter(1000, 2000), 1e308);
}

static void delta_outside_its_range_is_refused(void **state) {
    (void)state;
    NUMBERS(delta, false, FMIX_OK, 0, -0.0, 5e-324, 3, 10);
    NUMBERS(delta, true, FMIX_OK, 0, 10);
    NUMBERS(delta, false, FMIX_ERROR_RANGE, NAN, INFINITY, -INFINITY, -5e-324, -1,
            nextafter(10, 11), 1e308);
    NUMBERS(delta, true, FMIX_ERROR_RANGE, NAN, -1, 11);
}

static void lambda_outside_its_range_is_refused_where_given(void **state) {
    (void)state;
    NUMBERS(lambda, true, FMIX_OK, 0, -0.0, 5e-324, 0.5, 1);
    NUMBERS(lambda, true, FMIX_ERROR_RANGE, NAN, INFINITY, -INFINITY, -5e-324, -1, nextafter(1, 2),
            2);
    NUMBERS(lambda, false, FMIX_OK, NAN, -1, 2); /* unused */
    NUMBERS(alpha, true, FMIX_OK, NAN, -1, 0);   /* unused */
}

static void method_out_of_the_list_is_refused(void **state) {
    (void)state;
    fmix_recipe recipe = good;
    for (int m = 0; m < 10; m++) {
        recipe.method = (fmix_method)m;
        assert_int_equal(try_recipe(&recipe), m < FMIX_METHODS ? FMIX_OK : FMIX_ERROR_RANGE);
    }
}

static uint64_t elements(unsigned rank, uint32_t a, uint32_t b, uint32_t c) {
    return fmix_shape_elements(&(fmix_shape){rank, {a, b, c}});
}

static void elements_of_shapes_within_the_limits_are_the_product(void **state) {
    (void)state;
    assert_true(elements(1, 1, 0, 0) == 1);
    assert_true(elements(1, 7, 99, 0) == 7); /* sides past the rank mean nothing */
    assert_true(elements(2, 7, 9, 0) == 63);
    assert_true(elements(3, 7, 9, 11) == 693);
    assert_true(elements(1, FMIX_MAX_ELEMENTS, 0, 0) == FMIX_MAX_ELEMENTS);
    assert_true(elements(2, 4096, 4096, 0) == FMIX_MAX_ELEMENTS);
    assert_true(elements(2, 1, FMIX_MAX_ELEMENTS, 0) == FMIX_MAX_ELEMENTS);
    assert_true(elements(3, 256, 256, 256) == FMIX_MAX_ELEMENTS);
    assert_true(elements(3, FMIX_MAX_ELEMENTS, 1, 1) == FMIX_MAX_ELEMENTS);
}

static const fmix_shape bad[] = {
    {0, {1, 1, 1}},
    {4, {1, 1, 1}},
    {UINT32_MAX, {1, 1, 1}},
    {1, {0, 1, 1}},
    {2, {1, 0, 1}},
    {3, {1, 1, 0}},
    {3, {0, UINT32_MAX, UINT32_MAX}},
    {1, {FMIX_MAX_ELEMENTS + 1, 0, 0}},
    {1, {UINT32_MAX, 0, 0}},
    {2, {4096, 4097, 0}},
    {2, {UINT32_MAX, UINT32_MAX, 0}},
    {2, {65536, 65536, 0}}, /* 2^32: 0 in 32 bits */
    {3, {257, 256, 256}},
    {3, {1u << 22, 1u << 21, 1u << 21}},                            /* 2^64: 0 in 64 bits */
    {3, {FMIX_MAX_ELEMENTS, FMIX_MAX_ELEMENTS, FMIX_MAX_ELEMENTS}}, /* 2^72 */
    {3, {2642245, 2642245, 2642246}}, /* just above 2^64: small in 64 bits */
    {3, {UINT32_MAX, UINT32_MAX, UINT32_MAX}},
    {3, {1u << 31, 1u << 31, 4}},
};

static void shapes_outside_the_limits_have_no_elements_and_no_plan(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_true(fmix_shape_elements(&bad[i]) == 0);
        for (int m = 0; m < 3; m++) {
            fmix_recipe recipe = good;
            recipe.method = methods[m];
            recipe.shape = bad[i];
            assert_int_equal(try_recipe(&recipe), FMIX_ERROR_RANGE);
        }
    }
}

static void an_official_spectrum_needs_a_first_side_and_pixel_frequencies(void **state) {
    fmix_recipe recipe = good;
    (void)state;
    recipe.spectrum = FMIX_SPECTRUM_OFFICIAL;
    assert_int_equal(try_recipe(&recipe), FMIX_OK);
    recipe.frequency = FMIX_FREQUENCY_EXTENT;
    assert_int_equal(try_recipe(&recipe), FMIX_ERROR_RANGE);
    recipe.frequency = FMIX_FREQUENCY_PIXEL;
    recipe.shape = (fmix_shape){2, {1, 9, 0}};
    assert_int_equal(try_recipe(&recipe), FMIX_ERROR_RANGE);
    recipe.method = FMIX_METHOD_CUTMIX; /* which has no spectrum */
    assert_int_equal(try_recipe(&recipe), FMIX_OK);
}

static void a_soft_edge_outside_its_range_is_refused(void **state) {
    (void)state;
    NUMBERS(soft, false, FMIX_OK, 0, -0.0, 5e-324, 0.5);
    NUMBERS(soft, false, FMIX_ERROR_RANGE, NAN, -5e-324, nextafter(0.5, 1), 1);
}

static void a_given_lambda_is_not_reformulated(void **state) {
    fmix_recipe recipe = good;
    (void)state;
    recipe.reformulate = true;
    assert_int_equal(try_recipe(&recipe), FMIX_OK);
    recipe.lambda_given = true;
    assert_int_equal(try_recipe(&recipe), FMIX_ERROR_RANGE);
}

RUN(T(alpha_outside_its_range_is_refused), T(delta_outside_its_range_is_refused),
    T(lambda_outside_its_range_is_refused_where_given), T(method_out_of_the_list_is_refused),
    T(elements_of_shapes_within_the_limits_are_the_product),
    T(shapes_outside_the_limits_have_no_elements_and_no_plan),
    T(an_official_spectrum_needs_a_first_side_and_pixel_frequencies),
    T(a_soft_edge_outside_its_range_is_refused), T(a_given_lambda_is_not_reformulated))
