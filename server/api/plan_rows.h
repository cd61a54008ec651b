/*
 * plan_rows.h - tensors of a plan's rows alone: lambda, lambda_eff, ones, images
 */
#ifndef PLAN_ROWS_H
#define PLAN_ROWS_H

#include "tensor/tensor_source.h"

/* The rows of a batch that a source answers with. */
typedef struct plan_rows {
    fmix_plan *plan;
    uint64_t index; /* sample number t of row 0 of the batch */
    uint64_t first; /* the row of the batch that is row 0 of the source */
} plan_rows;

tensor_fill plan_rows_lambda, plan_rows_lambda_eff, plan_rows_ones; /* self: a plan_rows */

/* fmix_plan_masks or fmix_plan_greys. */
typedef fmix_status plan_rows_draw(const fmix_plan *plan, fmix_scratch *scratch, uint64_t t,
                                   uint64_t n, fmix_dtype dtype, void *out);

/* Images of rows first … first+n-1, `bytes` each. With scope=batch all rows have one image, which
 * is drawn once and copied. */
fmix_status plan_rows_images(const plan_rows *r, plan_rows_draw *draw, fmix_scratch *scratch,
                             uint64_t first, uint64_t n, fmix_dtype type, uint64_t bytes,
                             void *out);

/* Estimated nanoseconds of one lambda */
#define PLAN_ROWS_COST 200

#endif
