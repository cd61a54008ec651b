/*
 * context.h - state that the calls of one program share, and hooks for tests
 */
#ifndef FMIX_CONTEXT_H
#define FMIX_CONTEXT_H

#include "cache.h"
#include "fmix.h"
#include "kernels.h"
#include "tuning.h"

#include <stdatomic.h>

/* All zero in production. A test sets hooks before the first mask. */
typedef struct fmix_hooks {
    double noise;   /* adds ± noise * bound to every value of G, signs by a hash of pixel and t */
    double widen;   /* if not 0, multiplies the width within which values are contested */
    bool unchecked; /* trusts the transform: nothing is contested */
    bool no_quick;  /* skips the float64 sums */
    bool no_direct; /* skips the double-double sums too: MPFR alone decides */
    void (*watch)(void *user, const double *g, uint64_t n, double bound); /* sees every G */
    void *watch_user;
} fmix_hooks;

/* What decides contested pixels: nothing where there are none, float64 sums, double-double sums,
 * MPFR. */
typedef enum fmix_tier {
    FMIX_TIER_NONE,
    FMIX_TIER_QUICK,
    FMIX_TIER_DIRECT,
    FMIX_TIER_EXACT,
    FMIX_TIERS
} fmix_tier;

struct fmix_context {
    fmix_cache *cache;
    const fmix_kernels *kernels;
    fmix_tuning tuning;
    fmix_hooks hooks;
    _Atomic uint64_t masks, contested, settled[FMIX_TIERS], lambda_exact, transforms_measured;
};

static inline void fmix_count(_Atomic uint64_t *counter, uint64_t n) {
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* Counts a mask or image that is decided, by the last tier that it needed. */
static inline void fmix_count_settled(fmix_context *context, fmix_tier last) {
    fmix_count(&context->contested, last != FMIX_TIER_NONE);
    fmix_count(&context->settled[last], last != FMIX_TIER_NONE);
}

#endif
