/*
 * requested_dataset.h - the data set that a request names, or the reason why the set is not served
 */
#ifndef REQUESTED_DATASET_H
#define REQUESTED_DATASET_H

#include "resource.h"

/* The set of the first capture of the path, retained. Sets q->n to its default for batches of data
 * sets unless the request gives n. NULL: explained. */
dataset *requested_dataset_find(resource_request *request, problem *p);

/* False, explained, 409: the request gives a digest other than the digest of the set. */
bool requested_dataset_is_pinned(const query *q, const dataset *d, problem *p);

#endif
