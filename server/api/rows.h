/*
 * rows.h - tensors that follow from a plan's rows alone: masks, lambda, lambda_eff, ones
 */
#ifndef ROWS_H
#define ROWS_H

#include "../formats/format.h"
#include "../source.h"

/* What a source of rows keeps first in its self. */
typedef struct rows {
    fmix_plan *plan;
    uint64_t index; /* t of row 0 */
} rows;

tensor_fill rows_lambda, rows_lambda_eff, rows_ones;

/* Masks of rows first … first+n-1, `bytes` each; with scope=batch the one mask, n times. */
fmix_status rows_masks(const rows *r, fmix_scratch *scratch, uint64_t first, uint64_t n,
                       fmix_dtype type, uint64_t bytes, void *out);

/* What stands for the masks of a method that has none: its weight everywhere; in u8 and bits, which
 * cannot hold it, ones. */
fmix_status rows_weights(const rows *r, uint64_t first, uint64_t n, fmix_dtype type,
                         uint64_t elements, void *out);

/* The library's name of a type, and an element of a one-sided array of integers. */
fmix_dtype rows_type(dtype type);
int64_t rows_integer(const array *a, uint64_t i);

/* Estimated nanoseconds of one lambda. */
#define ROWS_COST 200

#endif
