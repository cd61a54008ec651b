/*
 * dataset_writer_state.h - what a dataset_writer holds, for its own files alone
 */
#ifndef DATASET_WRITER_STATE_H
#define DATASET_WRITER_STATE_H

#include "dataset_writer.h"
#include "manifest.h"
#include "progress.h"
#include "staging.h"

/* A file of rows that come one by one. */
typedef struct dataset_writer_stream {
    FILE *data;
    FILE *index;   /* of an image set */
    uint64_t used; /* bytes of its data so far */
} dataset_writer_stream;

struct dataset_writer {
    staging place;
    dataset set; /* its facts and heads so far; its files are mapped only for the digest */
    json_t *class_names;
    FILE *errors;
    dataset_writer_stream x, map[DATASET_DENSE];
    unsigned maps;
    FILE *column[DATASET_WRITER_COLUMNS];
    unsigned columns;
    progress progress;
    bool failed;
};

/* Only the first error is printed: those that follow are its consequences. Always false, here and
 * below. */
bool dataset_writer_fail(dataset_writer *w, const char *text, ...)
    __attribute__((format(printf, 2, 3)));

/* By errno, of a file of the set. */
bool dataset_writer_fail_file(dataset_writer *w, const char *name);

/* The same, of a file by its number. */
bool dataset_writer_fail_part(dataset_writer *w, unsigned number);

/* A new file. NULL: explained. */
FILE *dataset_writer_create(dataset_writer *w, const char *name);

/* Writes a file to the disk, and closes it. */
bool dataset_writer_finish_file(dataset_writer *w, FILE *file, const char *name);

/* ---- dataset_writer_rows.c ---- */

/* Creates all files of rows. */
bool dataset_writer_create_rows(dataset_writer *w);

/* Writes them to the disk and closes them, but for the columns. */
bool dataset_writer_finish_rows(dataset_writer *w);

/* Removes what is not part of the set. */
bool dataset_writer_drop_columns(dataset_writer *w);

/* Goes on with the files of an import that was killed, if they are of the same source. False: the
 * files cannot be used, and the reason was printed. resume may be NULL. */
bool dataset_writer_resume(dataset_writer *w, const dataset_writer_facts *facts,
                           dataset_journal *resume);

/* Closes all files of rows. */
void dataset_writer_close(dataset_writer *w);

#endif
