/*
 * shelf.h - the data sets under a directory, by name
 *
 * Whoever holds a set keeps it, though a scan has replaced it meanwhile. A set that is there but
 * cannot be served is known with the reason.
 *
 * Threads: any; scans come from one at a time.
 */
#ifndef SHELF_H
#define SHELF_H

#include "description.h"

#define SHELF_REASON 512 /* bytes of why a set is not served, with its end */

typedef struct shelf shelf;

/* root: empty for none. Sets that cannot be served are explained on `errors`. NULL: the root cannot
 * be read, no memory, explained; or the process shall end. */
shelf *shelf_new(const char *root, bool verify, FILE *errors);
void shelf_free(shelf *s);

/* Looks again: new sets come, those gone go, and what has not changed is not read again. Of a set
 * that cannot be opened, what there was stays if it is whole. False: the root cannot be read, there
 * is no memory, or the process shall end or *end is set; all there was stays. */
bool shelf_scan(shelf *s, const atomic_bool *end, FILE *errors);

/* Whether a set is doubtful, which the next scan settles. */
bool shelf_doubts(shelf *s);

/* The set of this name, retained, or NULL: then `reason` says why a set that is there is not
 * served, and is empty if there is none. */
dataset *shelf_find(shelf *s, const char *name, char reason[SHELF_REASON]);

/* What is said of all of them, retained. */
description *shelf_describe(shelf *s);

/* The n-th by name of those that are served, retained; NULL past the last. */
dataset *shelf_nth(shelf *s, size_t n);

#endif
