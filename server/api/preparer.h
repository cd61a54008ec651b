/*
 * preparer.h - a row of a data set as mixing takes it: windowed, in the answer's layout, normalised
 *
 * Threads: preparer_take may be called by several at once, each with its own room.
 */
#ifndef PREPARER_H
#define PREPARER_H

#include "mixing.h"

typedef struct preparer {
    const dataset *set; /* borrowed */
    uint64_t seed;      /* of windows */
    uint64_t channels, elements;
    bool last;       /* stored rows have their channels last */
    bool moves;      /* by the window */
    bool transposes; /* from the stored layout to the answer's */
    bool normalises; /* by mean and std */
    fmix_window window;
    fmix_normal normal;
    double mean[QUERY_LIST], std[QUERY_LIST];
    uint64_t row_bytes; /* of a prepared row */
} preparer;

/* What rows of a set are in the layout that the query asks for, else in their own: sets the
 * query's layout and the sides of x but for its rows. A set without channels gets a side of 1 where
 * a layout with channels is asked for, and one channel loses its side where none is. False:
 * explained. */
bool preparer_shape(query *q, const dataset *set, array *x, problem *p);

/* Appends, where that layout is not the set's own, what the set's is: such answers were other bytes
 * once, and what keeps them by their ETag must not take them for the same. */
void preparer_note(const query *q, const dataset *set, buffer *recipe);

/* For rows of that shape, whose sides are the mask's and its channels. *type: of prepared rows.
 * False: explained. */
bool preparer_begin(preparer *r, const query *q, const dataset *set, const geometry *g,
                    const fmix_shape *mask, dtype *type, problem *p);

/* Whether a stored row is a prepared one already, byte for byte. */
bool preparer_is_idle(const preparer *r);

/* Bytes of room that preparer_take needs beside its output. */
uint64_t preparer_room(const preparer *r);

/* One row, prepared for sample number t (STREAM §6), in the machine's order. */
fmix_status preparer_take(const preparer *r, const unsigned char *stored, uint64_t t,
                          unsigned char *room, void *out);

#endif
