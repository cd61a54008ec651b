#include "unit.h"

#include "plan.h"

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

static fmix_plan *plan_of(fmix_context *context, fmix_method method, fmix_shape shape) {
    fmix_recipe recipe = good;
    fmix_plan *plan = NULL;
    recipe.method = method;
    recipe.shape = shape;
    assert_ok(fmix_plan_new(context, &recipe, &plan));
    return plan;
}

static void lambda_effective_is_the_mean_of_the_mask(void **state) {
    (void)state;
    static const fmix_shape shapes[] = {
        {1, {31, 0, 0}}, {2, {8, 9, 0}}, {3, {4, 3, 5}}, {2, {1, 1, 0}}, {1, {2, 0, 0}}};
    fmix_context *context = unit_context();
    fmix_scratch *scratch = NULL;
    unsigned char mask[72];
    assert_ok(fmix_scratch_new(&scratch));
    for (int m = 0; m < 2; m++)
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
            fmix_plan *plan = plan_of(context, methods[m], shapes[s]);
            uint64_t n = fmix_shape_elements(&shapes[s]);
            for (uint64_t t = 0; t < 300; t++) {
                fmix_row row;
                uint64_t ones = 0;
                assert_ok(fmix_plan_row(plan, t, &row));
                assert_ok(fmix_plan_masks(plan, scratch, t, 1, FMIX_DTYPE_U8, mask));
                for (uint64_t i = 0; i < n; i++)
                    ones += mask[i];
                assert_true(row.ones == ones);
                assert_true(row.lambda_effective == (double)ones / (double)n);
                assert_true(row.lambda <= FMIX_LAMBDA_ONE);
                if (m == 0) /* the nearest count: |ones - L n / 2^32| <= 1/2 */
                    assert_true((ones << 32) <= row.lambda * n + (UINT64_C(1) << 31) &&
                                row.lambda * n < (ones << 32) + (UINT64_C(1) << 31));
            }
            fmix_plan_free(plan);
        }
    fmix_scratch_free(scratch);
    fmix_context_free(context);
}

