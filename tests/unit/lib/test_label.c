#include "unit.h"

enum { N = 6, CLASSES = 4 };

static fmix_plan *plan_of(fmix_context *context, fmix_method method) {
    const fmix_recipe recipe = {
        .seed = 3, .method = method, .shape = {2, {9, 9}}, .alpha = 1, .delta = 3};
    fmix_plan *plan = NULL;
    assert_ok(fmix_plan_new(context, &recipe, &plan));
    return plan;
}

static const int64_t pairing[N] = {3, 0, 1, 2, 5, 4};
static const uint8_t numbers[N] = {0, 1, 2, 3, 0, 2};

static double weight_of(const fmix_plan *plan, uint64_t t, bool uncorrected) {
    fmix_row row;
    assert_ok(fmix_plan_row(plan, t, &row));
    return uncorrected && row.ones ? (double)row.lambda * 0x1p-32 : row.lambda_effective;
}

/* y of a class number, smoothed, by hand. */
static double one_hot(int64_t number, uint64_t c, double smoothing) {
    return (1 - smoothing) * ((uint64_t)number == c) + smoothing / CLASSES;
}

static void class_numbers_are_mixed_by_the_weight_of_their_row(void **state) {
    (void)state;
    static const fmix_method methods[] = {FMIX_METHOD_FMIX, FMIX_METHOD_CUTMIX, FMIX_METHOD_MIXUP,
                                          FMIX_METHOD_SAMPLEPAIRING};
    fmix_context *context = unit_context();
    for (int m = 0; m < 4; m++)
        for (int uncorrected = 0; uncorrected < 2; uncorrected++) {
            fmix_plan *plan = plan_of(context, methods[m]);
            fmix_labels l = {.y = numbers,
                             .dtype = FMIX_DTYPE_U8,
                             .numbers = true,
                             .classes = CLASSES,
                             .pairing = pairing,
                             .uncorrected = uncorrected,
                             .smoothing = m * 0.1};
            float out[N][CLASSES];
            assert_ok(fmix_plan_labels(plan, &l, 100, 0, N, out[0]));
            for (uint64_t i = 0; i < N; i++)
                for (uint64_t c = 0; c < CLASSES; c++) {
                    volatile double w = weight_of(plan, 100 + i, uncorrected);
                    volatile double own = w * one_hot(numbers[i], c, l.smoothing);
                    volatile double other = (1 - w) * one_hot(numbers[pairing[i]], c, l.smoothing);
                    assert_true(out[i][c] == (float)(own + other));
                }
            fmix_plan_free(plan);
        }
    fmix_context_free(context);
}

static void rows_of_floats_say_the_same_as_numbers(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    fmix_plan *plan = plan_of(context, FMIX_METHOD_FMIX);
    double rows[N][CLASSES] = {{0}};
    for (int i = 0; i < N; i++)
        rows[i][numbers[i]] = 1;
    fmix_labels l = {.y = numbers,
                     .dtype = FMIX_DTYPE_U8,
                     .numbers = true,
                     .classes = CLASSES,
                     .pairing = pairing};
    float a[N * CLASSES], b[N * CLASSES];
    assert_ok(fmix_plan_labels(plan, &l, 7, 0, N, a));
    l.y = rows;
    l.dtype = FMIX_DTYPE_F64;
    l.numbers = false;
    assert_ok(fmix_plan_labels(plan, &l, 7, 0, N, b));
    assert_memory_equal(a, b, sizeof a);
    fmix_plan_free(plan);
    fmix_context_free(context);
}

static void partners_labels_come_from_y2_where_there_is_one(void **state) {
    (void)state;
    static const uint8_t others[N] = {3, 3, 3, 3, 3, 3};
    fmix_context *context = unit_context();
    fmix_plan *plan = plan_of(context, FMIX_METHOD_MIXUP);
    fmix_labels l = {
        .y = numbers, .y2 = others, .dtype = FMIX_DTYPE_U8, .numbers = true, .classes = CLASSES};
    float out[N][CLASSES];
    assert_ok(fmix_plan_labels(plan, &l, 0, 2, 2, out[0]));
    assert_true(out[0][2] == (float)weight_of(plan, 2, false));
    assert_true(out[1][3] == 1); /* row 3 is of class 3 itself */
    fmix_plan_free(plan);
    fmix_context_free(context);
}

static void rows_whose_t_passes_64_bits_are_refused(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    fmix_plan *plan = plan_of(context, FMIX_METHOD_MIXUP);
    const fmix_labels l = {.y = numbers,
                           .dtype = FMIX_DTYPE_U8,
                           .numbers = true,
                           .classes = CLASSES,
                           .pairing = pairing};
    float out[N * CLASSES];
    assert_ok(fmix_plan_labels(plan, &l, UINT64_MAX - (N - 1), 0, N, out));
    assert_int_equal(fmix_plan_labels(plan, &l, UINT64_MAX - (N - 2), 0, N, out), FMIX_ERROR_RANGE);
    assert_int_equal(fmix_plan_labels(plan, &l, 0, 1, UINT64_MAX, out), FMIX_ERROR_RANGE);
    fmix_plan_free(plan);
    fmix_context_free(context);
}

static void a_class_out_of_range_is_refused(void **state) {
    (void)state;
    static const int16_t bad[][N] = {{0, 1, 2, 3, 4, 0}, {0, -1, 2, 3, 0, 0}};
    fmix_context *context = unit_context();
    fmix_plan *plan = plan_of(context, FMIX_METHOD_MIXUP);
    float out[N * CLASSES];
    for (int i = 0; i < 2; i++) {
        fmix_labels l = {.y = bad[i],
                         .dtype = FMIX_DTYPE_I16,
                         .numbers = true,
                         .classes = CLASSES,
                         .pairing = pairing};
        assert_int_equal(fmix_plan_labels(plan, &l, 0, 0, N, out), FMIX_ERROR_RANGE);
    }
    fmix_plan_free(plan);
    fmix_context_free(context);
}

RUN(T(class_numbers_are_mixed_by_the_weight_of_their_row),
    T(rows_of_floats_say_the_same_as_numbers), T(partners_labels_come_from_y2_where_there_is_one),
    T(rows_whose_t_passes_64_bits_are_refused), T(a_class_out_of_range_is_refused))
