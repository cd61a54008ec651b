/*
 * labels.h - labels of a batch, as y or as several heads y.NAME, mixed with the rows of the batch
 */
#ifndef LABELS_H
#define LABELS_H

#include "formats/format.h"
#include "mixer_rows.h"

typedef struct labels labels;

/* Finds y, y.NAME and, with partners, y2, y2.NAME in an upload of `rows` rows, and checks every
 * value. *out is NULL where there are no labels. False: explained; all->inflated.starved tells that
 * the budget was used up. The arrays are borrowed. */
bool labels_of_upload(const query *q, upload *all, uint64_t rows, bool partners, labels **out,
                      problem *p);

/* The same for labels of a data set, without partners. The bytes are not read, since they are
 * gathered later; the values were checked when the set was opened. */
bool labels_of_dataset(const query *q, const upload *all, uint64_t rows, labels **out, problem *p);
void labels_free(labels *l);

/* Bytes of converted labels, which are counted in the budget already. NULL: 0. */
uint64_t labels_held(const labels *l);

/* Returns true if an array of this name holds labels. */
bool labels_have_name(const char *name);

/* The first head of class numbers, in the order of the arrays. NULL: there is none. */
const fmix_labels *labels_numbers(const labels *l);

/* Adds the tensor `labels` or `labels.NAME` for each head. False: a tensor is too large. */
bool labels_add(labels *l, tensor_source *s, const mixer_rows *r, const int64_t *pairing);

#endif
