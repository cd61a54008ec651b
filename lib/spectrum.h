/*
 * spectrum.h - the half spectrum of FMix: weights f^-delta times complex normals (STREAM §3)
 */
#ifndef FMIX_SPECTRUM_H
#define FMIX_SPECTRUM_H

#include "cache.h"
#include "shape.h"
#include "words.h"

/* One weight a bin, as a c2r transform wants it: f^-delta where the last coordinate is its own
 * mirror, f^-delta / sqrt 2 elsewhere (the transform doubles those), 0 at the zero bin. Within 51u.
 */
typedef struct fmix_weights {
    fmix_sides sides, periods;
    uint64_t bins;
    double total; /* sum of c_j f_j^-delta over all bins, the scale of STREAM's tie rule */
    double w[];
} fmix_weights;

/* From the cache; released by fmix_cache_release(cache, *entry). */
fmix_status fmix_weights_get(fmix_cache *cache, const fmix_shape *shape, double delta,
                             fmix_frequency frequency, const fmix_weights **out, void **entry);
bool fmix_weights_cached(fmix_cache *cache, const fmix_shape *shape, double delta,
                         fmix_frequency frequency);

/* Fills x (interleaved complex, 2 * bins) with the Hermitian half spectrum of the sample at t.
 * Returns an upper bound of ||X||_1 over the full spectrum. Every bin is within
 * FMIX_SPECTRUM_BOUND times its share of that. */
double fmix_spectrum_fill(const fmix_weights *weights, const fmix_key *key, uint64_t t, double *x);

/* Radius 4u, angle's sine and cosine 6u each (so at most 9u together), products 3u, weight 51u, the
 * Hermitian mean u: 68u. */
#define FMIX_SPECTRUM_BOUND (80 * 0x1p-53)

#endif
