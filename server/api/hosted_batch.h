/*
 * hosted_batch.h - a batch of a data set's epoch as a source of tensors
 */
#ifndef HOSTED_BATCH_H
#define HOSTED_BATCH_H

#include "batch_address.h"
#include "resource.h"

/* Takes the set. The rows of the source are the share of the rank. NULL: explained. */
tensor_source *hosted_batch_source(resource_request *request, dataset *set, const batch_address *at,
                                   problem *p);

#endif
