/*
 * slice.h - rows first … first+n-1 of a batch, and the t of each (STREAM §6, §10)
 */
#ifndef FMIX_SLICE_H
#define FMIX_SLICE_H

#include "fmix.h"

typedef struct fmix_slice {
    const fmix_rows *rows;
    fmix_scope scope;
    uint64_t first, n;
} fmix_slice;

/* True if the slice lies in the batch and no t of its rows passes 2^64-1. */
bool fmix_slice_is_valid(const fmix_slice *slice);

/* The t at which row i draws its lambda, its mask and its choices; it may be that of another row.
 */
uint64_t fmix_slice_t(const fmix_slice *slice, uint64_t i);

#endif
