#include "unit.h"

#include "context.h"
#include "mask.h"

#include <stdio.h>

/* A recipe's mask at t as text of 0 and 1. */
static void mask_text(fmix_context *context, const fmix_recipe *recipe, uint64_t t, char *text) {
    fmix_plan *plan = NULL;
    fmix_scratch *scratch = NULL;
    assert_ok(fmix_plan_new(context, recipe, &plan));
    assert_ok(fmix_scratch_new(&scratch));
    assert_ok(fmix_plan_masks(plan, scratch, t, 1, FMIX_DTYPE_U8, text));
    uint64_t n = fmix_shape_elements(&recipe->shape);
    for (uint64_t i = 0; i < n; i++)
        text[i] = (char)(text[i] + '0');
    text[n] = 0;
    fmix_scratch_free(scratch);
    fmix_plan_free(plan);
}

/* n masks of one recipe as bytes; the caller frees. */
static unsigned char *masks(fmix_context *context, const fmix_recipe *recipe, uint64_t n) {
    fmix_plan *plan = NULL;
    fmix_scratch *scratch = NULL;
    unsigned char *out = malloc((size_t)(n * fmix_shape_elements(&recipe->shape)));
    assert_non_null(out);
    assert_ok(fmix_plan_new(context, recipe, &plan));
    assert_ok(fmix_scratch_new(&scratch));
    assert_ok(fmix_plan_masks(plan, scratch, 0, n, FMIX_DTYPE_U8, out));
    fmix_scratch_free(scratch);
    fmix_plan_free(plan);
    return out;
}

static fmix_counters counters_of(fmix_context *context) {
    fmix_counters counters;
    fmix_context_counters(context, &counters);
    return counters;
}

static fmix_recipe recipe_of(unsigned rank, uint32_t a, uint32_t b, uint32_t c, double delta) {
    return (fmix_recipe){.method = FMIX_METHOD_FMIX,
                         .shape = {rank, {a, b, c}},
                         .delta = delta,
                         .lambda_given = true,
                         .lambda = 0.5};
}

static void fmix_mask_is_that_of_the_contract(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    fmix_recipe recipe = recipe_of(2, 3, 5, 0, 3);
    char text[16];
    mask_text(context, &recipe, 0, text);
    assert_string_equal(text, "001100111001110");
    fmix_context_free(context);
}

static void cutmix_mask_is_that_of_the_contract(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    fmix_recipe recipe = recipe_of(2, 5, 6, 0, 3);
    recipe.method = FMIX_METHOD_CUTMIX;
    char text[31];
    mask_text(context, &recipe, 0, text);
    assert_string_equal(text, "111111001111001111001111111111");
    fmix_context_free(context);
}

static void tie_of_the_contract_answers_at_once_smaller_index_first(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    fmix_recipe recipe = recipe_of(1, 2, 0, 0, 3);
    char text[3];
    mask_text(context, &recipe, 1166203367, text);
    assert_string_equal(text, "10");
    assert_true(counters_of(context).contested == 1);
    context->hooks.no_direct = true;
    mask_text(context, &recipe, 1166203367, text);
    assert_string_equal(text, "10");
    assert_true(counters_of(context).settled_exact == 2);
    fmix_context_free(context);
}

static void contested_recipe_increments_the_contested_counter(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    fmix_recipe recipe = recipe_of(2, 16, 1024, 0, 10);
    recipe.lambda = 0.3; /* at 1/2 the boundary would fall between whole columns */
    free(masks(context, &recipe, 2));
    assert_true(counters_of(context).contested == 2);
    assert_true(counters_of(context).settled_quick == 2);
    recipe = recipe_of(2, 32, 32, 0, 3);
    free(masks(context, &recipe, 50));
    assert_true(counters_of(context).contested == 2);
    assert_true(counters_of(context).masks == 52);
    fmix_context_free(context);
}

