/*
 * json_build.h - builds and prints jansson's values without a check at each step
 *
 * A NULL value stands for a failed allocation. Each function accepts NULL, and an object or array
 * that NULL is put into becomes NULL, so one check at the end is enough. The functions take the
 * values they are passed; json_print borrows its value.
 */
#ifndef JSON_BUILD_H
#define JSON_BUILD_H

#include "buffer.h"

#include <jansson.h>

json_t *json_set(json_t *object, const char *key, json_t *value);
json_t *json_append(json_t *array, json_t *value);

/* Appends the value's text, written with jansson's flags. `out` fails where the text does not fit,
 * or the value is NULL. */
bool json_print(const json_t *value, size_t flags, buffer *out);

/* Appends the value as one compact line, and takes the value. */
bool json_print_line(json_t *value, buffer *out);

#endif
