/*
 * contested.h - ordering pixels whose values the transform cannot tell apart (STREAM §3)
 */
#ifndef FMIX_CONTESTED_H
#define FMIX_CONTESTED_H

#include "context.h"
#include "field.h"

/* Pixels first … end-1 of an array: all larger than what comes after them in it, and smaller than
 * what comes before. */
typedef struct fmix_run {
    size_t first, end;
} fmix_run;

/* Reorders pixels (flat indices, all different) within their runs: afterwards each at from … to-1
 * stands where it ranks, what is before `from` is larger and what is from `to` on is smaller. With
 * from == to that boundary alone is decided. The runs, `count` of them, cover the array in order.
 * Counts as one contest, if any run needs it. */
fmix_status fmix_contested_order(fmix_context *context, const fmix_field *field, uint32_t *pixels,
                                 const fmix_run *runs, size_t count, size_t from, size_t to);

#endif
