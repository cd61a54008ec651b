/*
 * dataset_journal.h - how far the import of a set has come, for the import that goes on after it
 * was killed
 *
 * A line of text in the staging directory, replaced in one step whenever all that it counts is on
 * the disk. Its last number is a sum over the others.
 */
#ifndef DATASET_JOURNAL_H
#define DATASET_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DATASET_JOURNAL_TEXT 200 /* bytes of the text, with its end */

typedef struct dataset_journal {
    uint64_t source;   /* a fingerprint of the options, and of all that the import reads */
    uint64_t items;    /* of the source that were read */
    uint64_t rows;     /* that they became */
    uint64_t bytes;    /* of data.bin */
    uint64_t bad;      /* items that cannot be read */
    uint64_t imported; /* items that became rows */
    uint64_t warned;   /* items that were read with a warning */
} dataset_journal;

void dataset_journal_print(const dataset_journal *j, char out[DATASET_JOURNAL_TEXT]);

/* False: the text is not one that was printed. */
bool dataset_journal_parse(const char *text, size_t length, dataset_journal *out);

#endif
