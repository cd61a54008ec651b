/*
 * writer.h - a data set that is being written: nothing is there under its name before it is whole
 *
 * Files grow in a directory beside it whose name begins with a dot, which no daemon serves; the
 * last step is one rename. That directory is locked meanwhile, so there is one writer of a name;
 * one that was interrupted leaves it to the next.
 */
#ifndef WRITER_H
#define WRITER_H

#include "dataset.h"
#include "formats/label_array.h"

typedef struct dataset_writer dataset_writer;

/* What is known before the first row. */
typedef struct dataset_writer_facts {
    dtype type;
    unsigned rank; /* of a row */
    uint64_t side[QUERY_RANK - 1];
    unsigned layout;   /* query_layout */
    uint64_t expected; /* rows that will come, for the progress that is shown; 0: nobody knows */
} dataset_writer_facts;

/* path: of the set, which must not be there yet; its last part names it. NULL: explained. */
dataset_writer *dataset_writer_new(const char *path, const dataset_writer_facts *facts,
                                   FILE *errors);

/* Rows in little-endian bytes. False: explained, and so is all that follows. */
bool dataset_writer_rows(dataset_writer *w, const void *bytes, uint64_t rows);

/* Ends the line of a bar on a terminal, before something else is said. */
void dataset_writer_break(dataset_writer *w);

/* Whether a head may be named so, and a class. */
bool dataset_writer_takes_head(const char *name);
bool dataset_writer_takes_class(const char *name);

/* A head of labels, whole, which were checked. */
bool dataset_writer_head(dataset_writer *w, const char *name, const label *l);

/* Names of a head's classes, in order, of the head written last. */
bool dataset_writer_class(dataset_writer *w, const char *name);

/* Gives it its name. False: explained; frees the writer, and what it wrote unless it is whole. */
bool dataset_writer_finish(dataset_writer *w);
void dataset_writer_abandon(dataset_writer *w); /* NULL: nothing */

/* Explains, in the words of printf, what is wrong with a source. Always false. */
bool dataset_writer_fail(dataset_writer *w, const char *text, ...)
    __attribute__((format(printf, 2, 3)));

#endif
