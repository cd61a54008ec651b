/*
 * report.h - what an import took, left out, converted and could not read: nothing is silent
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define REPORT_NAMED   20 /* files that are named; more are counted */
#define REPORT_REASONS 40 /* reasons that are told apart */

typedef enum report_kind { REPORT_SKIPPED, REPORT_CONVERTED, REPORT_KINDS } report_kind;

typedef struct report_reason {
    report_kind kind;
    char text[48];
    char example[160]; /* the first file of it */
    uint64_t count;
} report_reason;

typedef struct report {
    FILE *to;
    uint64_t taken, bad, warned; /* files */
    report_reason reasons[REPORT_REASONS];
    unsigned count;
} report;

/* A file that cannot be read, and why. It is named at once, while there are few. */
void report_bad(report *r, const char *path, const char *text, ...)
    __attribute__((format(printf, 3, 4)));

/* A file that was read all the same. */
void report_warning(report *r, const char *path, const char *text);

/* One more file that was left out, or changed, for this reason. */
void report_add(report *r, report_kind kind, const char *reason, const char *path);

/* At the end, be it good or bad. */
void report_print(const report *r, bool good);

#endif
