/*
 * mask.h - masks, decided, and their types
 */
#ifndef FMIX_MASK_H
#define FMIX_MASK_H

#include "drawing.h"

/* A mask, in its scratch until the next, in one of three ways. */
typedef struct fmix_mask {
    const unsigned char *bytes; /* 0 or 1 an element */
    const double *weights;      /* of a soft one */
    const double *values;       /* ones are where a value is at least `cut` */
    double cut;
} fmix_mask;

/* The mask of sample t; FMix's, of a row whose ones are known, is what a method draws. */
fmix_status fmix_mask_draw(const fmix_drawing *d, uint64_t t, fmix_mask *out);
fmix_status fmix_mask_from_field(const fmix_drawing *d, uint64_t t, const fmix_row *row,
                                 fmix_mask *out);

/* Whether masks can have this type. */
bool fmix_mask_allows(fmix_dtype dtype);

/* A byte of 0 or 1 an element, of one that is not soft. */
const unsigned char *fmix_mask_as_bytes(const fmix_drawing *d, const fmix_mask *mask);

/* To another type. */
void fmix_mask_convert(const fmix_drawing *d, const fmix_mask *mask, fmix_dtype dtype, void *out);

#endif
