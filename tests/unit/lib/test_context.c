#include "unit.h"

#include "context.h"

static void every_status_has_a_text_of_its_own(void **state) {
    (void)state;
    static const fmix_status all[] = {FMIX_OK, FMIX_ERROR_RANGE, FMIX_ERROR_MEMORY,
                                      FMIX_ERROR_LIBRARY, FMIX_ERROR_CANCELLED};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        assert_string_not_equal(fmix_status_text(all[i]), "unknown status");
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(fmix_status_text(all[i]), fmix_status_text(all[j]));
    }
    assert_string_equal(fmix_status_text((fmix_status)99), "unknown status");
}

static void a_new_context_has_counted_nothing_and_hooks_nothing(void **state) {
    (void)state;
    static const fmix_counters none;
    static const fmix_hooks no_hooks;
    fmix_context *context = unit_context();
    fmix_counters c;
    fmix_context_counters(context, &c);
    assert_memory_equal(&c, &none, sizeof c);
    assert_memory_equal(&context->hooks, &no_hooks, sizeof no_hooks);
    fmix_context_free(context);
    fmix_context_free(NULL);
}

enum { MASKS = 50, THREADS = 4 };

static const fmix_recipe recipe = {.shape = {2, {16, 16}}, .alpha = 1, .delta = 3};

static void *draw(void *of) {
    fmix_plan *plan = NULL;
    fmix_scratch *scratch = NULL;
    unsigned char out[MASKS * 16 * 16 / 8];
    fmix_status status = fmix_plan_new(of, &recipe, &plan);
    if (status == FMIX_OK)
        status = fmix_scratch_new(&scratch);
    if (status == FMIX_OK)
        status = fmix_plan_masks(plan, scratch, 0, MASKS, FMIX_DTYPE_BITS, out);
    fmix_scratch_free(scratch);
    fmix_plan_free(plan);
    return status == FMIX_OK ? of : NULL;
}

static void counters_add_up_over_threads(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    fmix_counters c;
    pthread_t threads[THREADS];
    void *good;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, draw, context), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &good);
        assert_non_null(good);
    }
    fmix_context_counters(context, &c);
    assert_true(c.masks == THREADS * MASKS);
    assert_true(c.cache_hits + c.cache_misses == THREADS * 2); /* weights and transform */
    assert_true(c.cache_bytes > 0);
    fmix_context_free(context);
}

static void contexts_share_nothing(void **state) {
    (void)state;
    fmix_context *a = unit_context(), *b = unit_context();
    fmix_counters c;
    assert_non_null(draw(a));
    fmix_context_counters(b, &c);
    assert_true(c.masks == 0 && c.cache_misses == 0 && c.cache_bytes == 0);
    fmix_context_free(a);
    fmix_context_free(b);
}

static void the_engine_names_its_libraries(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    fmix_engine engine;
    context->kernels = &fmix_kernels_plain;
    fmix_context_engine(context, &engine);
    assert_string_equal(engine.kernels, "plain");
    assert_memory_equal(engine.fftw, "fftw-3.", 7);
    assert_int_equal(engine.mpfr[0], '4');
    fmix_context_free(context);
}

RUN(T(every_status_has_a_text_of_its_own), T(a_new_context_has_counted_nothing_and_hooks_nothing),
    T(counters_add_up_over_threads), T(contexts_share_nothing), T(the_engine_names_its_libraries))
