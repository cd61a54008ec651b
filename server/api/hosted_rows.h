/*
 * hosted_rows.h - rows of a data set, preprocessed and mixed
 */
#ifndef HOSTED_ROWS_H
#define HOSTED_ROWS_H

#include "batch_address.h"
#include "mixed_batch.h"
#include "preprocessor.h"

typedef struct hosted_rows {
    const dataset *set; /* borrowed */
    batch_address at;
    preprocessor preprocessor;
    uint64_t *samples; /* for each row of the batch its number in the set */
    /* The address of each row of the batch. NULL: rows are preprocessed before they are mixed. */
    const void **stored;
} hosted_rows;

/* Allocates the sample numbers of a batch, whose preprocessor is set, and the addresses of rows
 * that the preprocessor leaves unchanged. False: explained. hosted_rows_end follows in either case.
 */
bool hosted_rows_begin(hosted_rows *h, problem *p);
void hosted_rows_end(hosted_rows *h);

/* Finds the samples of the batch, shuffled by this seed and epoch or in the order of the set. */
fmix_status hosted_rows_locate(hosted_rows *h, bool shuffles, uint64_t seed, uint64_t epoch);

/* Mixes rows first … first+n-1 of the source, whose batch is m, into `out`. */
fmix_status hosted_rows_mix(const hosted_rows *h, const mixed_batch *m, fmix_scratch *scratch,
                            uint64_t first, uint64_t n, void *out);

/* Bytes that a batch holds, and bytes that a thread needs to mix. */
uint64_t hosted_rows_memory(const hosted_rows *h);
uint64_t hosted_rows_working(const hosted_rows *h);

/* Estimated nanoseconds to preprocess a row. */
double hosted_rows_cost(const hosted_rows *h);

#endif
