/*
 * extras.h - what stands beside the rows of a set: dense targets and neighbours
 */
#ifndef EXTRAS_H
#define EXTRAS_H

#include "import.h"

typedef struct extras_dense {
    array from;
    const char *path; /* NULL: the array lies in a file of the kind */
    unsigned layout;
    mapped_file file;
} extras_dense;

typedef struct extras {
    extras_dense dense[DATASET_DENSE];
    unsigned denses;
    array neighbours; /* without bytes: none */
    mapped_file neighbours_file;
    uint64_t own; /* rows that are among their own neighbours */
} extras;

/* Adds dense targets that a file of the kind holds. False here and below: explained. */
bool extras_add(const import *in, const array *dense);

/* Reads the files of --dense and --neighbours, and checks all extras of facts->expected rows. */
bool extras_read(const import *in, const dataset_writer_facts *facts);

/* Writes all extras, and checks that their files have not changed meanwhile. */
bool extras_write(const import *in, dataset_writer *w);

/* Prints what was written. */
void extras_tell(const import *in);

void extras_free(extras *e);

#endif
