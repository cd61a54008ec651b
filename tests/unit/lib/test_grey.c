#include "unit.h"

#include "context.h"

static fmix_recipe recipe_of(fmix_shape shape, double delta, fmix_spectrum spectrum) {
    return (fmix_recipe){.shape = shape,
                         .delta = delta,
                         .spectrum = spectrum,
                         .lambda_given = true,
                         .lambda = 0.5,
                         .seed = 4};
}

typedef fmix_status draw(const fmix_plan *plan, fmix_scratch *scratch, uint64_t t, uint64_t n,
                         fmix_dtype dtype, void *out);

static void *drawn(draw *by, fmix_context *context, const fmix_recipe *recipe, uint64_t t,
                   fmix_dtype dtype) {
    fmix_plan *plan = NULL;
    fmix_scratch *scratch = NULL;
    void *out = calloc(fmix_shape_elements(&recipe->shape), 8);
    assert_non_null(out);
    assert_ok(fmix_plan_new(context, recipe, &plan));
    assert_ok(fmix_scratch_new(&scratch));
    assert_ok(by(plan, scratch, t, 1, dtype, out));
    fmix_scratch_free(scratch);
    fmix_plan_free(plan);
    return out;
}

static const fmix_shape shapes[] = {
    {1, {2}}, {1, {97}}, {2, {32, 32}}, {2, {13, 8}}, {3, {5, 6, 7}}, {2, {8, 256}},
};
#define SHAPES (sizeof shapes / sizeof *shapes)

static void levels_run_from_0_to_255_and_the_mask_is_a_threshold_of_them(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    for (size_t s = 0; s < SHAPES; s++) {
        fmix_recipe recipe = recipe_of(shapes[s], 3, FMIX_SPECTRUM_PAPER);
        uint64_t n = fmix_shape_elements(&shapes[s]);
        unsigned char *grey = drawn(fmix_plan_greys, context, &recipe, 7, FMIX_DTYPE_U8);
        unsigned char *mask = drawn(fmix_plan_masks, context, &recipe, 7, FMIX_DTYPE_U8);
        unsigned low = 255, high = 0, least_in = 255, most_out = 0;
        for (uint64_t i = 0; i < n; i++) {
            low = grey[i] < low ? grey[i] : low;
            high = grey[i] > high ? grey[i] : high;
            if (mask[i])
                least_in = grey[i] < least_in ? grey[i] : least_in;
            else
                most_out = grey[i] > most_out ? grey[i] : most_out;
        }
        assert_true(low == 0 && high == 255 && least_in >= most_out);
        free(grey);
        free(mask);
    }
    fmix_context_free(context);
}

static void floats_are_levels_over_255(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    fmix_recipe recipe = recipe_of(shapes[2], 3, FMIX_SPECTRUM_PAPER);
    unsigned char *grey = drawn(fmix_plan_greys, context, &recipe, 0, FMIX_DTYPE_U8);
    float *f32 = drawn(fmix_plan_greys, context, &recipe, 0, FMIX_DTYPE_F32);
    double *f64 = drawn(fmix_plan_greys, context, &recipe, 0, FMIX_DTYPE_F64);
    for (int i = 0; i < 32 * 32; i++)
        assert_true(f64[i] == grey[i] / 255.0 && f32[i] == (float)(grey[i] / 255.0));
    free(grey);
    free(f32);
    free(f64);
    fmix_context_free(context);
}

static void one_element_and_a_tie_are_constant(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    fmix_recipe one = recipe_of((fmix_shape){1, {1}}, 3, FMIX_SPECTRUM_PAPER);
    unsigned char *grey = drawn(fmix_plan_greys, context, &one, 0, FMIX_DTYPE_U8);
    assert_int_equal(grey[0], 0);
    free(grey);
    fmix_recipe tie = recipe_of(shapes[0], 3, FMIX_SPECTRUM_PAPER);
    tie.seed = 0;
    grey = drawn(fmix_plan_greys, context, &tie, 1166203367, FMIX_DTYPE_U8);
    assert_true(grey[0] == 0 && grey[1] == 0);
    free(grey);
    fmix_context_free(context);
}

static void types_that_cannot_hold_levels_are_refused(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    fmix_recipe recipe = recipe_of(shapes[3], 3, FMIX_SPECTRUM_PAPER);
    fmix_plan *plan = NULL;
    fmix_scratch *scratch = NULL;
    double out[104];
    assert_ok(fmix_scratch_new(&scratch));
    assert_ok(fmix_plan_new(context, &recipe, &plan));
    assert_int_equal(fmix_plan_greys(plan, scratch, 0, 1, FMIX_DTYPE_BITS, out), FMIX_ERROR_RANGE);
    assert_int_equal(fmix_plan_greys(plan, scratch, 0, 1, FMIX_DTYPE_I8, out), FMIX_ERROR_RANGE);
    assert_int_equal(fmix_plan_greys(plan, scratch, UINT64_MAX, 2, FMIX_DTYPE_U8, out),
                     FMIX_ERROR_RANGE);
    fmix_plan_free(plan);
    recipe.method = FMIX_METHOD_CUTMIX;
    assert_ok(fmix_plan_new(context, &recipe, &plan));
    assert_int_equal(fmix_plan_greys(plan, scratch, 0, 1, FMIX_DTYPE_U8, out), FMIX_ERROR_RANGE);
    fmix_plan_free(plan);
    fmix_scratch_free(scratch);
    fmix_context_free(context);
}

