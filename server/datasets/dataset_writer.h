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

typedef struct writer writer;

/* What is known before the first row. */
typedef struct writer_facts {
    dtype type;
    unsigned rank; /* of a row */
    uint64_t side[QUERY_RANK - 1];
    unsigned layout;   /* query_layout */
    uint64_t expected; /* rows that will come, for the progress that is shown; 0: nobody knows */
} writer_facts;

/* path: of the set, which must not be there yet; its last part names it. NULL: explained. */
writer *writer_new(const char *path, const writer_facts *facts, FILE *errors);

/* Rows in little-endian bytes. False: explained, and so is all that follows. */
bool writer_rows(writer *w, const void *bytes, uint64_t rows);

/* Ends the line of a bar on a terminal, before something else is said. */
void writer_break(writer *w);

/* Whether a head may be named so, and a class. */
bool writer_takes_head(const char *name);
bool writer_takes_class(const char *name);

/* A head of labels, whole, which were checked. */
bool writer_head(writer *w, const char *name, const label *l);

/* Names of a head's classes, in order, of the head written last. */
bool writer_class(writer *w, const char *name);

/* Gives it its name. False: explained; frees the writer, and what it wrote unless it is whole. */
bool writer_finish(writer *w);
void writer_abandon(writer *w); /* NULL: nothing */

/* Explains, in the words of printf, what is wrong with a source. Always false. */
bool writer_fail(writer *w, const char *text, ...) __attribute__((format(printf, 2, 3)));

#endif
