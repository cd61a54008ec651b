/*
 * batch_geometry.h - which sides of a batch are rows, channels and the sides of a mask
 */
#ifndef BATCH_GEOMETRY_H
#define BATCH_GEOMETRY_H

#include "formats/format.h"

typedef struct batch_geometry {
    unsigned rank;         /* of a mask */
    const uint64_t *sides; /* of a mask; points into the shape of x */
    uint64_t channels;     /* 1 where there is no side of channels */
    bool has_channels;     /* channels have a side of their own */
    fmix_layout layout;
} batch_geometry;

/* Reads the sides of x by `layout`, which an x of three and more sides requires. False: explained.
 */
bool batch_geometry_find(const query *q, const array *x, batch_geometry *out, problem *p);

#endif