/* Shapes of all kinds, δ from end to end. */
static const struct {
    unsigned rank;
    uint32_t a, b, c;
    double delta;
    uint64_t n;
} sweep[] = {
    {1, 2, 0, 0, 3, 20},   {1, 3, 0, 0, 0, 20},     {1, 97, 0, 0, 10, 20}, {1, 512, 0, 0, 2, 10},
    {2, 1, 64, 0, 3, 10},  {2, 32, 32, 0, 0, 10},   {2, 32, 32, 0, 3, 20}, {2, 64, 48, 0, 1.5, 10},
    {2, 31, 127, 0, 5, 5}, {2, 224, 224, 0, 3, 2},  {3, 8, 8, 8, 3, 10},   {3, 3, 1, 50, 7, 10},
    {3, 16, 16, 16, 2, 3}, {2, 16, 1024, 0, 10, 2}, {2, 128, 4, 0, 10, 3}, {2, 2, 2048, 0, 10, 2},
};
#define SWEEP (sizeof sweep / sizeof *sweep)

/* Draws the sweep's entries first … last-1 with hooks and plainly: how many masks differ, and how
 * many were contested under the hooks. */
static unsigned differing(fmix_hooks hooks, size_t first, size_t last, uint64_t *contested) {
    unsigned count = 0;
    *contested = 0;
    for (size_t s = first; s < last; s++) {
        fmix_recipe recipe =
            recipe_of(sweep[s].rank, sweep[s].a, sweep[s].b, sweep[s].c, sweep[s].delta);
        recipe.lambda = 0.3; /* no whole number of rows or columns */
        uint64_t bytes = fmix_shape_elements(&recipe.shape);
        fmix_context *plain = unit_context(), *hooked = unit_context();
        hooked->hooks = hooks;
        unsigned char *a = masks(plain, &recipe, sweep[s].n);
        unsigned char *b = masks(hooked, &recipe, sweep[s].n);
        for (uint64_t i = 0; i < sweep[s].n; i++)
            count += memcmp(a + i * bytes, b + i * bytes, (size_t)bytes) != 0;
        *contested += counters_of(hooked).contested;
        free(a);
        free(b);
        fmix_context_free(plain);
        fmix_context_free(hooked);
    }
    return count;
}

static void noise_up_to_the_bound_changes_no_bit(void **state) {
    (void)state;
    uint64_t contested;
    assert_int_equal(differing((fmix_hooks){.noise = 0.97}, 0, SWEEP, &contested), 0);
    assert_true(contested > 0);
}

static void without_the_check_a_close_call_goes_wrong(void **state) {
    (void)state;
    /* 16x1024, delta 10: entry 13, both masks */
    fmix_hooks hooks = {.noise = 0.97, .unchecked = true};
    uint64_t contested;
    assert_int_equal(sweep[13].b, 1024);
    assert_int_equal(differing(hooks, 13, 14, &contested), 2);
    assert_int_equal(contested, 0);
}

static void settling_far_more_pixels_changes_no_bit(void **state) {
    (void)state;
    /* So wide that sums order most pixels of most masks that the transform had decided. */
    uint64_t contested;
    for (int tier = FMIX_TIER_QUICK; tier <= FMIX_TIER_DIRECT; tier++) {
        fmix_hooks hooks = {.widen = 0x1p38, .no_quick = tier == FMIX_TIER_DIRECT};
        assert_int_equal(differing(hooks, 0, 8, &contested), 0);
        assert_true(contested > 60);
    }
}

static void mpfr_and_double_double_settle_alike(void **state) {
    (void)state;
    uint64_t contested;
    fmix_hooks hooks = {.widen = 0x1p36, .no_direct = true};
    assert_int_equal(differing(hooks, 0, 5, &contested), 0);
    assert_true(contested > 10);
    assert_int_equal(differing((fmix_hooks){.no_direct = true}, 14, 15, &contested), 0);
}

static void ones_are_exactly_lambda_times_elements_rounded(void **state) {
    (void)state;
    static const double lambdas[] = {0, 1e-9, 0.1, 1.0 / 3, 0.5, 0.77, 0.999999, 1};
    fmix_context *context = unit_context();
    for (size_t s = 0; s < SWEEP; s++)
        for (size_t l = 0; l < sizeof lambdas / sizeof *lambdas; l++) {
            fmix_recipe recipe =
                recipe_of(sweep[s].rank, sweep[s].a, sweep[s].b, sweep[s].c, sweep[s].delta);
            recipe.lambda = lambdas[l];
            uint64_t n = fmix_shape_elements(&recipe.shape), ones = 0;
            unsigned char *mask = masks(context, &recipe, 1);
            for (uint64_t i = 0; i < n; i++)
                ones += mask[i];
            free(mask);
            double expected = lambdas[l] * (double)n;
            assert_true((double)ones >= expected - 0.51 && (double)ones <= expected + 0.51);
        }
    fmix_context_free(context);
}

