/*
 * etag.h - the validator of an answer (RFC 9110 §8.8.3), and lists of validators
 */
#ifndef ETAG_H
#define ETAG_H

#include <stdbool.h>

#define ETAG_ROOM 40

/* A strong ETag, quoted: a digest of the recipe's text, the resource, the format and the version of
 * the format's encoder. */
void etag_make(const char *text, const char *resource, const char *format, unsigned version,
               char out[ETAG_ROOM]);

/* Returns true if an If-None-Match list holds the ETag, by weak comparison. NULL: there is no list.
 */
bool etag_matches(const char *list, const char *etag);

/* Returns true if an If-Match list holds the ETag, by strong comparison. NULL: there is no list. */
bool etag_is_named(const char *list, const char *etag);

#endif
