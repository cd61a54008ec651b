/*
 * hosted.h - rows of a data set as they go into a mixed batch: addressed, augmented, normalised
 */
#ifndef HOSTED_H
#define HOSTED_H

#include "preparer.h"

/* The set that the path names, retained; settles how many rows a batch has. NULL: explained. */
dataset *hosted_find(resource_request *c, problem *p);

/* What the URL pins is what is served, or nothing: 409. */
bool hosted_is_pinned(const query *q, const dataset *d, problem *p);

/* A batch of an epoch (STREAM §6), and the share of it that a rank has. */
typedef struct hosted_place {
    uint64_t first, rows; /* shuffled places */
    uint64_t t, number;   /* of the first row; of the batch */
    uint64_t begin, end;  /* the rank's rows, of the batch's */
    uint64_t batches;     /* of the epoch */
} hosted_place;

/* False: explained, with 404 past the last. */
bool hosted_address(const query *q, const dataset *d, uint64_t step, hosted_place *out, problem *p);

typedef struct hosted {
    mixing mixing;
    dataset *set; /* held */
    hosted_place place;
    uint64_t *samples;                    /* of each row of the batch */
    const void **rows;                    /* where they lie, if nothing is done to them */
    unsigned char *labels[DATASET_HEADS]; /* of the batch's rows */
    preparer preparer;
    uint64_t epoch;
    bool shuffles;
} hosted;

/* A number of batch, as a path has it. */
bool hosted_step(const char *text, uint64_t *out, problem *p);

/* Takes the set. The whole of what `hosted` is, with the source that it fills. NULL: explained. */
tensor_source *hosted_source(resource_request *c, dataset *set, const hosted_place *place,
                             problem *p);

#endif
