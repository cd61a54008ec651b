/*
 * catalog.h - the data sets under a directory, by name
 *
 * A set that is retained stays open, even after a scan has replaced it. The catalog also knows the
 * sets that are there but cannot be served, with the reason.
 *
 * Threads: any; but only one at a time may scan.
 */
#ifndef CATALOG_H
#define CATALOG_H

#include "description.h"
#include "verification.h"

#define CATALOG_REASON 512 /* bytes of why a set is not served, with its end */

typedef struct catalog catalog;

/* root: empty where no sets are served. Sets that cannot be served are explained on `errors`, which
 * lives as long as the catalog: damage that is found later is named there, too. NULL: the root
 * cannot be read, or no memory, either explained; or the process shall end. */
catalog *catalog_new(const char *root, dataset_verify verify, FILE *errors);
void catalog_free(catalog *c);

/* Looks at the directory again. Sets that have not changed are not read again; a set that cannot be
 * opened does not replace an older one that is whole. False: the catalog stays what it was, because
 * the root cannot be read, there is no memory, the process shall end, or *stop is set (stop may be
 * NULL). */
bool catalog_scan(catalog *c, const atomic_bool *stop, FILE *errors);

/* Returns true if any set is doubtful (mapped_file.h). The next scan reads such a set again. */
bool catalog_has_doubtful(catalog *c);

/* The set of this name, retained. NULL: `reason` says why the set is not served, or is empty where
 * there is no such set. */
dataset *catalog_find(catalog *c, const char *name, char reason[CATALOG_REASON]);

/* The description of all sets that are served, retained. */
description *catalog_describe(catalog *c);

/* The pieces of all sets that are served, as far as they have any. */
void catalog_count_pieces(catalog *c, verification_counts *out);

typedef struct catalog_damage {
    char name[DATASET_NAME + 1];
    size_t pieces;
} catalog_damage;

/* The first sets, in the order of names, that have damaged pieces; returns how many, at most
 * `most`. */
size_t catalog_damaged(catalog *c, catalog_damage *out, size_t most);

typedef struct catalog_counts {
    size_t served, refused;
} catalog_counts;

/* Counts the sets that are served, and those that are there but of which every batch is refused.
 * names: the first of the latter, in the order of names, at most `most`; returns how many. */
size_t catalog_count_sets(catalog *c, catalog_counts *out, char names[][DATASET_NAME + 1],
                          size_t most);

/* The n-th set that is served, in the order of names, retained. NULL: there are not more than n. */
dataset *catalog_nth(catalog *c, size_t n);

#endif
