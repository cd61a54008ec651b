/*
 * taps.h - which pixels of a line make up each resized pixel, and with which weights (STREAM §9)
 */
#ifndef FMIX_TAPS_H
#define FMIX_TAPS_H

#include "fmix.h"

#define FMIX_TAPS_BITS 22 /* a weight is a multiple of 2^-22 */

/* Resized pixel i is the sum of weights[i * most + k] * pixel first[i] + k over k < number[i]. */
typedef struct fmix_taps {
    uint32_t count, most;
    uint32_t *first, *number;
    int32_t *weights;
    uint32_t low, high; /* pixels low … high-1 of the line are in some sum */
} fmix_taps;

/* The pixels of a view's side that exist: begin … end-1 of the resized ones. `before` zeros come
 * before them. */
typedef struct fmix_span {
    uint64_t begin;
    uint32_t count, before;
} fmix_span;

fmix_span fmix_span_of(const fmix_view_side *side);

/* The pixel that is resized pixel `at` by the filter NEAREST. */
uint64_t fmix_nearest(const fmix_view_side *side, uint64_t at);

/* The pixels low … high-1 of a side that its pixels are made of; both 0 if none exist. */
void fmix_taps_range(const fmix_view_side *side, fmix_filter filter, uint32_t *low, uint32_t *high);

/* Taps of one resized pixel at most. The filter is not NEAREST. */
uint32_t fmix_taps_most(const fmix_view_side *side, fmix_filter filter);

/* Fills taps for the pixels of a side that exist, given arrays for `count` pixels. With `reversed`,
 * the last pixel comes first. */
void fmix_taps_fill(const fmix_view_side *side, fmix_filter filter, bool reversed, fmix_taps *taps);

#endif
