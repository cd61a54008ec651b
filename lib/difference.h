/*
 * difference.h - differences of G between pixels, summed in double-double
 */
#ifndef FMIX_DIFFERENCE_H
#define FMIX_DIFFERENCE_H

#include "field.h"
#include "twofold.h"

typedef struct fmix_difference {
    fmix_pair pair;
    fmix_twofold value; /* of G[pixel] - G[pivot] */
    double bound;       /* how far value may be from it */
} fmix_difference;

/* Sums value and bound of n pairs in one pass over the bins; it goes fastest where pairs of one
 * pivot stand together. */
fmix_status fmix_differences(const fmix_field *field, fmix_difference *differences, size_t n);

#endif
