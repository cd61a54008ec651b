#include "unit.h"

#include "api/plan_rows.h"

static fmix_context *context;

static int begin(void **state) {
    (void)state;
    context = unit_context();
    return 0;
}

static int end(void **state) {
    (void)state;
    fmix_context_free(context);
    return 0;
}

enum { SIDE = 8, ELEMENTS = SIDE * SIDE, ROWS = 6 };

static plan_rows rows_of(bool scope_batch, double lambda, uint64_t index, uint64_t first) {
    plan_rows r = {.index = index, .first = first};
    const fmix_recipe recipe = {.seed = 11,
                                .method = FMIX_METHOD_CUTMIX,
                                .shape = {.rank = 2, .side = {SIDE, SIDE}},
                                .alpha = 1,
                                .lambda_given = lambda >= 0,
                                .lambda = lambda,
                                .scope_batch = scope_batch};
    assert_ok(fmix_plan_new(context, &recipe, &r.plan));
    return r;
}

static void images(const plan_rows *r, uint64_t n, unsigned char *out) {
    fmix_scratch *scratch;
    assert_ok(fmix_scratch_new(&scratch));
    assert_ok(plan_rows_images(r, fmix_plan_masks, scratch, 0, n, FMIX_DTYPE_U8, ELEMENTS, out));
    fmix_scratch_free(scratch);
}

static void a_given_lambda_is_every_row_s(void **state) {
    (void)state;
    double lambda[ROWS];
    plan_rows r = rows_of(false, 0.25, 0, 0);
    assert_ok(plan_rows_lambda(&r, NULL, 0, ROWS, lambda));
    for (unsigned i = 0; i < ROWS; i++)
        assert_true(lambda[i] == 0.25);
    fmix_plan_free(r.plan);
}

static void ones_and_lambda_eff_are_those_of_the_mask(void **state) {
    (void)state;
    int64_t ones[ROWS];
    double effective[ROWS];
    unsigned char masks[ROWS][ELEMENTS];
    plan_rows r = rows_of(false, -1, 100, 0);
    assert_ok(plan_rows_ones(&r, NULL, 0, ROWS, ones));
    assert_ok(plan_rows_lambda_eff(&r, NULL, 0, ROWS, effective));
    images(&r, ROWS, masks[0]);
    for (unsigned i = 0; i < ROWS; i++) {
        int64_t counted = 0;
        for (unsigned j = 0; j < ELEMENTS; j++)
            counted += masks[i][j];
        assert_int_equal(ones[i], counted);
        assert_true(effective[i] == (double)counted / ELEMENTS);
    }
    fmix_plan_free(r.plan);
}

/* The rows of a rank begin amid the batch. */
static void rows_from_first_on_are_the_same_rows_of_the_batch(void **state) {
    (void)state;
    double whole[ROWS], rest[ROWS - 2];
    unsigned char all[ROWS][ELEMENTS], later[ROWS - 2][ELEMENTS];
    plan_rows r = rows_of(false, -1, 100, 0);
    assert_ok(plan_rows_lambda(&r, NULL, 0, ROWS, whole));
    images(&r, ROWS, all[0]);
    r.first = 2;
    assert_ok(plan_rows_lambda(&r, NULL, 0, ROWS - 2, rest));
    images(&r, ROWS - 2, later[0]);
    assert_memory_equal(rest, whole + 2, sizeof rest);
    assert_memory_equal(later, all + 2, sizeof later);
    assert_true(whole[0] != whole[1]);
    fmix_plan_free(r.plan);
}

static void with_scope_batch_every_row_has_the_first_row_s_lambda_and_image(void **state) {
    (void)state;
    double alone[1], lambda[ROWS];
    unsigned char one[ELEMENTS], all[ROWS][ELEMENTS];
    plan_rows sample = rows_of(false, -1, 100, 0), batch = rows_of(true, -1, 100, 0);
    assert_ok(plan_rows_lambda(&sample, NULL, 0, 1, alone));
    assert_ok(plan_rows_lambda(&batch, NULL, 0, ROWS, lambda));
    images(&sample, 1, one);
    images(&batch, ROWS, all[0]);
    for (unsigned i = 0; i < ROWS; i++) {
        assert_true(lambda[i] == alone[0]);
        assert_memory_equal(all[i], one, ELEMENTS);
    }
    fmix_plan_free(sample.plan);
    fmix_plan_free(batch.plan);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(a_given_lambda_is_every_row_s),
        T(ones_and_lambda_eff_are_those_of_the_mask),
        T(rows_from_first_on_are_the_same_rows_of_the_batch),
        T(with_scope_batch_every_row_has_the_first_row_s_lambda_and_image),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