static bool is_cancelled(void *user) {
    return *(const bool *)user;
}

static void an_image_that_is_decided_counts_once_and_no_other(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    fmix_recipe recipe = recipe_of(shapes[3], 3, FMIX_SPECTRUM_PAPER);
    fmix_plan *plan = NULL;
    fmix_scratch *scratch = NULL;
    fmix_counters c;
    bool cancelled = true;
    unsigned char *out = malloc((size_t)fmix_shape_elements(&shapes[3]));
    context->hooks.widen = 0x1p38;
    assert_non_null(out);
    assert_ok(fmix_scratch_new(&scratch));
    assert_ok(fmix_plan_new(context, &recipe, &plan));
    fmix_scratch_watch(scratch, is_cancelled, &cancelled);
    for (unsigned i = 0; i < 3; i++) {
        cancelled = i == 0;
        fmix_status status = fmix_plan_greys(plan, scratch, 0, 1, FMIX_DTYPE_U8, out);
        assert_int_equal(status, i ? FMIX_OK : FMIX_ERROR_CANCELLED);
        fmix_context_counters(context, &c);
        assert_int_equal(c.contested, i);
        assert_int_equal(c.settled_quick + c.settled_direct + c.settled_exact, i);
    }
    fmix_scratch_free(scratch);
    fmix_plan_free(plan);
    free(out);
    fmix_context_free(context);
}

static unsigned differing(fmix_hooks hooks, fmix_spectrum spectrum, fmix_counters *counters) {
    unsigned count = 0;
    fmix_context *plain = unit_context(), *hooked = unit_context();
    hooked->hooks = hooks;
    for (size_t s = 0; s < SHAPES; s++)
        for (uint64_t t = 0; t < 3; t++) {
            fmix_recipe recipe = recipe_of(shapes[s], 2, spectrum);
            unsigned char *a = drawn(fmix_plan_greys, plain, &recipe, t, FMIX_DTYPE_U8);
            unsigned char *b = drawn(fmix_plan_greys, hooked, &recipe, t, FMIX_DTYPE_U8);
            count += memcmp(a, b, (size_t)fmix_shape_elements(&shapes[s])) != 0;
            free(a);
            free(b);
        }
    fmix_context_counters(hooked, counters);
    fmix_context_free(plain);
    fmix_context_free(hooked);
    return count;
}

static void sums_and_mpfr_round_as_the_transform_does(void **state) {
    (void)state;
    fmix_counters c;
    for (int spectrum = FMIX_SPECTRUM_PAPER; spectrum <= FMIX_SPECTRUM_OFFICIAL; spectrum++) {
        fmix_hooks quick = {.widen = 0x1p32}, direct = {.widen = 0x1p32, .no_quick = true};
        fmix_hooks exact = {.widen = 0x1p26, .no_direct = true};
        assert_int_equal(differing(quick, (fmix_spectrum)spectrum, &c), 0);
        assert_true(c.settled_quick > 10);
        assert_int_equal(differing(direct, (fmix_spectrum)spectrum, &c), 0);
        assert_true(c.settled_direct > 10);
        assert_int_equal(differing(exact, (fmix_spectrum)spectrum, &c), 0);
        assert_true(c.settled_exact > 5);
        assert_int_equal(differing((fmix_hooks){.noise = 0.97}, (fmix_spectrum)spectrum, &c), 0);
    }
}

/* G[n] of an official line is proportional to cos(2 pi (n/4 + v)). Here v is exactly 3/4, so it is
 * 0, 1, 0, -1, and 0 lies half way up, at 127.5. */
static void half_way_goes_to_even(void **state) {
    (void)state;
    static const unsigned char expected[] = {128, 255, 128, 0};
    fmix_context *context = unit_context();
    fmix_recipe recipe = recipe_of((fmix_shape){1, {4}}, 3, FMIX_SPECTRUM_OFFICIAL);
    recipe.seed = 0;
    unsigned char *grey = drawn(fmix_plan_greys, context, &recipe, 1166203367, FMIX_DTYPE_U8);
    assert_memory_equal(grey, expected, 4);
    fmix_counters c;
    fmix_context_counters(context, &c);
    assert_true(c.settled_exact > 0);
    free(grey);
    fmix_context_free(context);
}

RUN(T(levels_run_from_0_to_255_and_the_mask_is_a_threshold_of_them), T(floats_are_levels_over_255),
    T(one_element_and_a_tie_are_constant), T(types_that_cannot_hold_levels_are_refused),
    T(an_image_that_is_decided_counts_once_and_no_other),
    T(sums_and_mpfr_round_as_the_transform_does), T(half_way_goes_to_even))
