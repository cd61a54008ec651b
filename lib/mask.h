/*
 * mask.h - one mask as bytes, decided
 */
#ifndef FMIX_MASK_H
#define FMIX_MASK_H

#include "plan.h"

/* The mask of sample t, 0 or 1 a byte, for a plan of FMIX or CUTMIX. */
fmix_status fmix_mask_draw(const fmix_plan *plan, fmix_scratch *scratch, uint64_t t,
                           const fmix_row *row, unsigned char *mask);

/* Bytes of 0 and 1 to another type. */
void fmix_mask_convert(const unsigned char *mask, uint64_t elements, fmix_dtype dtype, void *out);

#endif
