/*
 * batch_address.h - where a batch lies in an epoch of a data set, and the share of a rank (STREAM
 * §6)
 */
#ifndef BATCH_ADDRESS_H
#define BATCH_ADDRESS_H

#include "datasets/dataset.h"

typedef struct batch_address {
    uint64_t first, rows; /* places first … first+rows-1 of the epoch, after shuffling */
    uint64_t t;           /* sample number of the first row, counted over all epochs */
    uint64_t number;      /* of the batch, counted over all epochs */
    uint64_t begin, end;  /* the rank has rows begin … end-1 of the batch */
    uint64_t batches;     /* of an epoch */
} batch_address;

/* The number of a batch in an epoch, from its text in a path. False: explained, 404. */
bool batch_address_step(const char *text, uint64_t *out, problem *p);

/* False: explained; 404 past the last batch. */
bool batch_address_find(const query *q, const dataset *d, uint64_t step, batch_address *out,
                        problem *p);

#endif
