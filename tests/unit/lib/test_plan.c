#include "unit.h"

#include "plan.h"

#include <math.h>

static const fmix_recipe good = {
    .seed = 7, .method = FMIX_METHOD_FMIX, .shape = {2, {8, 9, 0}}, .alpha = 1, .delta = 3};

static const fmix_method methods[] = {FMIX_METHOD_FMIX, FMIX_METHOD_CUTMIX, FMIX_METHOD_MIXUP};

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

static void weights_of_rows_whose_t_passes_64_bits_are_refused(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    fmix_plan *plan = plan_of(context, FMIX_METHOD_MIXUP, (fmix_shape){1, {4}});
    unsigned char ones[8];
    const uint64_t last = UINT64_MAX;
    assert_ok(fmix_plan_weights(plan, last - 1, 0, 2, FMIX_DTYPE_U8, ones));
    assert_int_equal(fmix_plan_weights(plan, last, 0, 2, FMIX_DTYPE_U8, ones), FMIX_ERROR_RANGE);
    assert_int_equal(fmix_plan_weights(plan, 0, 2, last, FMIX_DTYPE_U8, ones), FMIX_ERROR_RANGE);
    fmix_plan_free(plan);
    fmix_context_free(context);
}

static void a_row_depends_on_seed_and_t_and_a_given_lambda_is_every_rows(void **state) {
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

RUN(T(lambda_effective_is_the_mean_of_the_mask), T(ones_of_the_largest_mask_do_not_overflow),
    T(rows_of_mixup_have_lambda_and_no_mask), T(weights_of_rows_whose_t_passes_64_bits_are_refused),
    T(a_row_depends_on_seed_and_t_and_a_given_lambda_is_every_rows),
    T(a_plan_is_warm_once_a_mask_was_drawn))
