/*
 * box.h - the box of CutMix (STREAM §4)
 */
#ifndef FMIX_BOX_H
#define FMIX_BOX_H

#include "plan.h"

/* The largest r with r^rank * 2^32 <= n^rank * (2^32 - lambda). */
uint32_t fmix_box_side(uint32_t n, unsigned rank, uint64_t lambda);

/* Sets box_start, box_size and ones of a row whose lambda is known. */
void fmix_box_place(const fmix_plan *plan, uint64_t t, fmix_row *row);

/* Writes zeros in the box and ones elsewhere, one byte each. */
void fmix_box_draw(const fmix_shape *shape, const fmix_row *row, unsigned char *mask);

#endif
