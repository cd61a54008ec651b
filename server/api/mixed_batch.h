/*
 * mixed_batch.h - the tensors of a mixed batch, whose rows come from an upload or a data set
 */
#ifndef MIXED_BATCH_H
#define MIXED_BATCH_H

#include "dense.h"
#include "labels.h"
#include "mixer_rows.h"
#include "resource.h"

/* The distribution of lambda and the mask's shape. Checks the choice of methods, too. False:
 * explained. */
bool mixed_batch_recipe(resource_request *request, const batch_geometry *g, fmix_recipe *out,
                        problem *p);

/* The element type of `mixed` for rows of type x. False, explained: some method of the list cannot
 * mix these types, even if the method is not the one of this batch, so that every batch of an epoch
 * is answered or none. */
bool mixed_batch_out_type(const query *q, dtype x, dtype *out, problem *p);

/* False, explained: the pairing is by class, and the labels have no class numbers. `missing` says
 * what would do. */
bool mixed_batch_pairing(const query *q, const labels *l, const char *missing, problem *p);

/* False, explained: `parts` names a part that a mixed batch lacks. Only hosted batches have `rows`.
 */
bool mixed_batch_parts(const resource_request *request, bool hosted, problem *p);

/* False, explained: `parts` names dense targets, and there are none. `missing` says so. */
bool mixed_batch_dense(const query *q, const dense *d, const char *missing, problem *p);

typedef struct mixed_batch {
    mixer_rows rows; /* owns the mixer */
    fmix_batch batch;
    int64_t *pairing; /* of all `total` rows */
    /* With neighbours: the sample numbers of all partners, which the tensor `pairing` holds. */
    const uint64_t *partners;
    uint64_t seed, total, elements; /* elements: of a mask */
    fmix_pairing_kind kind;
    labels *labels; /* NULL: no labels */
    dense dense;
    bool interpolates; /* no row has a mask: methods weigh rows with numbers */
    /* Fills the tensor `mixed`; by default mixed_batch_fill, which mixes `batch`. */
    tensor_fill *fill;
    const void *fill_self;
    double row_cost; /* estimated nanoseconds of a row of `mixed` beside mixing */
} mixed_batch;

/* For batch `number`, of `total` rows. False: explained. mixed_batch_end follows in either case. */
bool mixed_batch_begin(mixed_batch *m, const resource_request *request, const fmix_recipe *recipe,
                       uint64_t number, uint64_t total, problem *p);
void mixed_batch_end(mixed_batch *m);

tensor_fill mixed_batch_fill; /* self: a mixed_batch */

/* Finds the pairing, before any tensor is filled. The labels of all rows of the batch are there. */
fmix_status mixed_batch_prepare(mixed_batch *m);

/* Adds the tensors that `parts` names, and what they take to compute. A row of `mixed` has the
 * sides of a row of x. False: a tensor is too large. */
bool mixed_batch_source(mixed_batch *m, tensor_source *s, const query *q, const array *x,
                        dtype out_type, const batch_geometry *g);

#endif
