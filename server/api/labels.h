/*
 * labels.h - labels of an uploaded batch: y, or several heads y.NAME, mixed with their rows
 */
#ifndef LABELS_H
#define LABELS_H

#include "formats/format.h"
#include "rows.h"

typedef struct labels labels;

/* Finds y, y.NAME and, with partners, y2, y2.NAME in an upload of `rows` rows. *out is NULL where
 * there are none. False: explained; out of memory also by
 * all->inflated.starved. The arrays are borrowed. */
bool labels_read(const query *q, upload *all, uint64_t rows, bool partners, labels **out,
                 problem *p);

/* The same of a data set's, without partners. Their bytes are not looked at: what numbers there are
 * was checked when the set was opened, and they are filled in later. */
bool labels_take(const query *q, const upload *all, uint64_t rows, labels **out, problem *p);
void labels_free(labels *l);

/* Bytes that were made of them, and are paid for. NULL: none. */
uint64_t labels_held(const labels *l);

/* Whether an array of this name is a label's. */
bool labels_are(const char *name);

/* Adds `labels` or `labels.NAME` for each head, mixed by these rows and this pairing. */
bool labels_add(labels *l, tensor_source *s, const rows *r, const int64_t *pairing);

#endif
