/*
 * csv.h - reads a file of comma-separated values, as RFC 4180 has them, a row at a time
 *
 * Lines end with LF or CRLF; a byte order mark of UTF-8 is skipped. Fields may be quoted, and hold
 * any byte but NUL then.
 */
#ifndef CSV_H
#define CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CSV_FIELDS 9          /* that are kept of a row */
#define CSV_ROW    (1u << 16) /* bytes of a row's fields, each with its end */
#define CSV_REASON 200        /* bytes, with the end */

typedef enum csv_result {
    CSV_FOUND,
    CSV_END,
    CSV_BAD /* reason says why, and line says where */
} csv_result;

typedef struct csv {
    FILE *file;
    uint64_t line;  /* of the first byte of the row that was read last */
    uint64_t next;  /* of the next byte */
    unsigned count; /* fields of the row, of which the first CSV_FIELDS are kept */
    const char *field[CSV_FIELDS];
    char reason[CSV_REASON];
    size_t used;
    char text[CSV_ROW];
} csv;

/* Begins at the beginning of the file. */
void csv_start(csv *c, FILE *file);

csv_result csv_next(csv *c);

#endif