static void types_hold_the_same_mask(void **state) {
    (void)state;
    enum { N = 7 * 11, BYTES = (N + 7) / 8 };
    fmix_context *context = unit_context();
    fmix_recipe recipe = recipe_of(2, 7, 11, 0, 2);
    fmix_plan *plan = NULL;
    fmix_scratch *scratch = NULL;
    unsigned char u8[2 * N], bits[2 * BYTES];
    float f32[2 * N];
    assert_ok(fmix_plan_new(context, &recipe, &plan));
    assert_ok(fmix_scratch_new(&scratch));
    assert_ok(fmix_plan_masks(plan, scratch, 5, 2, FMIX_DTYPE_U8, u8));
    assert_ok(fmix_plan_masks(plan, scratch, 5, 2, FMIX_DTYPE_F32, f32));
    assert_ok(fmix_plan_masks(plan, scratch, 5, 2, FMIX_DTYPE_BITS, bits));
    for (int m = 0; m < 2; m++)
        for (int i = 0; i < N; i++) {
            assert_true(f32[m * N + i] == (float)u8[m * N + i]);
            assert_int_equal(bits[m * BYTES + i / 8] >> (7 - i % 8) & 1, u8[m * N + i]);
        }
    assert_int_equal(bits[BYTES - 1] & 7, 0); /* 77 = 9*8 + 5: three bits of padding */
    fmix_scratch_free(scratch);
    fmix_plan_free(plan);
    fmix_context_free(context);
}

static void a_batch_split_anywhere_is_the_same_batch(void **state) {
    (void)state;
    enum { N = 28 * 28 };
    fmix_context *context = unit_context();
    fmix_recipe recipe = recipe_of(2, 28, 28, 0, 3);
    recipe.lambda_given = false;
    recipe.alpha = 0.4;
    fmix_plan *plan = NULL;
    fmix_scratch *scratch = NULL;
    static unsigned char whole[6 * N], parts[6 * N];
    assert_ok(fmix_plan_new(context, &recipe, &plan));
    assert_ok(fmix_scratch_new(&scratch));
    assert_ok(fmix_plan_masks(plan, scratch, UINT64_MAX - 5, 6, FMIX_DTYPE_U8, whole));
    assert_ok(fmix_plan_masks(plan, scratch, UINT64_MAX - 5, 1, FMIX_DTYPE_U8, parts));
    assert_ok(fmix_plan_masks(plan, scratch, UINT64_MAX - 4, 3, FMIX_DTYPE_U8, parts + N));
    assert_ok(fmix_plan_masks(plan, scratch, UINT64_MAX - 1, 2, FMIX_DTYPE_U8, parts + 4 * N));
    assert_memory_equal(whole, parts, sizeof whole);
    assert_int_equal(fmix_plan_masks(plan, scratch, UINT64_MAX - 4, 6, FMIX_DTYPE_U8, whole),
                     FMIX_ERROR_RANGE);
    fmix_scratch_free(scratch);
    fmix_plan_free(plan);
    fmix_context_free(context);
}

RUN(T(fmix_mask_is_that_of_the_contract), T(cutmix_mask_is_that_of_the_contract),
    T(tie_of_the_contract_answers_at_once_smaller_index_first),
    T(contested_recipe_increments_the_contested_counter), T(noise_up_to_the_bound_changes_no_bit),
    T(without_the_check_a_close_call_goes_wrong), T(settling_far_more_pixels_changes_no_bit),
    T(mpfr_and_double_double_settle_alike), T(ones_are_exactly_lambda_times_elements_rounded),
    T(types_hold_the_same_mask), T(a_batch_split_anywhere_is_the_same_batch))
