/*
 * hosted_samples.h - which samples of a data set the rows of a batch are, and which their partners
 * (STREAM §6, §11, §12)
 */
#ifndef HOSTED_SAMPLES_H
#define HOSTED_SAMPLES_H

#include "batch_address.h"
#include "datasets/dataset_read.h"

typedef struct hosted_samples {
    const dataset *set; /* borrowed */
    batch_address at;
    uint64_t seed, epoch;
    uint64_t size, bucket; /* of a ragged set: rows of a whole batch, batches of a window */
    bool shuffles;
    bool neighbours; /* the partner of each row is a neighbour of its sample */
    /* The sample of each row of the batch; with neighbours, those of their partners follow. */
    uint64_t *number;
    uint64_t *t;          /* of each row of a ragged set; NULL: row i has at.t + i */
    dataset_span *span;   /* of each sample of a ragged set; else NULL */
    dataset_fault *fault; /* where damage of the set is noted; borrowed */
} hosted_samples;

/* Allocates room for the numbers. False: explained. hosted_samples_end follows in either case. */
bool hosted_samples_begin(hosted_samples *h, problem *p);
void hosted_samples_end(hosted_samples *h);

/* Finds the samples of the batch, and their neighbours. In a ragged set at.t becomes that of row 0.
 * FMIX_ERROR_LIBRARY: the set is damaged. */
fmix_status hosted_samples_find(hosted_samples *h);

/* All samples: those of the rows and, with neighbours, those of the partners. */
uint64_t hosted_samples_count(const hosted_samples *h);

/* Returns true if sample i is that of a neighbour. */
bool hosted_samples_is_neighbour(const hosted_samples *h, uint64_t i);

/* The length of sample i of a ragged set, and the greatest length of all samples. */
uint64_t hosted_samples_length(const hosted_samples *h, uint64_t i);
uint64_t hosted_samples_longest(const hosted_samples *h);

/* The t of sample i. A neighbour has the t of its row. */
uint64_t hosted_samples_t(const hosted_samples *h, uint64_t i);

/* Returns true if the samples do not lie next to each other in the set. */
bool hosted_samples_scatter(const hosted_samples *h);

/* Bytes that the numbers take, and estimated nanoseconds to find all of them. */
uint64_t hosted_samples_memory(const hosted_samples *h);
double hosted_samples_cost(const hosted_samples *h);

#endif
