/*
 * mixing.h - a mixed batch as tensors, whoever brings its rows: an upload or a data set
 */
#ifndef MIXING_H
#define MIXING_H

#include "labels.h"
#include "params/recipe.h"
#include "resource.h"
#include "rows.h"

/* Which sides of x are the mask's. */
typedef struct geometry {
    unsigned rank;
    const uint64_t *sides; /* of x, which outlives this */
    uint64_t channels;
    bool has_channels; /* a side of their own */
    fmix_layout layout;
} geometry;

/* By the layout asked for, which x of three sides and more must have. */
bool mixing_geometry(const query *q, const array *x, geometry *out, problem *p);

/* The law and the mask's shape; settles the query's index. `number`: of the batch. */
bool mixing_recipe(resource_request *c, const geometry *g, uint64_t number, fmix_recipe *out,
                   problem *p);

/* The type of the answer from rows of this one, if every method of the list can make it: no batch
 * shall be refused later. */
bool mixing_out_type(const query *q, dtype x, dtype *out, problem *p);

/* Whether the parts asked for are a mixed batch's; only hosted ones have `rows`. */
bool mixing_parts(const resource_request *c, bool hosted, problem *p);

typedef struct mixing {
    rows rows;
    fmix_batch batch;
    int64_t *pairing; /* of the whole batch */
    uint64_t seed, number, total, elements;
    fmix_pairing_kind kind;
    labels *labels; /* NULL: none */
    bool interpolates;
} mixing;

/* For a batch of `total` rows. False: explained; ended whatever it returns. */
bool mixing_begin(mixing *m, const resource_request *c, const fmix_recipe *recipe, uint64_t number,
                  uint64_t total, problem *p);
void mixing_end(mixing *m);

tensor_fill mixing_fill; /* `mixed`, from `batch`; self: a `mixing` */

/* Finds the pairing, before any tensor is filled. */
fmix_status mixing_prepare(mixing *m);

/* Adds the tensors, and what they take to compute. mixed(self, …) fills the tensor `mixed`, whose
 * rows have the sides of the rows of x. */
bool mixing_source(const mixing *m, tensor_source *s, const query *q, const array *x,
                   dtype out_type, const geometry *g, tensor_fill *mixed, const void *self);

#endif
