/*
 * dataset.h - a data set in a directory: rows, labels and a manifest (`fmixd import` writes it)
 *
 *   manifest.json   what there is, with a digest over it and all bytes
 *   data.bin        rows one after the other, little-endian
 *   labels.bin, labels.NAME.bin
 *                   a head each: class numbers as i32, or rows of f32
 *
 * Files are mapped, not loaded. What is opened stays what it was: a set that is written anew is
 * another one, in another directory entry.
 */
#ifndef DATASET_H
#define DATASET_H

#include "formats/format.h"
#include "mapped_file.h"

#include <stdatomic.h>
#include <stdio.h>

#define DATASET_NAME     64
#define DATASET_HEADS    8
#define DATASET_DIGEST   64 /* hexadecimal digits: BLAKE2b-256 */
#define DATASET_MANIFEST (4u << 20)

typedef struct dataset_head {
    char name[ARRAY_NAME]; /* "y" or "y.NAME" */
    bool numbers;          /* of classes, i32; else rows of `classes` f32 */
    uint64_t classes;
    mapped_file file;
} dataset_head;

typedef struct dataset {
    char name[DATASET_NAME + 1];
    char *path; /* of the directory; NULL: nobody will look at its files again */
    uint64_t count;
    unsigned rank; /* of a row */
    uint64_t side[QUERY_RANK - 1];
    dtype type;
    unsigned layout; /* query_layout; of rows of one side LAYOUT_NONE */
    uint64_t row_bytes;
    mapped_file data;
    unsigned heads;
    dataset_head head[DATASET_HEADS];
    char digest[DATASET_DIGEST + 1];
    buffer description;      /* of all that, for those who ask: a line of JSON, made once */
    mapped_file_stamp stamp; /* of the manifest: whether it is still that */
    _Atomic unsigned uses;
} dataset;

/* Letters, digits, _ and -, at most DATASET_NAME. */
bool dataset_named_well(const char *name);

/* Opens a directory's set, used once. verify: reads all of it to check its digest. NULL: explained
 * on `errors`, with its name; also where the process is told to end meanwhile, or *end is set
 * (NULL: nothing else can end it). */
dataset *dataset_open(const char *root, const char *name, bool verify, const atomic_bool *end,
                      FILE *errors);
dataset *dataset_retain(dataset *d);
void dataset_release(dataset *d); /* NULL: nothing */

/* Whether the directory still holds the same manifest. */
bool dataset_is_current(const dataset *d, const char *root);

/* Of all its files the worst that was seen so far. */
mapped_file_state dataset_state(const dataset *d);

/* MAPPED_FILE_WHOLE, and its files, looked at now, are what was opened: what was read of them
 * before is true. */
bool dataset_is_whole(const dataset *d);

const unsigned char *dataset_row(const dataset *d, uint64_t row);

/* Over the manifest's facts and every byte: in hexadecimal. False: something could not be read, or
 * it was told to end, as above. */
bool dataset_digest(const dataset *d, const atomic_bool *end, char out[DATASET_DIGEST + 1]);

#endif
