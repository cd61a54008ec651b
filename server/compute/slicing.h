/*
 * slicing.h - rows of tensors, cut into slices of a bearable size
 */
#ifndef CUT_H
#define CUT_H

#include "tensor/tensor_source.h"

#define SLICING_BYTES (512u << 10) /* the most bytes of a slice of more than one row */

/* Rows begin … end-1 of one tensor. */
typedef struct slicing_part {
    const tensor *from;
    uint64_t begin, end;
    uint64_t first; /* number of its first slice */
    uint64_t slices;
    uint64_t rows;   /* of a slice; the last may have fewer */
    uint64_t offset; /* whole: of the tensor in what is collected */
} slicing_part;

typedef struct slicing {
    slicing_part each[SOURCE_TENSORS];
    unsigned count;
    uint64_t slices; /* of all, numbered on from cut to cut */
} slicing;

/* One more; no rows make no slices. */
slicing_part *slicing_add(slicing *all, const tensor *t, uint64_t begin, uint64_t end);

/* Those rows of a tensor that hold some of its bytes from … to-1. */
slicing_part *slicing_add_bytes(slicing *all, const tensor *t, uint64_t from, uint64_t to);

/* The cut that a slice is of. */
const slicing_part *slicing_find(const slicing *all, uint64_t slice);

/* Rows that a slice has, and the first of them. */
uint64_t slicing_part_rows(const slicing_part *c, uint64_t slice, uint64_t *first);

/* Bytes of the largest slice, and of all tensors that are cut, whole. */
uint64_t slicing_slice_bytes(const slicing *all);
uint64_t slicing_tensor_bytes(const slicing *all);

/* Estimated nanoseconds of all slices. */
double slicing_cost(const slicing *all);

#endif
