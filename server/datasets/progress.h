/*
 * progress.h - how much of a long task is done: a bar on a terminal, elsewhere a line for each
 * tenth; after two seconds also how fast it goes, and how long it will take
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct progress {
    FILE *to;
    bool terminal;
    uint64_t expected; /* rows in all; 0: unknown, so nothing is shown */
    const char *of;    /* what the rows are of; NULL: of the set */
    unsigned shown;    /* hundredths on a terminal, elsewhere tenths */
    uint64_t began;    /* when */
    uint64_t before;   /* rows that were there at the beginning */
} progress;

progress progress_of(FILE *to, uint64_t expected);

/* Shows the progress after so many rows, if the percentage or tenth has changed. */
void progress_show(progress *p, uint64_t rows);

/* Ends the line of an unfinished bar, before another message is printed. */
void progress_break(progress *p);

#endif
