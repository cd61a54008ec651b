/*
 * guard.h - whether a request may be believed: RFC 9112, on its line and its fields alone
 *
 * What two parsers read differently smuggles requests, so whatever is ambiguous is refused and its
 * connection closed. A pure function: no socket, no library.
 */
#ifndef GUARD_H
#define GUARD_H

#include "problem.h"

#include <stdbool.h>
#include <stddef.h>

#define GUARD_FIELDS 100 /* header fields of one request */

/* As they came, with their lengths: a NUL within is seen. value may be NULL: nothing there. */
typedef struct guard_field {
    const char *name, *value;
    size_t name_length, value_length;
} guard_field;

typedef struct guard_request {
    const char *method, *version;
    const guard_field *fields; /* at most GUARD_FIELDS */
    size_t count;              /* how many came; more than GUARD_FIELDS is refused */
} guard_request;

/* False: refused, and explained in p. The connection cannot be used any further. */
bool guard_check(const guard_request *r, problem *p);

/* What is wrong with a request target before anything in it is decoded, or NULL. */
const char *guard_target(const char *target);

/* The path of a good target: what an absolute-form has behind its authority. */
const char *guard_path(const char *target);

#endif
