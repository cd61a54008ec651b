/*
 * bins.h - the bins of a half spectrum, exactly: coordinates, weight and normal of each (STREAM §3)
 */
#ifndef FMIX_BINS_H
#define FMIX_BINS_H

#include "shape.h"

/* All that the weights of a spectrum depend on. No padding: its bytes are the key of a cache. */
typedef struct fmix_spectrum_params {
    fmix_shape shape; /* sides past the rank are 0 */
    uint32_t frequency, spectrum;
    double delta;
} fmix_spectrum_params;

fmix_spectrum_params fmix_spectrum_params_of(const fmix_recipe *recipe);

/* A frequency squared, as the sum of (k / period)^2. */
typedef struct fmix_square {
    int32_t k[3];
    uint32_t period[3];
} fmix_square;

/* A bin adds sqrt(gain) (f_0^-delta Re Z + i f_1^-delta Im Z) e^(2 pi i phase) to G. */
typedef struct fmix_bin {
    uint32_t at[3];        /* coordinates in the half spectrum, sides from the back */
    fmix_square square;    /* f_0^2 */
    fmix_square imaginary; /* f_1^2, if not alike */
    bool alike;            /* f_1 = f_0 */
    unsigned gain;         /* c^2 or g^2: 1, 2 or 4 */
} fmix_bin;

/* How many normals, from the first on, can add to G. */
uint64_t fmix_normals_count(const fmix_spectrum_params *params);

/* The bin of normal j. False: normal j has no bin, or it is the zero bin. */
bool fmix_bin_of_normal(const fmix_spectrum_params *params, uint64_t j, fmix_bin *out);

/* The squared frequency, with a relative error of at most 5u. */
double fmix_square_value(const fmix_square *square);

#endif
