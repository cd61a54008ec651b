/*
 * hosted_rows.h - rows of an array of a data set, preprocessed and mixed
 */
#ifndef HOSTED_ROWS_H
#define HOSTED_ROWS_H

#include "hosted_views.h"
#include "mixer_rows.h"
#include "preprocessor.h"

typedef struct hosted_rows {
    const hosted_samples *samples; /* borrowed */
    hosted_views *views;           /* borrowed; of the pictures of an image set; else NULL */
    preprocessor preprocessor;     /* of the array, or of the views */
    /* The address of each sample in the array. NULL: rows are preprocessed before they are mixed.
     */
    const void **stored;
} hosted_rows;

/* Allocates the addresses of samples that the preprocessor, which is set, leaves unchanged. False:
 * explained. hosted_rows_end follows in either case. */
bool hosted_rows_begin(hosted_rows *h, problem *p);
void hosted_rows_end(hosted_rows *h);

/* Finds the addresses of the samples, whose numbers are found. Of views, those that have room. */
void hosted_rows_locate(hosted_rows *h);

/* Verifies rows first … first+n-1 of the batch and their partners. FMIX_ERROR_LIBRARY: the set is
 * damaged. */
fmix_status hosted_rows_need(const hosted_rows *h, const int64_t *pairing, uint64_t first,
                             uint64_t n);

/* Verifies rows first … first+n-1 of the source and mixes them into `out`. batch->rows is
 * h->stored; its pairing counts in samples. FMIX_ERROR_LIBRARY: the set is damaged. */
fmix_status hosted_rows_mix(const hosted_rows *h, const mixer_rows *rows, const fmix_batch *batch,
                            fmix_scratch *scratch, uint64_t first, uint64_t n, void *out);

/* Returns true if the rows of a batch that does not mix lie in the file one after the other, as the
 * answer has them: of samples in order that no preprocessor changes. */
bool hosted_rows_lie(const hosted_rows *h);

/* Where rows first … first+n-1 of the batch lie, if they lie in order: verified, and read into main
 * memory. NULL: the set is damaged, or was touched after `begun` (dataset_read_begin). */
const void *hosted_rows_lend(const hosted_rows *h, uint64_t first, uint64_t n, uint64_t begun);

/* Bytes that a batch holds, and bytes that a thread needs to mix. */
uint64_t hosted_rows_memory(const hosted_rows *h);
uint64_t hosted_rows_working(const hosted_rows *h);

/* Estimated nanoseconds to verify all rows of the batch, as far as they were not verified so far.
 */
double hosted_rows_verification(const hosted_rows *h);

/* Estimated nanoseconds to preprocess a row. */
double hosted_rows_cost(const hosted_rows *h);

#endif
