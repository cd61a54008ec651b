/*
 * hosted_dense.h - dense targets of a batch of a data set, preprocessed and mixed as x is (STREAM
 * §13)
 */
#ifndef HOSTED_DENSE_H
#define HOSTED_DENSE_H

#include "dense.h"
#include "hosted_rows.h"

typedef struct hosted_target {
    hosted_views views; /* of an image set */
    hosted_rows rows;
    const dense_target *target; /* in the dense targets of the mixed batch */
} hosted_target;

typedef struct hosted_dense {
    const hosted_samples *samples; /* borrowed */
    unsigned viewed;               /* targets whose views are begun */
    unsigned count;
    hosted_target targets[DATASET_DENSE];
} hosted_dense;

/* Of an image set: allocates the views of every dense target, as `like` has those of x, with
 * `share` rows. False: explained. hosted_dense_end follows in either case. */
bool hosted_dense_view(hosted_dense *h, const query *q, const hosted_views *like, uint64_t share,
                       problem *p);

/* Finds the label maps of the samples, whose numbers are found (hosted_views_find). */
fmix_status hosted_dense_find(hosted_dense *h);

/* Adds every dense target of the set to `out`, which gets the tensors' fills, for rows of x that
 * have geometry g and the spatial sides `mask`. False: explained. hosted_dense_end follows in
 * either case. */
bool hosted_dense_begin(hosted_dense *h, const query *q, const batch_geometry *g,
                        const fmix_shape *mask, dense *out, problem *p);
void hosted_dense_end(hosted_dense *h);

/* Makes room for the views of rows first … first+n-1 of the batch and of their partners, in an
 * image set. Then finds the addresses of the samples, whose numbers are found. */
fmix_status hosted_dense_locate(hosted_dense *h, uint64_t first, uint64_t n,
                                const int64_t *pairing);

/* Copies why a label map could not be made a view (hosted_views_failed). */
bool hosted_dense_failed(hosted_dense *h, char out[HOSTED_VIEWS_REASON]);

/* Verifies rows first … first+n-1 of every target and their partners. FMIX_ERROR_LIBRARY: the set
 * is damaged. */
fmix_status hosted_dense_need(const hosted_dense *h, const int64_t *pairing, uint64_t first,
                              uint64_t n);

/* Estimated nanoseconds to verify all targets of the batch. */
double hosted_dense_verification(const hosted_dense *h);

/* Bytes that a batch holds, and bytes that a thread needs to mix. */
uint64_t hosted_dense_memory(const hosted_dense *h);
uint64_t hosted_dense_working(const hosted_dense *h);

#endif
