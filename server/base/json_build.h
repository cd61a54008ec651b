/*
 * json_build.h - jansson's values, built and printed without a check at each step
 *
 * NULL is what memory did not suffice for: it is taken everywhere, and what it goes into becomes
 * NULL too, so that one look at the end tells. Values that are passed are taken over, but for what
 * is printed.
 */
#ifndef TREE_H
#define TREE_H

#include "buffer.h"

#include <jansson.h>

json_t *json_set(json_t *object, const char *key, json_t *value);
json_t *json_append(json_t *array, json_t *value);

/* Appends its text, by jansson's flags; out fails where there is no room, or no value. */
bool json_print(const json_t *value, size_t flags, buffer *out);

/* The same as a line of its own, compact, of what is then let go. */
bool json_print_line(json_t *value, buffer *out);

#endif