static void ones_of_the_largest_mask_do_not_overflow(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    static const struct {
        double lambda;
        uint64_t ones;
    } cases[] = {{0, 0},
                 {1, UINT64_C(1) << 24},
                 {0x0.fffffffp0, (UINT64_C(1) << 24)},
                 {0x0.ffffff8p0, (UINT64_C(1) << 24)},
                 {0x0.ffffff7fp0, (UINT64_C(1) << 24) - 1},
                 {0.5, UINT64_C(1) << 23},
                 {0x0.0000007fp0, 0},
                 {0x0.0000008p0, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fmix_recipe recipe = good;
        fmix_plan *plan = NULL;
        fmix_row row;
        recipe.shape = (fmix_shape){1, {FMIX_MAX_ELEMENTS, 0, 0}};
        recipe.lambda_given = true;
        recipe.lambda = cases[i].lambda;
        assert_ok(fmix_plan_new(context, &recipe, &plan));
        assert_ok(fmix_plan_row(plan, 0, &row));
        assert_true(row.ones == cases[i].ones);
        fmix_plan_free(plan);
    }
    fmix_context_free(context);
}

static void rows_of_mixup_have_lambda_and_no_mask(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    fmix_plan *plan = plan_of(context, FMIX_METHOD_MIXUP, good.shape);
    fmix_plan *fmix = plan_of(context, FMIX_METHOD_FMIX, good.shape);
    fmix_scratch *scratch = NULL;
    unsigned char mask[72];
    assert_ok(fmix_scratch_new(&scratch));
    for (uint64_t t = 0; t < 100; t++) {
        fmix_row row, other;
        memset(&row, 0xff, sizeof row);
        assert_ok(fmix_plan_row(plan, t, &row));
        assert_ok(fmix_plan_row(fmix, t, &other));
        assert_true(row.lambda == other.lambda); /* a method changes no draw */
        assert_true(row.lambda_effective == (double)row.lambda / 4294967296.0);
        assert_true(row.ones == 0);
        for (int d = 0; d < 3; d++)
            assert_true(row.box_start[d] == 0 && row.box_size[d] == 0);
    }
    assert_int_equal(fmix_plan_masks(plan, scratch, 0, 1, FMIX_DTYPE_U8, mask), FMIX_ERROR_RANGE);
    fmix_scratch_free(scratch);
    fmix_plan_free(fmix);
    fmix_plan_free(plan);
    fmix_context_free(context);
}

static void rows_hang_on_seed_and_t_and_a_given_lambda_is_every_rows(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    fmix_recipe recipe = good;
    fmix_plan *plan = NULL, *again = NULL, *given = NULL;
    fmix_row a, b, c;
    assert_ok(fmix_plan_new(context, &recipe, &plan));
    recipe.shape = (fmix_shape){3, {5, 5, 5}};
    assert_ok(fmix_plan_new(context, &recipe, &again));
    recipe.lambda_given = true;
    recipe.lambda = 0.3;
    assert_ok(fmix_plan_new(context, &recipe, &given));
    uint64_t last = 0;
    for (uint64_t t = UINT64_MAX - 50; t != 50; t++) {
        assert_ok(fmix_plan_row(plan, t, &a));
        assert_ok(fmix_plan_row(again, t, &b));
        assert_ok(fmix_plan_row(given, t, &c));
        assert_true(a.lambda == b.lambda && a.lambda != last);
        assert_true(c.lambda == 1288490189 && c.ones == 38); /* 1288490188.8; 37.5 up */
        last = a.lambda;
    }
    fmix_plan_free(plan);
    fmix_plan_free(again);
    fmix_plan_free(given);
    fmix_context_free(context);
}

static const fmix_shape growing[] = {{1, {1, 0, 0}},      {1, {2, 0, 0}},    {1, {30, 0, 0}},
                                     {2, {8, 8, 0}},      {3, {8, 8, 8}},    {2, {32, 32, 0}},
                                     {2, {224, 224, 0}},  {3, {64, 64, 64}}, {1, {1u << 20, 0, 0}},
                                     {2, {4096, 4096, 0}}};
#define GROWING (sizeof growing / sizeof *growing)

/* Such masks are settled by MPFR: who admits them by their cost must know. */
static void a_last_side_of_one_is_dear_by_the_official_law(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    static const fmix_shape shapes[] = {{2, {10, 1}}, {2, {4096, 1}}, {3, {8, 8, 1}}};
    for (unsigned i = 0; i < 3; i++)
        for (unsigned official = 0; official < 2; official++) {
            fmix_recipe recipe = {.alpha = 1, .delta = 3, .shape = shapes[i]};
            recipe.spectrum = official ? FMIX_SPECTRUM_OFFICIAL : FMIX_SPECTRUM_PAPER;
            fmix_plan *plan = NULL;
            assert_ok(fmix_plan_new(context, &recipe, &plan));
            assert_int_equal(fmix_plan_mask_cost(plan) > 1e5, official);
            fmix_plan_free(plan);
        }
    fmix_context_free(context);
}

static void cost_and_memory_grow_with_the_mask(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    for (int m = 0; m < 3; m++) {
        double cost = 0;
        uint64_t memory = 0;
        for (size_t i = 0; i < GROWING; i++) {
            fmix_plan *plan = plan_of(context, methods[m], growing[i]);
            double c = fmix_plan_mask_cost(plan);
            uint64_t b = fmix_plan_memory(plan);
            assert_true(isfinite(c) && c > 0);
            if (methods[m] == FMIX_METHOD_MIXUP) /* a row's lambda costs the same at any size */
                assert_true((i == 0 || c == cost) && b == 0);
            else
                assert_true(c > cost && b > memory);
            cost = c;
            memory = b;
            fmix_plan_free(plan);
        }
    }
    fmix_context_free(context);
}

static uint64_t rooms_of(const fmix_scratch *scratch) {
    return (scratch->x_room + 2 * scratch->g_room) * sizeof(double) + scratch->mask_room;
}

static void a_scratch_holds_no_more_than_the_plan_says(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    unsigned char mask[224 * 224];
    for (int m = 0; m < 2; m++)
        for (size_t i = 0; i < 7; i++) {
            fmix_plan *plan = plan_of(context, methods[m], growing[i]);
            fmix_scratch *scratch = NULL;
            assert_ok(fmix_scratch_new(&scratch));
            assert_ok(fmix_plan_masks(plan, scratch, 0, 1, FMIX_DTYPE_U8, mask));
            assert_true(rooms_of(scratch) <= fmix_plan_memory(plan));
            assert_true(scratch->mask_room >= plan->elements);
            fmix_scratch_free(scratch);
            fmix_plan_free(plan);
        }
    fmix_context_free(context);
}

static void a_trimmed_scratch_gives_back_what_is_large(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    fmix_plan *large = plan_of(context, FMIX_METHOD_FMIX, (fmix_shape){2, {1024, 1024, 0}});
    fmix_plan *box = plan_of(context, FMIX_METHOD_CUTMIX, (fmix_shape){2, {4096, 4096, 0}});
    fmix_scratch *scratch = NULL;
    unsigned char *mask = malloc(1u << 24);
    assert_non_null(mask);
    assert_ok(fmix_scratch_new(&scratch));
    assert_ok(fmix_plan_masks(large, scratch, 0, 1, FMIX_DTYPE_U8, mask));
    assert_ok(fmix_plan_masks(box, scratch, 0, 1, FMIX_DTYPE_U8, mask));
    assert_true(rooms_of(scratch) > 40u << 20);
    fmix_scratch_trim(scratch);
    assert_true(rooms_of(scratch) <= 16u << 20);
    assert_ok(fmix_plan_masks(large, scratch, 0, 1, FMIX_DTYPE_U8, mask)); /* and grows again */
    free(mask);
    fmix_scratch_free(scratch);
    fmix_plan_free(large);
    fmix_plan_free(box);
    fmix_context_free(context);
}

static void a_plan_is_warm_once_a_mask_was_drawn(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    fmix_scratch *scratch = NULL;
    unsigned char mask[72];
    assert_ok(fmix_scratch_new(&scratch));
    fmix_plan *plan = plan_of(context, FMIX_METHOD_FMIX, good.shape);
    fmix_plan *box = plan_of(context, FMIX_METHOD_CUTMIX, good.shape);
    fmix_plan *mixup = plan_of(context, FMIX_METHOD_MIXUP, good.shape);
    assert_true(fmix_plan_is_warm(box) && fmix_plan_is_warm(mixup));
    assert_false(fmix_plan_is_warm(plan));
    assert_ok(fmix_plan_masks(plan, scratch, 0, 1, FMIX_DTYPE_U8, mask));
    assert_true(fmix_plan_is_warm(plan));
    fmix_plan_free(plan);
    fmix_plan_free(box);
    fmix_plan_free(mixup);
    fmix_scratch_free(scratch);
    fmix_context_free(context);
}

static void every_status_has_a_text_of_its_own(void **state) {
    (void)state;
    for (int a = FMIX_OK; a <= FMIX_ERROR_LIBRARY + 1; a++)
        for (int b = FMIX_OK; b < a; b++)
            assert_string_not_equal(fmix_status_text((fmix_status)a),
                                    fmix_status_text((fmix_status)b));
}

RUN(T(alpha_outside_its_range_is_refused), T(delta_outside_its_range_is_refused),
    T(lambda_outside_its_range_is_refused_where_given), T(method_out_of_the_list_is_refused),
    T(elements_of_shapes_within_the_limits_are_the_product),
    T(shapes_outside_the_limits_have_no_elements_and_no_plan),
    T(lambda_effective_is_the_mean_of_the_mask), T(ones_of_the_largest_mask_do_not_overflow),
    T(rows_of_mixup_have_lambda_and_no_mask),
    T(rows_hang_on_seed_and_t_and_a_given_lambda_is_every_rows),
    T(a_last_side_of_one_is_dear_by_the_official_law), T(cost_and_memory_grow_with_the_mask),
    T(a_scratch_holds_no_more_than_the_plan_says), T(a_trimmed_scratch_gives_back_what_is_large),
    T(a_plan_is_warm_once_a_mask_was_drawn), T(every_status_has_a_text_of_its_own))
