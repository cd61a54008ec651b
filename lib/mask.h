/*
 * mask.h - masks, decided, and their types
 */
#ifndef FMIX_MASK_H
#define FMIX_MASK_H

#include "drawing.h"

/* A mask, in its scratch until the next: a byte of 0 or 1 an element, or a weight. */
typedef struct fmix_mask {
    const unsigned char *bytes;
    const double *weights; /* of a soft one; else NULL */
} fmix_mask;

/* The mask of sample t; FMix's, of a row whose ones are known, is what a method draws. */
fmix_status fmix_mask_draw(const fmix_drawing *d, uint64_t t, fmix_mask *out);
fmix_status fmix_mask_of_field(const fmix_drawing *d, uint64_t t, const fmix_row *row,
                               fmix_mask *out);

/* Whether masks can have this type. */
bool fmix_mask_holds(fmix_dtype dtype);

/* To another type. */
void fmix_mask_convert(const fmix_mask *mask, uint64_t elements, fmix_dtype dtype, void *out);

#endif
