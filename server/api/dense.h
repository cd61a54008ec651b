/*
 * dense.h - dense targets of a batch: arrays beside x with numbers for every spatial element, which
 * are mixed as x is (STREAM §13)
 */
#ifndef DENSE_H
#define DENSE_H

#include "batch_geometry.h"
#include "mixer_rows.h"

#define DENSE_TARGETS 8

typedef struct dense_target {
    char name[ARRAY_NAME]; /* "dense" or "dense.NAME" */
    dtype type;
    unsigned sides; /* of a row */
    uint64_t side[QUERY_RANK - 1];
    channels_place place;
    uint64_t elements; /* of a mask */
    fmix_batch batch;  /* the owner of the rows fills in where they are */
    mixer_rows rows;
    /* Fills the tensor; by default dense_fill, which mixes `batch`. */
    tensor_fill *fill;
    const void *fill_self;
    double row_cost; /* estimated nanoseconds of a row beside mixing */
} dense_target;

typedef struct dense {
    const char *otherwise; /* what else would do, to end a refusal of a method; NULL: nothing */
    unsigned count;
    dense_target targets[DENSE_TARGETS];
} dense;

/* Returns true if an array of this name holds dense targets, of rows or of the rows of x2. */
bool dense_has_name(const char *name);

/* Adds a target whose rows have these sides: the spatial sides of x, and perhaps a side of channels
 * where x has its own. Refuses methods of the list that cannot mix it. NULL: explained. */
dense_target *dense_append(dense *d, const query *q, const batch_geometry *of, const array *from,
                           problem *p);

/* Finds `dense`, `dense.NAME` and, with partners, `dense2`, `dense2.NAME` in an upload whose x has
 * this geometry. False: explained. The arrays are borrowed. */
bool dense_of_upload(const query *q, const upload *all, const array *x, const batch_geometry *of,
                     bool partners, dense *out, problem *p);

tensor_fill dense_fill; /* self: a dense_target */

/* Adds a tensor for each target. mask_cost: estimated nanoseconds of a row's mask. False: a tensor
 * is too large. */
bool dense_add(dense *d, tensor_source *s, const mixer_rows *r, const int64_t *pairing,
               double mask_cost);

#endif
