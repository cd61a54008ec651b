/*
 * spectrum.h - the half spectrum of FMix: weights f^-delta times complex normals (STREAM §3)
 */
#ifndef FMIX_SPECTRUM_H
#define FMIX_SPECTRUM_H

#include "bins.h"
#include "cache.h"
#include "kernels.h"

/* As a c2r transform wants them, which doubles the bins that are not their own mirror. Of the
 * paper's law one weight a bin: f^-delta where the last coordinate is its own mirror, f^-delta /
 * sqrt 2 elsewhere. Of the official law two for each normal: f_0^-delta and f_1^-delta. 0 at the
 * zero bin, and in FMIX_KERNELS_PAD places past the last. Within 51u. */
typedef struct fmix_weights {
    fmix_spectrum_params params;
    fmix_sides sides;
    uint64_t bins; /* of the half spectrum */
    double total;  /* sum of the weights of G's sum over all bins, the scale of STREAM's tie rule */
    double w[];
} fmix_weights;

/* From the cache; released by fmix_cache_release(cache, *entry). */
fmix_status fmix_weights_get(fmix_cache *cache, const fmix_spectrum_params *params,
                             const fmix_weights **out, void **entry);
bool fmix_weights_cached(fmix_cache *cache, const fmix_spectrum_params *params);

/* Fills x (interleaved complex, 2 * bins, and room for 2 * FMIX_KERNELS_PAD more) with the
 * Hermitian half spectrum of the sample at t. Returns an upper bound of ||X||_1 over the full
 * spectrum. Every bin is within FMIX_SPECTRUM_BOUND times its share of that. */
double fmix_spectrum_fill(const fmix_weights *weights, const fmix_kernels *kernels,
                          const fmix_key *key, uint64_t t, double *x);

/* The normals' own, the weight's 51u, the Hermitian mean's u, and room for three products. */
#define FMIX_SPECTRUM_BOUND (FMIX_NORMALS_BOUND + 64 * 0x1p-53)

#endif
