/*
 * hosted_labels.h - labels of a batch of a data set, as the upload of that batch would hold them
 */
#ifndef HOSTED_LABELS_H
#define HOSTED_LABELS_H

#include "datasets/dataset_read.h"
#include "labels.h"

typedef struct hosted_labels {
    const dataset *set; /* borrowed */
    uint64_t rows;      /* samples: those of the batch, and of partners where these are others */
    unsigned char *heads[DATASET_HEADS];
} hosted_labels;

/* Allocates room for the labels of each head. False: explained. */
bool hosted_labels_begin(hosted_labels *l, problem *p);
void hosted_labels_end(hosted_labels *l);

/* Describes the labels of each head, which are gathered later. Fills in q->classes from the set
 * unless the request gives classes. False: explained. */
bool hosted_labels_describe(hosted_labels *l, query *q, labels **out, problem *p);

/* Copies the labels of these samples of the set, in the machine's order. False: the set is damaged,
 * as is noted in *fault. */
bool hosted_labels_gather(hosted_labels *l, const uint64_t *samples, dataset_fault *fault);

/* Estimated nanoseconds to verify and gather the labels. scattered: samples are anywhere in the
 * set. */
double hosted_labels_cost(const hosted_labels *l, bool scattered);

uint64_t hosted_labels_memory(const hosted_labels *l);

#endif
