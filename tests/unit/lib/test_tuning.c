#include "unit.h"

#include "context.h"

#include <fftw3.h>

/* Runs so many transforms of a shape, as calls that draw masks do. */
static void use(fmix_context *context, const fmix_shape *shape, uint64_t times) {
    const fmix_transform *transform = NULL;
    void *entry = NULL;
    assert_ok(fmix_transform_get(context->cache, shape, &transform, &entry));
    fmix_tuning_used(&context->tuning, transform, times);
    fmix_cache_release(context->cache, entry);
}

/* How many shapes are measured, one after the other. */
static unsigned tune_all(fmix_context *context) {
    unsigned count = 0;
    bool tuned, more;
    do {
        assert_ok(fmix_context_tune(context, 60, &tuned, &more));
        count += tuned;
    } while (more);
    return count;
}

static void a_shape_is_measured_once_it_is_worth_it(void **state) {
    (void)state;
    fmix_context *context = NULL;
    assert_ok(fmix_context_new(1u << 20, &context));
    const fmix_shape shape = {2, {28, 30, 0}}, prime = {2, {17, 16, 0}},
                     huge = {2, {1024, 1025, 0}};
    use(context, &shape, 5000);
    assert_int_equal(tune_all(context), 0);
    use(context, &shape, 5000);
    assert_int_equal(tune_all(context), 1);
    fmix_counters counters;
    fmix_context_counters(context, &counters);
    assert_int_equal(counters.transforms_measured, 1);
    use(context, &shape, 1000000);
    use(context, &prime, 1000000);
    use(context, &huge, 100);
    assert_int_equal(tune_all(context), 0);
    fmix_context_free(context);
}

static void a_shape_for_which_time_runs_out_is_tried_again(void **state) {
    (void)state;
    fmix_context *context = NULL;
    bool tuned, more;
    for (unsigned short_of_time = 1; short_of_time <= FMIX_TUNING_ATTEMPTS; short_of_time++) {
        fftw_forget_wisdom();
        assert_ok(fmix_context_new(1u << 20, &context));
        use(context, &(fmix_shape){2, {30, 2 * short_of_time, 0}}, 1000000);
        for (unsigned i = 1; i < short_of_time; i++) {
            assert_ok(fmix_context_tune(context, 1e-9, &tuned, &more));
            assert_false(tuned || more);
        }
        bool last = short_of_time == FMIX_TUNING_ATTEMPTS;
        assert_ok(fmix_context_tune(context, last ? 1e-9 : 60, &tuned, &more));
        assert_true(tuned);
        assert_int_equal(tune_all(context), 0);
        fmix_context_free(context);
    }
}

static void a_shape_that_left_the_cache_is_not_measured(void **state) {
    (void)state;
    fmix_context *context = NULL;
    assert_ok(fmix_context_new(0, &context));
    use(context, &(fmix_shape){2, {28, 30, 0}}, 10000);
    assert_int_equal(tune_all(context), 0);
    fmix_context_free(context);
}

static void more_shapes_than_there_is_room_for_come_again(void **state) {
    (void)state;
    fmix_context *context = NULL;
    assert_ok(fmix_context_new(64u << 20, &context));
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < FMIX_TUNING_MOST + 4; i++)
            use(context, &(fmix_shape){1, {2 + 2 * i, 0, 0}}, 10000000);
        assert_true(tune_all(context) > 0);
    }
    for (uint32_t i = 0; i < FMIX_TUNING_MOST + 4; i++)
        use(context, &(fmix_shape){1, {2 + 2 * i, 0, 0}}, 10000000);
    assert_int_equal(tune_all(context), 0);
    fmix_context_free(context);
}

static void wisdom_makes_measured_plans_at_once(void **state) {
    (void)state;
    const fmix_shape shape = {2, {20, 60, 0}};
    fmix_context *context = NULL;
    char *text = NULL;
    for (int wise = 0; wise < 2; wise++) {
        fftw_forget_wisdom();
        if (wise)
            assert_ok(fmix_wisdom_import(text));
        assert_ok(fmix_context_new(1u << 20, &context));
        use(context, &shape, 100000);
        assert_int_equal(tune_all(context), !wise);
        free(text);
        assert_ok(fmix_wisdom_export(&text));
        assert_non_null(strstr(text, "fftw"));
        fmix_context_free(context);
    }
    free(text);
    assert_int_equal(fmix_wisdom_import("(fftw-2.1 nonsense"), FMIX_ERROR_RANGE);
    assert_ok(fmix_wisdom_import("")); /* as it is exported before anything is measured */
}

RUN(T(a_shape_is_measured_once_it_is_worth_it), T(a_shape_for_which_time_runs_out_is_tried_again),
    T(a_shape_that_left_the_cache_is_not_measured),
    T(more_shapes_than_there_is_room_for_come_again), T(wisdom_makes_measured_plans_at_once))
