/*
 * mask.h - drawing masks, and their types
 */
#ifndef FMIX_MASK_H
#define FMIX_MASK_H

#include "drawing.h"
#include "slice.h"

/* A mask in one of three forms. It lies in its scratch until the next mask is drawn. */
typedef struct fmix_mask {
    const unsigned char *bytes; /* one byte an element, 0 or 1 */
    const double *weights;      /* weights of a soft mask */
    const double *values;       /* ones where a value is at least `cut` */
    double cut;
} fmix_mask;

/* Draws the mask of sample t, by the plan's method. fmix_mask_from_field draws FMix's, given a row
 * whose ones are known. */
fmix_status fmix_mask_draw(const fmix_drawing *d, uint64_t t, fmix_mask *out);
fmix_status fmix_mask_from_field(const fmix_drawing *d, uint64_t t, const fmix_row *row,
                                 fmix_mask *out);

/* True if masks can have this type. */
bool fmix_mask_allows(fmix_dtype dtype);

/* fmix_plan_masks for the rows of a slice, which must be valid. Rows that draw at the t of the row
 * before have its mask. */
fmix_status fmix_mask_slice(const fmix_plan *plan, fmix_scratch *scratch, const fmix_slice *slice,
                            fmix_dtype dtype, void *out);

/* The mask as one byte of 0 or 1 an element. Not for soft masks. */
const unsigned char *fmix_mask_as_bytes(const fmix_drawing *d, const fmix_mask *mask);

/* Writes the mask in another type. */
void fmix_mask_convert(const fmix_drawing *d, const fmix_mask *mask, fmix_dtype dtype, void *out);

#endif
