#include "unit.h"

#include "context.h"
#include "ops/selftest.h"

/* Of the digests of plans alone; another one is another stream. */
#define GOLDEN "db17c2d6afb4f38392790484f77ecd58"

typedef struct selftest_result {
    bool good;
    char golden[33], said[2000];
} selftest_result;

static selftest_result run(fmix_context *context) {
    selftest_result o = {.said = ""};
    FILE *errors = fmemopen(o.said, sizeof o.said, "w");
    o.good = selftest_run(context, o.golden, errors);
    fclose(errors);
    return o;
}

static void a_good_machine_passes_in_silence_with_the_golden_digest(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    for (int i = 0; i < 2; i++) {
        selftest_result o = run(context);
        assert_true(o.good);
        assert_string_equal(o.golden, GOLDEN);
        assert_string_equal(o.said, "");
    }
    fmix_context_free(context);
}

static void the_digest_is_the_same_without_a_cache(void **state) {
    (void)state;
    fmix_context *context;
    assert_ok(fmix_context_new(0, &context));
    selftest_result o = run(context);
    assert_true(o.good);
    assert_string_equal(o.golden, GOLDEN);
    fmix_context_free(context);
}

/* Noise far above the bound, as of a broken transform, moves pixels of every FMix mask. */
static void wrong_masks_fail_and_each_recipe_is_named(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    context->hooks.noise = 1e12;
    selftest_result o = run(context);
    assert_false(o.good);
    assert_string_not_equal(o.golden, GOLDEN);
    assert_int_equal(strlen(o.golden), 32);
    static const char *const names[] = {
        "'fmix 32x32'",           "'fmix 64x48 alpha 0.2 delta 1.5'",
        "'fmix 1D 512 delta 2'",  "'fmix 3D 13x8x21 delta 5'",
        "lambda 0.3: contested'", "'choices of rows'"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_non_null(strstr(o.said, names[i]));
    assert_null(strstr(o.said, "'cutmix 33x40'"));
    assert_null(strstr(o.said, "partners"));
    assert_null(strstr(o.said, "sequences"));
    fmix_context_free(context);
}

/* The golden set has masks that only the exact decision of near ties keeps the same. */
static void without_settling_the_contested_recipe_fails(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    context->hooks = (fmix_hooks){.noise = 0.97, .unchecked = true};
    selftest_result o = run(context);
    assert_false(o.good);
    assert_non_null(strstr(o.said, "contested"));
    fmix_context_free(context);
}

static void noise_within_the_bound_passes(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    context->hooks.noise = 0.97;
    selftest_result o = run(context);
    assert_true(o.good);
    assert_string_equal(o.golden, GOLDEN);
    fmix_context_free(context);
}

RUN(T(a_good_machine_passes_in_silence_with_the_golden_digest),
    T(the_digest_is_the_same_without_a_cache), T(wrong_masks_fail_and_each_recipe_is_named),
    T(without_settling_the_contested_recipe_fails), T(noise_within_the_bound_passes))
