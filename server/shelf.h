/*
 * shelf.h - the data sets under a directory, by name
 *
 * Whoever holds a set keeps it, though a scan has replaced it meanwhile.
 *
 * Threads: any; scans come from one at a time.
 */
#ifndef SHELF_H
#define SHELF_H

#include "description.h"

#define SHELF_MOST 256

typedef struct shelf shelf;

/* root: empty for none. Sets that cannot be served are explained on `errors`, and left out; NULL:
 * the root cannot be read, no memory, explained; or the process shall end. */
shelf *shelf_new(const char *root, bool verify, FILE *errors);
void shelf_free(shelf *s);

/* Looks again: new sets come, those gone go, and what has not changed is not read again. Of a set
 * that cannot be opened, what there was stays if it is whole. False: the root cannot be read, or
 * the process shall end; all there was stays. */
bool shelf_scan(shelf *s, FILE *errors);

/* The set of this name, retained, or NULL. */
dataset *shelf_find(shelf *s, const char *name);

/* What is said of all of them, retained. */
description *shelf_describe(shelf *s);

/* The n-th by name, retained; NULL past the last. */
dataset *shelf_nth(shelf *s, size_t n);

#endif
