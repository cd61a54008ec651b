/*
 * dataset.h - a data set in a directory: rows, labels and a manifest (manifest.h)
 *
 * Files are mapped, not loaded. An open set never changes: a set that is written again under the
 * same name is another set, in another directory.
 */
#ifndef DATASET_H
#define DATASET_H

#include "base/shutdown.h"
#include "formats/format.h"
#include "mapped_file.h"

#include <stdatomic.h>
#include <stdio.h>

#define DATASET_NAME   64
#define DATASET_HEADS  8
#define DATASET_DIGEST 64 /* hexadecimal digits */

typedef struct dataset_head {
    char name[ARRAY_NAME]; /* "y" or "y.NAME" */
    bool numbers;          /* class numbers, i32; else rows of `classes` weights, f32 */
    uint64_t classes;
    mapped_file file;
} dataset_head;

typedef struct dataset {
    char name[DATASET_NAME + 1];
    char *path; /* of the directory */
    uint64_t count;
    unsigned rank; /* of a row */
    uint64_t side[QUERY_RANK - 1];
    dtype type;
    unsigned layout; /* query_layout; LAYOUT_NONE if rows have one dimension */
    uint64_t row_bytes;
    mapped_file data;
    unsigned heads;
    dataset_head head[DATASET_HEADS];
    char digest[DATASET_DIGEST + 1];
    buffer description;      /* the set as clients see it: a line of JSON, made once */
    mapped_file_stamp stamp; /* of the manifest when it was read */
    _Atomic unsigned uses;
} dataset;

/* Opens the set `name` in the directory `root`, retained once. verify: reads the whole set to check
 * its digest. NULL: the reason is printed on `errors`; it may be that the process or *stop told the
 * reader to stop (stop may be NULL). */
dataset *dataset_open(const char *root, const char *name, bool verify, const atomic_bool *stop,
                      FILE *errors);
dataset *dataset_retain(dataset *d);
void dataset_release(dataset *d); /* d may be NULL */

/* Returns true if the directory still holds the same manifest. */
bool dataset_is_current(const dataset *d, const char *root);

/* Looks at all files of the set. True: every file is what it was when the set was opened, so the
 * bytes that were read until now are those of the set. */
bool dataset_is_whole(const dataset *d);

const unsigned char *dataset_row(const dataset *d, uint64_t row);

/* The files beside the manifest, in the order of the digest: the data, then the labels of each
 * head. */
static inline unsigned dataset_files(const dataset *d) {
    return d->heads + 1;
}

static inline const mapped_file *dataset_file(const dataset *d, unsigned number) {
    return number ? &d->head[number - 1].file : &d->data;
}

/* The worst state that any file of the set was seen in so far. */
static inline mapped_file_state dataset_state(const dataset *d) {
    mapped_file_state worst = MAPPED_FILE_WHOLE;
    for (unsigned i = 0; i < dataset_files(d); i++) {
        mapped_file_state state = mapped_file_state_of(dataset_file(d, i));
        worst = state > worst ? state : worst;
    }
    return worst;
}

/* Returns true if a reader of whole files shall stop: the process shall end, or *stop is set. */
static inline bool dataset_must_stop(const atomic_bool *stop) {
    return shutdown_requested() || (stop && atomic_load(stop));
}

#endif
