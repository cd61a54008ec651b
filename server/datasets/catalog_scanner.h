/*
 * catalog_scanner.h - the thread that scans the catalog
 *
 * A scan takes as long as it takes to read the new sets; a caller that asks for one, as SIGHUP
 * does, does not wait. Once a second the thread also looks for doubtful sets, and scans if it finds
 * one.
 */
#ifndef CATALOG_SCANNER_H
#define CATALOG_SCANNER_H

#include "catalog.h"

typedef struct catalog_scanner catalog_scanner;

/* The catalog and the stream are borrowed. NULL: no memory or no thread. */
catalog_scanner *catalog_scanner_new(catalog *s, FILE *errors);

/* Returns at once. If a scan is under way, another scan follows it: the first may have passed the
 * change already. */
void catalog_scanner_ask(catalog_scanner *s);

/* Stops the scan under way within milliseconds, and starts no other. */
void catalog_scanner_end(catalog_scanner *s);

/* Stops the thread, and waits for it. s may be NULL. */
void catalog_scanner_free(catalog_scanner *s);

#endif
