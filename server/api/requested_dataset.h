/*
 * requested_dataset.h - the data set that a request names, or the reason why the set is not served
 */
#ifndef REQUESTED_DATASET_H
#define REQUESTED_DATASET_H

#include "datasets/dataset_read.h"
#include "resource.h"

/* The set of the first capture of the path, retained. Sets q->n to its default for batches of data
 * sets unless the request gives n. NULL: explained. */
dataset *requested_dataset_find(resource_request *request, problem *p);

/* Explains, 503, why a set whose files are damaged is not served, or a batch that met a fault. */
void requested_dataset_explain(const dataset *d, const dataset_fault *fault, problem *p);

/* The text of the latter; empty where there was no fault. */
void requested_dataset_damage(const dataset *d, const dataset_fault *fault, char *out, size_t room);

/* Explains, 503, why a batch is not served until the set is imported again. */
void requested_dataset_refuse(const char *reason, problem *p);

/* What a batch takes before its answer can be laid out (sequence_request.h, view_request.h); q->n
 * is set. */
weight requested_rows_weight(const query *q, const dataset *set);

/* The same for the set of the path; nothing where the set is not served. */
resource_weight requested_dataset_weight;

/* False, explained, 409: the request gives a digest other than the digest of the set. */
bool requested_dataset_is_pinned(const query *q, const dataset *d, problem *p);

#endif
