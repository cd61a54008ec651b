/*
 * report.h - what an import took, skipped, converted and could not read
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define REPORT_NAMED   20 /* files that are named; all others are counted */
#define REPORT_REASONS 40 /* reasons that are counted apart */
#define REPORT_REASON  64 /* bytes of a reason, with its end */

typedef enum report_kind {
    REPORT_SKIPPED,
    REPORT_CONVERTED,
    REPORT_LATER, /* stored as the file is, and converted whenever it is served */
    REPORT_KEPT,  /* as the file has its pixels, though it says how else to show them */
    REPORT_KINDS
} report_kind;

typedef struct report_reason {
    report_kind kind;
    char text[REPORT_REASON];
    char example[160]; /* the first file */
    uint64_t count;
} report_reason;

typedef struct report {
    FILE *to;
    bool names_all;                 /* that are bad, not only the first */
    uint64_t imported, bad, warned; /* files */
    report_reason reasons[REPORT_REASONS];
    unsigned count;
} report;

/* Counts a file that cannot be read. The first REPORT_NAMED files are printed at once, with the
 * reason; all are if names_all. */
void report_bad(report *r, const char *path, const char *text, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for a file that is read with a warning. */
void report_warning(report *r, const char *path, const char *text);

/* Counts a file that is skipped or converted, for this reason. */
void report_add(report *r, report_kind kind, const char *reason, const char *path);

/* Prints all counts at the end of an import; those of imported files only if the import is good. */
void report_print(const report *r, bool good);

#endif
