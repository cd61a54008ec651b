/*
 * slicing.h - rows of tensors, divided into slices of at most half a MiB and about a millisecond
 */
#ifndef SLICING_H
#define SLICING_H

#include "tensor/tensor_source.h"

#define SLICING_BYTES (512u << 10) /* the most bytes of a slice of more than one row */
#define SLICING_LENT  (8u << 20)   /* the same of rows that are lent, which take no memory */

/* Nanoseconds a byte of a row that is written, into pages that may be new, or lent. */
#define SLICING_WRITE_COST 0.25
#define SLICING_LEND_COST  0.02

/* Rows begin … end-1 of one tensor. */
typedef struct slicing_part {
    const tensor *from;
    uint64_t begin, end;
    uint64_t first; /* number of the first slice */
    uint64_t slices;
    uint64_t rows;   /* of each slice; the last slice may have fewer */
    double row_cost; /* estimated nanoseconds */
    bool lent;       /* streamed_body: its rows are lent */
    uint64_t offset; /* buffered_body: of the tensor's first row in the room for all rows */
} slicing_part;

typedef struct slicing {
    slicing_part each[SOURCE_TENSORS];
    unsigned count;
    uint64_t slices; /* of all parts; their numbers go on from part to part */
} slicing;

/* Without parts. Parts past the count are not cleared. */
void slicing_init(slicing *all);

/* Adds a part and returns it. A part without rows has no slices. */
slicing_part *slicing_add(slicing *all, const tensor *t, uint64_t begin, uint64_t end);

/* Adds the rows of a tensor that hold its bytes from … to-1. They are lent, if the tensor lends. */
slicing_part *slicing_add_bytes(slicing *all, const tensor *t, uint64_t from, uint64_t to);

/* The part that a slice belongs to. */
const slicing_part *slicing_find(const slicing *all, uint64_t slice);

/* Returns how many rows a slice has; *first: its first row. */
uint64_t slicing_part_rows(const slicing_part *part, uint64_t slice, uint64_t *first);

/* Bytes of the largest slice that is not lent. */
uint64_t slicing_slice_bytes(const slicing *all);
/* Bytes of all rows of all tensors, including rows that are in no part. */
uint64_t slicing_tensor_bytes(const slicing *all);

/* Returns true if any rows are lent. */
bool slicing_lends(const slicing *all);

/* Estimated nanoseconds of a slice, of the longest slice, and of all slices. */
double slicing_slice_cost(const slicing *all, uint64_t slice);
double slicing_longest(const slicing *all);
double slicing_cost(const slicing *all);

#endif
