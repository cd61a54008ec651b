/*
 * scanner.h - a thread that looks for data sets, which takes as long as it takes to read them
 *
 * So whoever asks for it, as SIGHUP does, waits for nothing. It also looks once a second whether a
 * set has become doubtful, and settles that without being asked.
 */
#ifndef SCANNER_H
#define SCANNER_H

#include "catalog.h"

typedef struct catalog_scanner catalog_scanner;

/* The shelf and the stream are borrowed. NULL: no memory or no thread. */
catalog_scanner *catalog_scanner_new(catalog *s, FILE *errors);

/* Returns at once. Where a scan is under way another one follows it, for what it has passed by may
 * have changed since. */
void catalog_scanner_ask(catalog_scanner *s);

/* Ends the scan under way, within milliseconds, and begins none any more. */
void catalog_scanner_end(catalog_scanner *s);

/* Ends it and waits for that. May be NULL. */
void catalog_scanner_free(catalog_scanner *s);

#endif
