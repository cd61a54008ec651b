/*
 * dataset_writer.h - a data set that is being written; it has its name only once it is whole
 *
 * The files grow in a staging directory (staging.h). A writer that fails explains its first error
 * on `errors`, and leaves nothing behind.
 */
#ifndef DATASET_WRITER_H
#define DATASET_WRITER_H

#include "dataset_journal.h"
#include "dataset_picture.h"
#include "formats/label_array.h"

typedef struct dataset_writer dataset_writer;

#define DATASET_WRITER_COLUMNS (DATASET_HEADS + 1)

/* What is known before the first row. */
typedef struct dataset_writer_facts {
    dtype type;
    unsigned rank; /* of a row */
    uint64_t side[QUERY_RANK - 1];
    unsigned layout; /* query_layout */
    bool ragged;     /* rows have lengths of their own, in place of side[0] */
    bool images;     /* rows have heights and widths of their own, in place of the first sides */
    dataset_store store; /* of images */
    unsigned columns;    /* numbers that come with each row: its labels, and what an import that
                            goes on needs to know of rows */
    unsigned maps; /* label maps that come with each row: dense targets of u8 with its sides */
    const char *map_name[DATASET_DENSE]; /* "dense" or "dense.NAME" */
    uint64_t expected;                   /* rows that will come, to show progress; 0: unknown */
} dataset_writer_facts;

/* Returns true if a set can be written at this path: its name is valid, and the path is not taken.
 * False: explained. */
bool dataset_writer_check(const char *path, FILE *errors);

/* The last part of the path is the name of the set. NULL: explained. */
dataset_writer *dataset_writer_new(const char *path, const dataset_writer_facts *facts,
                                   FILE *errors);

/* The same in two steps: the set is locked before what the set will be is known. */
dataset_writer *dataset_writer_open(const char *path, FILE *errors);

/* resume: its `source` tells sources and options apart. Where an import of the same was killed, the
 * writer goes on with that import's files, and *resume says how far it had come; else its counts
 * are 0. NULL: the writer always begins anew. What a killed import left is told. */
bool dataset_writer_begin(dataset_writer *w, const dataset_writer_facts *facts,
                          dataset_journal *resume);

/* A file for whatever the import needs until it ends, without a name, in the directory that the set
 * is written in. NULL: explained. */
FILE *dataset_writer_scratch(dataset_writer *w);

/* Appends rows of little-endian elements. False here and below: explained. */
bool dataset_writer_rows(dataset_writer *w, const void *bytes, uint64_t rows);

/* Writes all rows of a ragged set. offsets: rows + 1 of an integer type, which rise from 0 to
 * `count`, the number of steps; row i has the steps offsets[i] … offsets[i + 1] - 1 of `steps`. */
bool dataset_writer_ragged(dataset_writer *w, const void *steps, uint64_t count,
                           const array *offsets);

/* Appends a picture of an image set: the bytes of a file, or samples. */
bool dataset_writer_picture(dataset_writer *w, const dataset_picture *p);

/* Appends label map number i of the last row. In a set whose rows have one shape, its samples. */
bool dataset_writer_map(dataset_writer *w, unsigned i, const dataset_picture *p);

/* Appends the numbers of the last row, one for each column: a class number as i32, f32, or u32. */
bool dataset_writer_labels(dataset_writer *w, const uint32_t *labels);

/* All numbers of a column so far. */
bool dataset_writer_column(dataset_writer *w, unsigned column, mapped_file *out);

/* Makes sure that an import that is killed later than now can go on from here. The rows and bytes
 * of *state are filled in. */
bool dataset_writer_save(dataset_writer *w, dataset_journal *state);

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
