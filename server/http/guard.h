/*
 * guard.h - whether a request may be believed: RFC 9112, on its line and its fields alone
 *
 * What two parsers read differently smuggles requests, so whatever is ambiguous is refused and its
 * connection closed. A pure function: no socket, no library.
 */
#ifndef GUARD_H
#define GUARD_H

#include "params/problem.h"

#include <stdbool.h>
#include <stddef.h>

#define GUARD_FIELDS 100 /* header fields of one request */

/* As they came: a NUL ends each, and their lengths show one within. */
typedef struct guard_field {
    const char *name, *value;
    size_t name_length, value_length;
} guard_field;

/* What a target is, before anything in it is decoded (RFC 9112 §3.2), or why it is none. */
typedef enum guard_form {
    GUARD_ORIGIN,    /* /path?query */
    GUARD_ABSOLUTE,  /* http://host/path?query */
    GUARD_NUL,       /* either of them, well-formed, but with an encoded NUL in its path, */
    GUARD_SLASH,     /* or an encoded slash */
    GUARD_ASTERISK,  /* *, of OPTIONS alone */
    GUARD_AUTHORITY, /* host:port, of CONNECT alone */
    GUARD_UNCLEAN,   /* a space, a control character, not ASCII */
    GUARD_FRAGMENT,
    GUARD_HOSTLESS, /* a URL whose authority is no host and port */
    GUARD_FORMLESS,
} guard_form;

typedef struct guard_request {
    const char *method, *target, *version;
    size_t target_length; /* when it came: its bytes may be decoded by now */
    guard_form form;
    const guard_field *fields; /* at most GUARD_FIELDS */
    size_t count;              /* how many came; more than GUARD_FIELDS is refused */
    /* Bytes of the head as it came, if the above still lie in it where they came; else 0. */
    size_t size;
} guard_request;

guard_form guard_target(const char *target);

/* The path of a good target, decoded or not: what an absolute-form has behind its authority. */
const char *guard_path(const char *target);

/* A request that libmicrohttpd refuses by itself, with this status. */
void guard_explain(int status, problem *p);

/* False: refused, and explained in p. The connection cannot be used any further. */
bool guard_check(const guard_request *r, problem *p);

#endif
