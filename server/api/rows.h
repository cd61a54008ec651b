/*
 * rows.h - tensors that follow from a plan's rows alone: lambda, lambda_eff, ones
 */
#ifndef ROWS_H
#define ROWS_H

#include "../source.h"

/* What a source of rows keeps first in its self. */
typedef struct rows {
    fmix_plan *plan;
    uint64_t index; /* t of row 0 */
} rows;

tensor_fill rows_lambda, rows_lambda_eff, rows_ones;

/* Estimated nanoseconds of one. */
#define ROWS_COST 200

#endif
