#include "unit.h"

#include "context.h"
#include "soft.h"

#include <math.h>

static fmix_recipe recipe_of(fmix_shape shape, double delta, double soft) {
    return (fmix_recipe){.shape = shape,
                         .delta = delta,
                         .soft = soft,
                         .lambda_given = true,
                         .lambda = 0.4,
                         .seed = 3};
}

/* One image of the recipe at t; the caller frees. */
static void *drawn(fmix_context *context, const fmix_recipe *recipe, uint64_t t, fmix_dtype dtype) {
    fmix_plan *plan = NULL;
    fmix_scratch *scratch = NULL;
    void *out = calloc(fmix_shape_elements(&recipe->shape), 8);
    assert_non_null(out);
    assert_ok(fmix_plan_new(context, recipe, &plan));
    assert_ok(fmix_scratch_new(&scratch));
    assert_ok(fmix_plan_masks(plan, scratch, t, 1, dtype, out));
    fmix_scratch_free(scratch);
    fmix_plan_free(plan);
    return out;
}

static const fmix_shape shapes[] = {
    {1, {97}}, {1, {512}}, {2, {32, 32}}, {2, {13, 8}}, {3, {5, 6, 7}}, {2, {8, 256}},
};
#define SHAPES (sizeof shapes / sizeof *shapes)

static void weights_fall_evenly_and_add_up_to_the_hard_mask(void **state) {
    (void)state;
    static const double softs[] = {0.01, 0.1, 0.3, 0.5};
    fmix_context *context = unit_context();
    for (size_t s = 0; s < SHAPES; s++)
        for (size_t f = 0; f < sizeof softs / sizeof *softs; f++) {
            fmix_recipe soft = recipe_of(shapes[s], 3, softs[f]), hard = recipe_of(shapes[s], 3, 0);
            uint64_t n = fmix_shape_elements(&shapes[s]), k = 0, ones = 0, grades[4096] = {0};
            double *weights = drawn(context, &soft, 5, FMIX_DTYPE_F64), sum = 0;
            unsigned char *mask = drawn(context, &hard, 5, FMIX_DTYPE_U8);
            for (uint64_t i = 0; i < n; i++)
                k += mask[i];
            uint64_t half = (uint64_t)(softs[f] * (double)n + 0.5);
            half = half < k ? half : k;
            half = half < n - k ? half : n - k;
            for (uint64_t i = 0; i < n; i++) {
                double steps = weights[i] * (double)(2 * half - 1);
                sum += weights[i];
                ones += weights[i] == 1;
                if (half < 2) {
                    assert_true(weights[i] == mask[i]);
                    continue;
                }
                assert_true(steps > -1e-9 && steps - (double)(int)(steps + 0.5) < 1e-9);
                assert_true(weights[i] == 0.5 || (weights[i] > 0.5) == mask[i]);
                grades[(int)(steps + 0.5)]++;
            }
            assert_true(sum > (double)k - 1e-6 && sum < (double)k + 1e-6);
            for (uint64_t g = 1; half > 1 && g + 1 < 2 * half - 1; g++)
                assert_int_equal(grades[g], 1);
            assert_true(half < 2 || ones == k - half + 1);
            free(weights);
            free(mask);
        }
    fmix_context_free(context);
}

static void each_type_is_rounded_once_and_integers_are_refused(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    fmix_recipe recipe = recipe_of(shapes[2], 3, 0.4);
    double *f64 = drawn(context, &recipe, 1, FMIX_DTYPE_F64);
    float *f32 = drawn(context, &recipe, 1, FMIX_DTYPE_F32);
    for (int i = 0; i < 32 * 32; i++)
        assert_true(f32[i] == (float)f64[i]);
    fmix_plan *plan = NULL;
    fmix_scratch *scratch = NULL;
    assert_ok(fmix_plan_new(context, &recipe, &plan));
    assert_ok(fmix_scratch_new(&scratch));
    assert_int_equal(fmix_plan_masks(plan, scratch, 0, 1, FMIX_DTYPE_U8, f64), FMIX_ERROR_RANGE);
    assert_int_equal(fmix_plan_masks(plan, scratch, 0, 1, FMIX_DTYPE_BITS, f64), FMIX_ERROR_RANGE);
    fmix_scratch_free(scratch);
    fmix_plan_free(plan);
    free(f64);
    free(f32);
    fmix_context_free(context);
}

/* How many of the shapes' masks come out otherwise under the hooks. */
static unsigned differing(fmix_hooks hooks, double delta, fmix_spectrum spectrum,
                          fmix_counters *counters) {
    unsigned count = 0;
    fmix_context *plain = unit_context(), *hooked = unit_context();
    hooked->hooks = hooks;
    for (size_t s = 0; s < SHAPES; s++)
        for (uint64_t t = 0; t < 3; t++) {
            fmix_recipe recipe = recipe_of(shapes[s], delta, 0.25);
            recipe.spectrum = spectrum;
            uint64_t n = fmix_shape_elements(&shapes[s]);
            double *a = drawn(plain, &recipe, t, FMIX_DTYPE_F64);
            double *b = drawn(hooked, &recipe, t, FMIX_DTYPE_F64);
            count += memcmp(a, b, (size_t)n * sizeof *a) != 0;
            free(a);
            free(b);
        }
    fmix_context_counters(hooked, counters);
    fmix_context_free(plain);
    fmix_context_free(hooked);
    return count;
}

