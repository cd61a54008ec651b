/*
 * dataset_read.h - reads the bytes of an open set, which are verified before their use
 *
 * Bytes that were verified may be altered in the file afterwards. So a reader asks at the end
 * whether the files were left alone meanwhile, and numbers that lead to other bytes are read once,
 * checked and kept.
 *
 * Threads: any.
 */
#ifndef DATASET_READ_H
#define DATASET_READ_H

#include "dataset_picture.h"

typedef enum dataset_bytes { DATASET_TRUE, DATASET_WRONG } dataset_bytes;

/* The first damaged piece that a reader met; 0: none. */
typedef _Atomic uint64_t dataset_fault;

/* Files are read from dataset_read_begin until dataset_read_ended. The latter looks at the files;
 * false: one of them was touched, so that the reader starts again, or is broken (dataset_state). */
uint64_t dataset_read_begin(const dataset *d);
bool dataset_read_ended(const dataset *d, uint64_t begun);

/* Verifies these bytes of a file, numbered as in dataset_part.h. Here and below: a damaged piece is
 * named in the log once, and noted in *fault (which may be NULL). */
dataset_bytes dataset_need(const dataset *d, unsigned file, uint64_t from, uint64_t length,
                           dataset_fault *fault);

/* The number of the file of an array of the set. */
unsigned dataset_array_number(const dataset *d, const dataset_array *a);

/* Verifies a row of an array of the set that is not ragged. */
dataset_bytes dataset_need_row(const dataset *d, const dataset_array *a, uint64_t row,
                               dataset_fault *fault);

/* Copies the labels of a row in a head as they are in the file; class numbers are below
 * head->classes. */
dataset_bytes dataset_labels(const dataset *d, unsigned head, uint64_t row, void *out,
                             dataset_fault *fault);

/* The row number of the j-th neighbour of a row. */
dataset_bytes dataset_neighbour(const dataset *d, uint64_t row, uint64_t j, dataset_fault *fault,
                                uint64_t *out);

/* Where a row of a ragged set lies in x, in steps: within x, and of a length that the set allows.
 */
typedef struct dataset_span {
    uint64_t begin, length;
} dataset_span;

dataset_bytes dataset_find_span(const dataset *d, uint64_t row, dataset_fault *fault,
                                dataset_span *out);
dataset_bytes dataset_need_span(const dataset *d, const dataset_span *span, dataset_fault *fault);

/* A row of an array of an image set, of which the index is verified (dataset_picture.h), and its
 * bytes. */
dataset_bytes dataset_find_picture(const dataset *d, const dataset_array *a, uint64_t row,
                                   dataset_fault *fault, dataset_picture *out);
dataset_bytes dataset_need_picture(const dataset *d, const dataset_array *a,
                                   const dataset_picture *p, dataset_fault *fault);

/* Estimated nanoseconds to verify so many rows of a file. scattered: rows are anywhere, else next
 * to each other. */
double dataset_read_cost(const dataset *d, unsigned file, uint64_t rows, uint64_t row_bytes,
                         bool scattered);

#define DATASET_FAULT 170 /* bytes of the text of a fault, with its end */

/* Says which bytes of which file are wrong; an empty text where there is no fault. */
void dataset_fault_text(const dataset *d, const dataset_fault *fault, char out[DATASET_FAULT]);

#endif
