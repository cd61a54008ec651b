/*
 * dataset_part.h - the files of a data set beside its manifest, by number, in the order of the
 * digest: the samples, the labels of each head, each dense array, the neighbours, the offsets or
 * the index, and the index of each dense array
 */
#ifndef DATASET_PART_H
#define DATASET_PART_H

#include "dataset.h"

typedef enum dataset_part {
    DATASET_PART_X,
    DATASET_PART_HEAD,
    DATASET_PART_DENSE,
    DATASET_PART_NEIGHBOURS,
    DATASET_PART_OFFSETS, /* of a ragged set */
    DATASET_PART_INDEX,   /* of an image set */
    DATASET_PART_MAPS     /* the index of a dense array of an image set */
} dataset_part;

/* The number of files: at most those of an image set with every head, label map and neighbours. */
#define DATASET_FILES_MOST (1 + DATASET_HEADS + 2 * DATASET_DENSE + 2)
unsigned dataset_files(const dataset *d);

/* What a file holds. *index: which head or dense array it is; else 0. */
dataset_part dataset_part_of(const dataset *d, unsigned number, unsigned *index);

/* The number of a file of this part, which the set has. */
unsigned dataset_part_number(const dataset *d, dataset_part part, unsigned index);

const mapped_file *dataset_file(const dataset *d, unsigned number);

/* The same file, to open it. */
mapped_file *dataset_part_file(dataset *d, unsigned number);

/* Closes all files. */
void dataset_part_close(dataset *d);

#endif
