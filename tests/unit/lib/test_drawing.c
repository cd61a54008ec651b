#include "unit.h"

#include "drawing.h"

#include <math.h>

enum { SIDE = 16, ELEMENTS = SIDE * SIDE };

static const fmix_recipe recipe = {.shape = {2, {SIDE, SIDE, 0}}, .alpha = 1, .delta = 3};

/* A context, a plan and a scratch to draw with. */
typedef struct bench {
    fmix_context *context;
    fmix_plan *plan;
    fmix_scratch *scratch;
} bench;

static bench bench_new(void) {
    bench b = {.context = unit_context()};
    assert_ok(fmix_plan_new(b.context, &recipe, &b.plan));
    assert_ok(fmix_scratch_new(&b.scratch));
    return b;
}

static void bench_free(bench *b) {
    fmix_scratch_free(b->scratch);
    fmix_plan_free(b->plan);
    fmix_context_free(b->context);
}

/* G of one sample, and its bound. */
static double values_of(bench *b, uint64_t t, double *g) {
    fmix_drawing d;
    double bound;
    assert_ok(fmix_drawing_begin(&d, b->plan, b->scratch));
    fmix_drawing_values(&d, t, &bound);
    memcpy(g, b->scratch->g, ELEMENTS * sizeof *g);
    fmix_drawing_end(&d);
    return bound;
}

static void the_width_of_doubt_is_twice_the_bound(void **state) {
    bench b = bench_new();
    fmix_drawing d;
    (void)state;
    assert_ok(fmix_drawing_begin(&d, b.plan, b.scratch));
    assert_true(fmix_drawing_width(&d, 0.25) == 0.5);
    b.context->hooks.widen = 8;
    assert_true(fmix_drawing_width(&d, 0.25) == 4);
    b.context->hooks.unchecked = true;
    assert_true(fmix_drawing_width(&d, 0.25) == 0);
    fmix_drawing_end(&d);
    bench_free(&b);
}

static void noise_moves_each_value_by_its_share_of_the_bound(void **state) {
    static double quiet[ELEMENTS], noisy[ELEMENTS];
    bench b = bench_new();
    unsigned up = 0;
    (void)state;
    double bound = values_of(&b, 3, quiet);
    b.context->hooks.noise = 0.5;
    assert_true(values_of(&b, 3, noisy) == bound);
    for (unsigned i = 0; i < ELEMENTS; i++) {
        assert_true(fabs(fabs(noisy[i] - quiet[i]) - 0.5 * bound) < 1e-3 * bound);
        up += noisy[i] > quiet[i];
    }
    assert_in_range(up, ELEMENTS / 4, ELEMENTS * 3 / 4);
    bench_free(&b);
}

static bool always(void *user) {
    ++*(unsigned *)user;
    return true;
}

static void a_watched_scratch_cancels_a_close_call_and_no_other(void **state) {
    bench b = bench_new();
    unsigned char mask[ELEMENTS];
    unsigned asked = 0;
    (void)state;
    fmix_scratch_watch(b.scratch, always, &asked);
    assert_ok(fmix_plan_masks(b.plan, b.scratch, 0, 1, FMIX_DTYPE_U8, mask));
    assert_int_equal(asked, 0);
    b.context->hooks.widen = 0x1p40;
    assert_int_equal(fmix_plan_masks(b.plan, b.scratch, 0, 1, FMIX_DTYPE_U8, mask),
                     FMIX_ERROR_CANCELLED);
    assert_int_equal(asked, 1);
    fmix_scratch_watch(b.scratch, NULL, NULL);
    assert_ok(fmix_plan_masks(b.plan, b.scratch, 0, 1, FMIX_DTYPE_U8, mask));
    bench_free(&b);
}

RUN(T(the_width_of_doubt_is_twice_the_bound), T(noise_moves_each_value_by_its_share_of_the_bound),
    T(a_watched_scratch_cancels_a_close_call_and_no_other))
