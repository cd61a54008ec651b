/*
 * scratch.h - the working memory of one thread
 */
#ifndef FMIX_SCRATCH_H
#define FMIX_SCRATCH_H

#include "field.h"
#include "kernels.h"

struct fmix_scratch {
    const fmix_kernels *kernels; /* for resizing */
    double *x, *g, *work;        /* spectrum, values, and memory for selection */
    unsigned char *mask;
    double *resizing; /* working memory of fmix_resize, aligned to 64 bytes */
    size_t x_room, g_room, mask_room, resizing_room;
    uint64_t transforms; /* run since the current drawing began */
    fmix_cancellation cancellation;
};

/* Grows the arrays for the spectrum and the values of a shape. */
fmix_status fmix_scratch_reserve(fmix_scratch *scratch, uint64_t bins, uint64_t elements);
/* Grows the array for one mask of bytes. */
fmix_status fmix_scratch_reserve_mask(fmix_scratch *scratch, uint64_t elements);
/* Grows the memory for resizing. */
fmix_status fmix_scratch_reserve_resizing(fmix_scratch *scratch, uint64_t bytes);

#endif
