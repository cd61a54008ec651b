/*
 * contested.h - ordering pixels whose values the transform cannot tell apart (STREAM §3)
 */
#ifndef FMIX_CONTESTED_H
#define FMIX_CONTESTED_H

#include "context.h"
#include "field.h"

/* Pixels first … end-1 of an array. All are larger than the pixels after the run, and smaller than
 * the pixels before it. */
typedef struct fmix_run {
    size_t first, end;
} fmix_run;

/* Reorders pixels (flat indices, all different) within their runs. Afterwards each pixel at from …
 * to-1 stands at its rank; pixels before `from` are larger and pixels from `to` on are smaller.
 * With from == to only that boundary is decided. The `count` runs are in order; pixels of no run
 * stand at their rank. Raises *last to the last tier that was needed. */
fmix_status fmix_contested_order(fmix_context *context, const fmix_field *field, uint32_t *pixels,
                                 const fmix_run *runs, size_t count, size_t from, size_t to,
                                 fmix_tier *last);

#endif
