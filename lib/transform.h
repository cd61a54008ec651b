/*
 * transform.h - half spectrum to values: transforms by shape, from the cache
 *
 * Everything else rests on hypothesis H (BOUND.md §5): a transform's error is at most
 * 64 u log2(N) ||X||_1, with X over the full spectrum. Tests compare FFTW with higher precision.
 */
#ifndef FMIX_TRANSFORM_H
#define FMIX_TRANSFORM_H

#include "cache.h"
#include "shape.h"
#include "transform_planner.h"

#include <stdatomic.h>

/* How far a shape is on its way to a measured plan. */
typedef enum fmix_transform_stage {
    FMIX_TRANSFORM_ESTIMATED,
    FMIX_TRANSFORM_QUEUED, /* to be measured, or not worth it */
    FMIX_TRANSFORM_MEASURED,
} fmix_transform_stage;

/* Users share a transform and do not change it. tuning.c alone writes the counters. */
typedef struct fmix_transform {
    fmix_shape shape;
    fmix_fft *fft;
    _Atomic uint64_t elements_done;
    _Atomic unsigned attempts; /* to measure the shape */
    _Atomic fmix_transform_stage stage;
} fmix_transform;

/* The transform of this shape, from the cache; released by fmix_cache_release(cache, *entry). */
fmix_status fmix_transform_get(fmix_cache *cache, const fmix_shape *shape,
                               const fmix_transform **out, void **entry);
bool fmix_transform_cached(fmix_cache *cache, const fmix_shape *shape);

/* x: interleaved complex bins of the half spectrum, destroyed. g: the elements. Both from
 * fmix_aligned_new. */
void fmix_transform_run(const fmix_transform *transform, double *x, double *g);

/* Hypothesis H for this many elements, as a multiple of ||X||_1. */
double fmix_transform_bound(uint64_t elements);

/* Estimated nanoseconds an element that sides with large primes add. */
double fmix_transform_penalty(const fmix_shape *shape);

/* The largest prime factor; 1 of 1. */
uint32_t fmix_largest_prime(uint32_t n);

#endif
