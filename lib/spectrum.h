/*
 * spectrum.h - the half spectrum of FMix: weights f^-delta times complex normals (STREAM §3)
 */
#ifndef FMIX_SPECTRUM_H
#define FMIX_SPECTRUM_H

#include "bins.h"
#include "cache.h"
#include "kernels.h"

/* Weights for a complex-to-real transform; the transform doubles the bins that are not their own
 * mirror. With the paper's spectrum one weight a bin: f^-delta where the last coordinate is its own
 * mirror, f^-delta / sqrt 2 elsewhere. With the official spectrum two weights for each normal:
 * f_0^-delta and f_1^-delta. The weight is 0 at the zero bin, and in FMIX_KERNELS_PAD places past
 * the last. Each is within 51u. */
typedef struct fmix_weights {
    fmix_spectrum_params params;
    fmix_sides sides;
    uint64_t bins; /* bins of the half spectrum */
    double total;  /* sum of the weights in G over all bins: the scale of STREAM's tie rule */
    double w[];
} fmix_weights;

/* The weights from the cache; released by fmix_cache_release(cache, *entry). */
fmix_status fmix_weights_get(fmix_cache *cache, const fmix_spectrum_params *params,
                             const fmix_weights **out, void **entry);
bool fmix_weights_cached(fmix_cache *cache, const fmix_spectrum_params *params);

/* Fills x (interleaved complex, 2 * bins, with room for 2 * FMIX_KERNELS_PAD more) with the
 * Hermitian half spectrum of sample t. Returns an upper bound of ||X||_1 over the full spectrum.
 * Every bin is within FMIX_SPECTRUM_BOUND times its share of that norm. */
double fmix_spectrum_fill(const fmix_weights *weights, const fmix_kernels *kernels,
                          const fmix_key *key, uint64_t t, double *x);

/* The error of the normals, the 51u of the weight, the u of the Hermitian mean, and room for three
 * products. */
#define FMIX_SPECTRUM_BOUND (FMIX_NORMALS_BOUND + 64 * 0x1p-53)

#endif
