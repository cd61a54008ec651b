/*
 * shelf.h - the data sets under a directory, by name
 *
 * Whoever holds a set keeps it, though a scan has replaced it meanwhile. A set that is there but
 * cannot be served is known with the reason.
 *
 * Threads: any; scans come from one at a time.
 */
#ifndef CATALOG_H
#define CATALOG_H

#include "description.h"

#define CATALOG_REASON 512 /* bytes of why a set is not served, with its end */

typedef struct catalog catalog;

/* root: empty for none. Sets that cannot be served are explained on `errors`. NULL: the root cannot
 * be read, no memory, explained; or the process shall end. */
catalog *catalog_new(const char *root, bool verify, FILE *errors);
void catalog_free(catalog *s);

/* Looks again: new sets come, those gone go, and what has not changed is not read again. Of a set
 * that cannot be opened, what there was stays if it is whole. False: the root cannot be read, there
 * is no memory, or the process shall end or *end is set; all there was stays. */
bool catalog_scan(catalog *s, const atomic_bool *end, FILE *errors);

/* Whether a set is doubtful, which the next scan settles. */
bool catalog_doubts(catalog *s);

/* The set of this name, retained, or NULL: then `reason` says why a set that is there is not
 * served, and is empty if there is none. */
dataset *catalog_find(catalog *s, const char *name, char reason[CATALOG_REASON]);

/* What is said of all of them, retained. */
description *catalog_describe(catalog *s);

/* The n-th by name of those that are served, retained; NULL past the last. */
dataset *catalog_nth(catalog *s, size_t n);

#endif
