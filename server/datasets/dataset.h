/*
 * dataset.h - a data set in a directory: rows, what stands beside them, and a manifest (manifest.h)
 *
 * Files are mapped, not loaded. An open set never changes: a set that is written again under the
 * same name is another set, in another directory.
 */
#ifndef DATASET_H
#define DATASET_H

#include "base/shutdown.h"
#include "dataset_array.h"
#include "formats/format.h"

#include <stdatomic.h>
#include <stdio.h>

#define DATASET_NAME       64
#define DATASET_HEADS      8
#define DATASET_DENSE      8
#define DATASET_NEIGHBOURS 1024 /* of a row */
#define DATASET_DIGEST     64   /* hexadecimal digits */
#define DATASET_REASON     256  /* bytes of why a file is refused, with its end */

/* How the pictures of an image set are stored. */
typedef enum dataset_store {
    DATASET_FILES,  /* the bytes of PNG and JPEG files */
    DATASET_PIXELS, /* samples, row by row */
    DATASET_STORES
} dataset_store;

typedef enum dataset_head_kind {
    DATASET_ROWS,    /* rows of `classes` weights, f32 */
    DATASET_NUMBERS, /* class numbers, i32 */
    DATASET_VALUES,  /* a number to predict, f32; `classes` is 1 */
    DATASET_HEAD_KINDS
} dataset_head_kind;

typedef struct dataset_head {
    char name[ARRAY_NAME]; /* "y" or "y.NAME" */
    dataset_head_kind kind;
    uint64_t classes;
    mapped_file file;
} dataset_head;

/* Row numbers: k for each row, in the order of the file. */
typedef struct dataset_neighbours {
    uint64_t k;       /* 0: the set has no neighbours */
    mapped_file file; /* i64, little-endian */
} dataset_neighbours;

/* Rows whose pictures (or label maps) could not be decoded, as far as there is room: numbers + 1,
 * then zeros. */
#define DATASET_UNUSABLE 64
typedef struct dataset_unusable {
    _Atomic uint64_t rows[DATASET_UNUSABLE];
} dataset_unusable;

/* In a ragged set every row has a length of its own. x.side[0] is 0 then, and x.row_bytes counts
 * the bytes of one step of a row: a row of L steps has L times as many.
 *
 * In an image set every row is a picture with a height and width of its own (dataset_picture.h).
 * x.side[0] and x.side[1] are 0 then, and x.row_bytes counts the bytes of one pixel. Its dense
 * targets are label maps: grey pictures, stored as x is, each with the sides of its row in x. */
typedef struct dataset {
    char name[DATASET_NAME + 1];
    char *path; /* of the directory */
    uint64_t count;
    dataset_array x;
    unsigned heads;
    dataset_head head[DATASET_HEADS];
    unsigned denses;
    dataset_array dense[DATASET_DENSE];
    dataset_neighbours neighbours;
    bool ragged;
    mapped_file offsets;        /* of the rows in x, in steps: count + 1 of i64, little-endian */
    uint64_t shortest, longest; /* lengths of rows of a ragged set, in steps; 0: not known */
    uint64_t steps;             /* of all rows of a ragged set */
    bool images;
    dataset_store store;                           /* of an image set */
    dataset_unusable unusable;                     /* of an image set */
    dataset_unusable unusable_maps[DATASET_DENSE]; /* of each of its dense targets */
    char digest[DATASET_DIGEST + 1];
    char pieces[DATASET_DIGEST + 1];   /* the root of pieces.bin (pieces.h); empty: there is none */
    struct verification *verification; /* of pieces before their use; NULL: none is needed */
    FILE *log;                         /* where a damaged piece is named; NULL: nowhere */
    buffer description;                /* the set as clients see it: a line of JSON, made once */
    mapped_file_stamp stamp;           /* of the manifest when it was read */
    _Atomic unsigned uses;
} dataset;

/* When the bytes of a set are compared with what was imported. */
typedef enum dataset_verify {
    DATASET_VERIFY_OFF,   /* never; the contents are checked when the set is opened */
    DATASET_VERIFY_START, /* when the set is opened, all of them */
    DATASET_VERIFY_LAZY,  /* each piece before its first use; a set without pieces at once */
    DATASET_VERIFY_FACTS  /* never, nor are the contents: the set is not to be served */
} dataset_verify;

/* Opens the set `name` in the directory `root`, retained once. NULL: the reason is printed on
 * `errors`; it may be that the process or *stop told the reader to stop (stop may be NULL). */
dataset *dataset_open(const char *root, const char *name, dataset_verify verify,
                      const atomic_bool *stop, FILE *errors);
dataset *dataset_retain(dataset *d);
void dataset_release(dataset *d); /* d may be NULL */

/* Returns true if the directory still holds the same manifest. */
bool dataset_is_current(const dataset *d, const char *root);

/* Looks at all files of the set. True: the set can be served. Without pieces, every file is what it
 * was when the set was opened, so the bytes that were read until now are those of the set. With
 * pieces, those of a file that was touched are verified again before their next use
 * (dataset_read.h). */
bool dataset_is_whole(const dataset *d);

/* The worst state that any file of the set was seen in so far. */
mapped_file_state dataset_state(const dataset *d);

/* Returns true if a reader of whole files shall stop: the process shall end, or *stop is set. */
static inline bool dataset_must_stop(const atomic_bool *stop) {
    return shutdown_requested() || (stop && atomic_load(stop));
}

#endif
