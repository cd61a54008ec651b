/*
 * sorter.h - byte strings in order, of which memory holds only some
 *
 * Strings are sorted in pieces of a few MiB; each piece goes to a file, and reading merges them.
 */
#ifndef SORTER_H
#define SORTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SORTER_PIECE  (16u << 20) /* bytes of a piece in memory */
#define SORTER_LENGTH (1u << 16)  /* bytes of the longest string */

typedef enum sorter_result {
    SORTER_STRING,
    SORTER_END,
    SORTER_FAILED /* errno says why */
} sorter_result;

typedef struct sorter sorter;

/* scratch: an empty file open for reading and writing, closed by sorter_free. piece: at least
 * 2 * SORTER_LENGTH bytes, as SORTER_PIECE. NULL: no memory; the file is closed. */
sorter *sorter_new(FILE *scratch, size_t piece);

/* False: errno says why. */
bool sorter_add(sorter *s, const void *bytes, size_t length);

/* After the last string was added, and again to begin anew. False: errno says why. */
bool sorter_rewind(sorter *s);

/* The next string in order of unsigned bytes; valid until the next call. */
sorter_result sorter_next(sorter *s, const unsigned char **bytes, size_t *length);

void sorter_free(sorter *s); /* s may be NULL */

#endif
