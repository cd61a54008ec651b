/*
 * scratch.h - working memory of one thread
 */
#ifndef FMIX_SCRATCH_H
#define FMIX_SCRATCH_H

#include "field.h"

struct fmix_scratch {
    double *x, *g, *work; /* spectrum, values, room to select */
    unsigned char *mask;
    size_t x_room, g_room, mask_room;
    uint64_t transforms; /* run in this drawing */
    fmix_cancellation cancellation;
};

/* Rooms for a shape's spectrum and values. */
fmix_status fmix_scratch_reserve(fmix_scratch *scratch, uint64_t bins, uint64_t elements);
/* Room for one mask as bytes. */
fmix_status fmix_scratch_reserve_mask(fmix_scratch *scratch, uint64_t elements);

#endif
