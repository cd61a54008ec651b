/*
 * transform.h - half spectrum to values: the only user of FFTW
 *
 * Hypothesis H, which everything else rests on: a transform's error is at most
 * 64 u log2(N) ||X||_1, X over the full spectrum. Tests hold FFTW against higher precision.
 */
#ifndef FMIX_TRANSFORM_H
#define FMIX_TRANSFORM_H

#include "cache.h"
#include "shape.h"

#include <pthread.h>

typedef struct fmix_transform fmix_transform;

/* Shapes whose transforms are worth measuring; others come again when there is room. */
#define FMIX_TUNING_MOST 16
typedef struct fmix_tuning {
    pthread_mutex_t lock;
    fmix_shape wanted[FMIX_TUNING_MOST];
    unsigned count;
} fmix_tuning;

/* A plan for this shape from the cache; released by fmix_cache_release(cache, *entry). */
fmix_status fmix_transform_get(fmix_cache *cache, const fmix_shape *shape,
                               const fmix_transform **out, void **entry);
bool fmix_transform_cached(fmix_cache *cache, const fmix_shape *shape);

/* x: interleaved complex bins of the half spectrum, destroyed. g: the elements. Both from
 * fmix_aligned_new. */
void fmix_transform_run(const fmix_transform *transform, double *x, double *g);

/* That so many were run, which may make it one to measure. */
void fmix_transform_used(fmix_context *context, const fmix_transform *transform, uint64_t times);

/* H for this many elements, as a multiple of ||X||_1. */
double fmix_transform_bound(uint64_t elements);

/* Estimated nanoseconds an element that sides with large primes take more. */
double fmix_transform_penalty(const fmix_shape *shape);

/* FFTW's name of itself. */
const char *fmix_transform_library(void);

/* Memory aligned as FFTW's vector code wants it; NULL on failure. */
double *fmix_aligned_new(size_t doubles);
void fmix_aligned_free(double *memory);

#endif
