/*
 * mask.h - one mask as bytes, decided
 */
#ifndef FMIX_MASK_H
#define FMIX_MASK_H

#include "plan.h"

/* What masks of one plan share while they are drawn: begun and ended once for many. */
typedef struct fmix_drawing {
    const fmix_plan *plan;
    fmix_scratch *scratch;
    const struct fmix_weights *weights; /* FMix only */
    const struct fmix_transform *transform;
    void *weights_entry, *transform_entry;
} fmix_drawing;

/* For a plan of FMIX or CUTMIX. Ended whatever it returns. */
fmix_status fmix_drawing_begin(fmix_drawing *d, const fmix_plan *plan, fmix_scratch *scratch);
void fmix_drawing_end(fmix_drawing *d);

/* The row of sample t and its mask, 0 or 1 a byte, in scratch->mask. */
fmix_status fmix_drawing_next(fmix_drawing *d, uint64_t t);

/* Whether masks can have this type. */
bool fmix_mask_holds(fmix_dtype dtype);

/* Bytes of 0 and 1 to another type. */
void fmix_mask_convert(const unsigned char *mask, uint64_t elements, fmix_dtype dtype, void *out);

#endif
