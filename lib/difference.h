/*
 * difference.h - differences of G between pixels, summed bin by bin
 */
#ifndef FMIX_DIFFERENCE_H
#define FMIX_DIFFERENCE_H

#include "double_double.h"
#include "field.h"

typedef struct fmix_difference {
    fmix_pair pair;
    fmix_dd value; /* of G[pixel] - G[pivot] */
    double bound;  /* how far value may be from the exact difference */
} fmix_difference;

/* Computes value and bound of n pairs, in passes over the bins. One pass serves all pixels of a
 * line along the longest side, and some hundreds of such lines. Quick sums are in float64 except
 * for the heaviest bins: some 2^33 times less exact, in a twentieth of the time. */
fmix_status fmix_differences(const fmix_field *field, bool quick, fmix_difference *differences,
                             size_t n);

#endif
