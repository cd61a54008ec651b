/*
 * mixer_rows.h - tensors of a mixer's rows alone: lambda, lambda_eff, method, masks
 */
#ifndef MIXER_ROWS_H
#define MIXER_ROWS_H

#include "tensor/tensor_source.h"

/* The rows of a batch that a source answers with. */
typedef struct mixer_rows {
    fmix_mixer *mixer; /* borrowed */
    fmix_rows rows;    /* of the whole batch */
    uint64_t first;    /* the row of the batch that is row 0 of the source */
    fmix_dtype dtype;  /* of masks */
    bool alike;        /* all rows of the batch have one method */
} mixer_rows;

/* self: a mixer_rows */
tensor_fill mixer_rows_lambda, mixer_rows_lambda_eff, mixer_rows_method, mixer_rows_masks;

/* Estimated nanoseconds of one row without its mask */
#define MIXER_ROWS_COST 200

#endif
