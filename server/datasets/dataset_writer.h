/*
 * dataset_writer.h - a data set that is being written; it has its name only once it is whole
 *
 * The files grow in a staging directory (staging.h). A writer that fails explains its first error
 * on `errors`, and leaves nothing behind.
 */
#ifndef DATASET_WRITER_H
#define DATASET_WRITER_H

#include "dataset_picture.h"
#include "formats/label_array.h"

typedef struct dataset_writer dataset_writer;

/* What is known before the first row. */
typedef struct dataset_writer_facts {
    dtype type;
    unsigned rank; /* of a row */
    uint64_t side[QUERY_RANK - 1];
    unsigned layout; /* query_layout */
    bool ragged;     /* rows have lengths of their own, in place of side[0] */
    bool images;     /* rows have heights and widths of their own, in place of the first sides */
    dataset_store store; /* of images */
    uint64_t expected;   /* rows that will come, to show progress; 0: unknown */
} dataset_writer_facts;

/* Returns true if a set can be written at this path: its name is valid, and the path is not taken.
 * False: explained. */
bool dataset_writer_check(const char *path, FILE *errors);

/* The last part of the path is the name of the set. NULL: explained. */
dataset_writer *dataset_writer_new(const char *path, const dataset_writer_facts *facts,
                                   FILE *errors);

/* Appends rows of little-endian elements. False here and below: explained. */
bool dataset_writer_rows(dataset_writer *w, const void *bytes, uint64_t rows);

/* Writes all rows of a ragged set. offsets: rows + 1 of an integer type, which rise from 0; row i
 * has the steps offsets[i] … offsets[i + 1] - 1 of `steps`. */
bool dataset_writer_ragged(dataset_writer *w, const void *steps, const array *offsets);

/* Appends a picture of an image set: the bytes of a file, or samples. */
bool dataset_writer_picture(dataset_writer *w, const dataset_picture *p);

/* Ends the line of a progress bar, before another message is printed. */
void dataset_writer_break(dataset_writer *w);

/* Returns true if a class may be called `name`: the name must be UTF-8. */
bool dataset_writer_takes_class(const char *name);

/* Writes the labels of a head, which label_check has accepted. */
bool dataset_writer_head(dataset_writer *w, const char *name, const label *l);

/* Appends the name of a class to the names of the head that was written last. */
bool dataset_writer_class(dataset_writer *w, const char *name);

/* Writes dense targets, whose rows have the spatial sides of those of x. */
bool dataset_writer_dense(dataset_writer *w, const array *a, unsigned layout);

/* Writes the neighbours of each row, [rows, k] of an integer type, each of them the number of a
 * row. */
bool dataset_writer_neighbours(dataset_writer *w, const array *a);

/* Gives the set its name. Frees the writer in any case. */
bool dataset_writer_finish(dataset_writer *w);

/* Removes what was written, and frees the writer. w may be NULL. */
void dataset_writer_abandon(dataset_writer *w);

#endif
