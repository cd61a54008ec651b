/*
 * rows.h - tensors that follow from a plan's rows alone: masks, lambda, lambda_eff, ones
 */
#ifndef ROWS_H
#define ROWS_H

#include "formats/format.h"
#include "tensor/tensor_source.h"

/* The rows of a batch that a source answers with. */
typedef struct rows {
    fmix_plan *plan;
    uint64_t index; /* sample number t of row 0 of the batch */
    uint64_t first; /* the row of the batch that is row 0 of the source */
} rows;

tensor_fill rows_lambda, rows_lambda_eff, rows_ones; /* self: a `rows` */

/* fmix_plan_masks, or what draws other images. */
typedef fmix_status rows_draw(const fmix_plan *plan, fmix_scratch *scratch, uint64_t t, uint64_t n,
                              fmix_dtype dtype, void *out);

/* Images of rows first … first+n-1, `bytes` each; with scope=batch the one, n times. */
fmix_status rows_images(const rows *r, rows_draw *draw, fmix_scratch *scratch, uint64_t first,
                        uint64_t n, fmix_dtype type, uint64_t bytes, void *out);

/* Whether `dtype` can hold what is asked for: soft masks and greys need more than a bit. */
bool rows_check_type(const query *q, problem *p);

/* The type of masks that a request asks for, and the tensor of them. */
fmix_dtype rows_mask_type(unsigned choice);
bool rows_add_masks(tensor_source *s, const query *q, fmix_dtype type, double cost,
                    tensor_fill *fill, const void *self);

/* The library's name of a type. */
fmix_dtype rows_type(dtype type);

/* Estimated nanoseconds of one lambda. */
#define ROWS_COST 200

#endif
