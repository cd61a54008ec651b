#include "context.h"
#include "exact.h"

#include <stdlib.h>

const char *fmix_status_text(fmix_status status) {
    switch (status) {
    case FMIX_OK:
        return "no error";
    case FMIX_ERROR_RANGE:
        return "a number is outside its range";
    case FMIX_ERROR_MEMORY:
        return "out of memory";
    case FMIX_ERROR_LIBRARY:
        return "a library underneath failed";
    case FMIX_ERROR_CANCELLED:
        return "cancelled";
    }
    return "unknown status";
}

fmix_status fmix_context_new(size_t cache_bytes, fmix_context **out) {
    fmix_context *context = calloc(1, sizeof *context);
    if (!context)
        return FMIX_ERROR_MEMORY;
    fmix_status status = fmix_cache_new(cache_bytes, &context->cache);
    if (status != FMIX_OK) {
        free(context);
        return status;
    }
    if (pthread_mutex_init(&context->tuning.lock, NULL) != 0) {
        fmix_cache_free(context->cache);
        free(context);
        return FMIX_ERROR_MEMORY;
    }
    context->kernels = fmix_kernels_best();
    *out = context;
    return FMIX_OK;
}

void fmix_context_free(fmix_context *context) {
    if (!context)
        return;
    fmix_cache_free(context->cache);
    pthread_mutex_destroy(&context->tuning.lock);
    free(context);
}

static uint64_t read_counter(_Atomic uint64_t *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void fmix_context_counters(fmix_context *context, fmix_counters *out) {
    out->masks = read_counter(&context->masks);
    out->contested = read_counter(&context->contested);
    out->settled_quick = read_counter(&context->settled[FMIX_TIER_QUICK]);
    out->settled_direct = read_counter(&context->settled[FMIX_TIER_DIRECT]);
    out->settled_exact = read_counter(&context->settled[FMIX_TIER_EXACT]);
    out->lambda_exact = read_counter(&context->lambda_exact);
    out->transforms_measured = read_counter(&context->transforms_measured);
    fmix_cache_counters(context->cache, out);
}

fmix_status fmix_context_tune(fmix_context *context, double seconds, bool *tuned, bool *more) {
    fmix_status status = fmix_tuning_next(&context->tuning, context->cache, seconds, tuned, more);
    fmix_count(&context->transforms_measured, *tuned);
    return status;
}

void fmix_context_engine(const fmix_context *context, fmix_engine *out) {
    *out = (fmix_engine){.fftw = fmix_fft_library(),
                         .mpfr = fmix_exact_library(),
                         .kernels = context->kernels->name};
}
