#include "unit.h"

#include "api/mixer_rows.h"

#include <math.h>

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

enum { SIDE = 8, ELEMENTS = SIDE * SIDE, ROWS = 12 };

static const fmix_method methods[] = {FMIX_METHOD_CUTMIX, FMIX_METHOD_MIXUP};
static const double alphas[] = {0.5, 2};

/* Rows that are mixed by one of two methods each, or not at all. */
static mixer_rows rows_of(uint64_t first) {
    mixer_rows r = {.rows = {.count = ROWS, .index = 100}, .first = first, .dtype = FMIX_DTYPE_F64};
    const fmix_recipe recipe = {
        .seed = 11, .shape = {.rank = 2, .side = {SIDE, SIDE}}, .alpha = 1, .delta = 3};
    const fmix_choice choice = {.count = 2,
                                .methods = methods,
                                .alphas = alphas,
                                .by_sample = true,
                                .prob_given = true,
                                .prob = 0.7};
    assert_ok(fmix_mixer_new(context, &recipe, &choice, &r.mixer));
    return r;
}

static void masks(const mixer_rows *r, uint64_t n, double *out) {
    fmix_scratch *scratch;
    assert_ok(fmix_scratch_new(&scratch));
    assert_ok(mixer_rows_masks(r, scratch, 0, n, out));
    fmix_scratch_free(scratch);
}

static void each_row_says_its_method_and_its_weight_is_the_mean_of_its_mask(void **state) {
    (void)state;
    unsigned char method[ROWS];
    unsigned seen = 0;
    double effective[ROWS], lambda[ROWS], mask[ROWS][ELEMENTS];
    mixer_rows r = rows_of(0);
    assert_ok(mixer_rows_method(&r, NULL, 0, ROWS, method));
    assert_ok(mixer_rows_lambda(&r, NULL, 0, ROWS, lambda));
    assert_ok(mixer_rows_lambda_eff(&r, NULL, 0, ROWS, effective));
    masks(&r, ROWS, mask[0]);
    for (unsigned i = 0; i < ROWS; i++) {
        double sum = 0;
        for (unsigned j = 0; j < ELEMENTS; j++)
            sum += mask[i][j];
        assert_true(fabs(sum / ELEMENTS - effective[i]) < 1e-12);
        if (method[i] == FMIX_METHOD_NONE)
            assert_true(lambda[i] == 1 && effective[i] == 1);
        if (method[i] == FMIX_METHOD_MIXUP)
            assert_true(lambda[i] == effective[i] && mask[i][0] == lambda[i]);
        seen |= 1u << method[i];
    }
    assert_int_equal(seen,
                     1u << FMIX_METHOD_NONE | 1u << FMIX_METHOD_MIXUP | 1u << FMIX_METHOD_CUTMIX);
    fmix_mixer_free(r.mixer);
}

/* The rows of a rank begin amid the batch. */
static void rows_from_first_on_are_the_same_rows_of_the_batch(void **state) {
    (void)state;
    unsigned char whole[ROWS], rest[ROWS - 2];
    double all[ROWS][ELEMENTS], later[ROWS - 2][ELEMENTS];
    mixer_rows r = rows_of(0), behind = rows_of(2);
    assert_ok(mixer_rows_method(&r, NULL, 0, ROWS, whole));
    assert_ok(mixer_rows_method(&behind, NULL, 0, ROWS - 2, rest));
    masks(&r, ROWS, all[0]);
    masks(&behind, ROWS - 2, later[0]);
    assert_memory_equal(rest, whole + 2, sizeof rest);
    assert_memory_equal(later, all + 2, sizeof later);
    fmix_mixer_free(r.mixer);
    fmix_mixer_free(behind.mixer);
}

/* A batch of one method, of which one row tells for all. */
static void rows_that_are_alike_have_the_method_of_the_first(void **state) {
    (void)state;
    unsigned char each[ROWS], method[ROWS];
    mixer_rows r = rows_of(3);
    assert_ok(mixer_rows_method(&r, NULL, 0, ROWS - 3, each));
    r.alike = true;
    assert_ok(mixer_rows_method(&r, NULL, 1, ROWS - 4, method));
    for (unsigned i = 0; i < ROWS - 4; i++)
        assert_int_equal(method[i], each[1]);
    fmix_mixer_free(r.mixer);
}

static void rows_past_the_batch_are_an_error(void **state) {
    (void)state;
    double lambda[2];
    mixer_rows r = rows_of(ROWS - 1);
    assert_ok(mixer_rows_lambda(&r, NULL, 0, 1, lambda));
    assert_int_equal(mixer_rows_lambda(&r, NULL, 0, 2, lambda), FMIX_ERROR_RANGE);
    fmix_mixer_free(r.mixer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(each_row_says_its_method_and_its_weight_is_the_mean_of_its_mask),
        T(rows_from_first_on_are_the_same_rows_of_the_batch),
        T(rows_that_are_alike_have_the_method_of_the_first),
        T(rows_past_the_batch_are_an_error),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