static void noise_up_to_the_bound_changes_no_weight(void **state) {
    (void)state;
    fmix_counters c;
    assert_int_equal(differing((fmix_hooks){.noise = 0.97}, 10, FMIX_SPECTRUM_PAPER, &c), 0);
    assert_true(c.contested > 0);
    assert_int_equal(differing((fmix_hooks){.noise = 0.97}, 3, FMIX_SPECTRUM_OFFICIAL, &c), 0);
}

static void without_the_check_noise_shows(void **state) {
    (void)state;
    fmix_counters c;
    fmix_hooks hooks = {.noise = 0.97, .unchecked = true};
    assert_true(differing(hooks, 10, FMIX_SPECTRUM_PAPER, &c) > 0);
}

static void far_more_contested_pixels_change_no_weight(void **state) {
    (void)state;
    fmix_counters c;
    fmix_hooks hooks = {.widen = 0x1p34};
    assert_int_equal(differing(hooks, 3, FMIX_SPECTRUM_PAPER, &c), 0);
    assert_true(c.contested > 10 && c.settled_exact == 0);
    assert_int_equal(differing(hooks, 3, FMIX_SPECTRUM_OFFICIAL, &c), 0);
    assert_true(c.contested > 10);
}

static void mpfr_orders_bands_like_double_double(void **state) {
    (void)state;
    fmix_counters c;
    fmix_hooks hooks = {.widen = 0x1p30, .no_direct = true};
    assert_int_equal(differing(hooks, 3, FMIX_SPECTRUM_PAPER, &c), 0);
    assert_true(c.settled_exact > 0);
    if (unit_short())
        return;
    assert_int_equal(differing(hooks, 3, FMIX_SPECTRUM_OFFICIAL, &c), 0);
    assert_true(c.settled_exact > 0);
}

/* Values as a test sees them. */
typedef struct pixel {
    double g;
    uint32_t at;
} pixel;

static int descending(const void *left, const void *right) {
    const pixel *a = left, *b = right;
    return (a->g < b->g) - (a->g > b->g);
}

static void see(void *user, const double *g, uint64_t n, double bound) {
    pixel *pixels = user;
    (void)bound;
    for (uint32_t i = 0; i < n; i++)
        pixels[i] = (pixel){g[i], i};
}

/* Shapes so large that the ends of the band are guessed from a sample. Pixels whose values differ
 * by less than 1e-9 are left out: they may be contested. */
static void weights_of_large_masks_are_those_of_a_sort(void **state) {
    (void)state;
    static const fmix_shape large[] = {{2, {160, 160}}, {2, {64, 1024}}, {3, {32, 32, 32}}};
    static const double softs[] = {0.001, 0.1, 0.5}, lambdas[] = {0.003, 0.1, 0.5, 0.95};
    for (size_t s = 0; s < 3; s++)
        for (size_t c = 0; c < 12; c++) {
            fmix_recipe recipe = recipe_of(large[s], 3, softs[c / 4]);
            size_t n = (size_t)fmix_shape_elements(&large[s]), checked = 0;
            pixel *pixels = calloc(n, sizeof *pixels);
            fmix_context *context = unit_context();
            recipe.lambda = lambdas[c % 4];
            context->hooks.watch = see;
            context->hooks.watch_user = pixels;
            double *weights = drawn(context, &recipe, c, FMIX_DTYPE_F64);
            qsort(pixels, n, sizeof *pixels, descending);
            double k = floor(recipe.lambda * (double)n + 0.5),
                   h = floor(recipe.soft * (double)n + 0.5);
            h = fmin(h, fmin(k, (double)n - k));
            for (size_t i = 0; i < n; i++) {
                double weight = (k + h - 1 - (double)i) / (2 * h - 1);
                if ((i > 0 && pixels[i - 1].g - pixels[i].g < 1e-9) ||
                    (i + 1 < n && pixels[i].g - pixels[i + 1].g < 1e-9))
                    continue;
                assert_true(weights[pixels[i].at] == fmin(fmax(weight, 0), 1));
                checked++;
            }
            assert_true(checked > n - n / 10);
            free(weights);
            free(pixels);
            fmix_context_free(context);
        }
}

RUN(T(weights_fall_evenly_and_add_up_to_the_hard_mask),
    T(weights_of_large_masks_are_those_of_a_sort),
    T(each_type_is_rounded_once_and_integers_are_refused),
    T(noise_up_to_the_bound_changes_no_weight), T(without_the_check_noise_shows),
    T(far_more_contested_pixels_change_no_weight), T(mpfr_orders_bands_like_double_double))
