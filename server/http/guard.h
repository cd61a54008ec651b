/*
 * guard.h - refuses requests that are ambiguous: RFC 9112, by the request line and fields alone
 *
 * A request that a proxy and this server parse differently can smuggle another request. So an
 * ambiguous request is refused, and its connection closed. Pure functions: without a socket or a
 * library.
 */
#ifndef GUARD_H
#define GUARD_H

#include "params/problem.h"

#include <stdbool.h>
#include <stddef.h>

#define GUARD_FIELDS 100 /* header fields of one request */

/* As received. A NUL ends name and value; a NUL within shows by the length. */
typedef struct guard_field {
    const char *name, *value;
    size_t name_length, value_length;
} guard_field;

/* The form of a target before decoding (RFC 9112 §3.2), or the reason why the target is invalid. */
typedef enum guard_form {
    GUARD_ORIGIN,    /* /path?query */
    GUARD_ABSOLUTE,  /* http://host/path?query */
    GUARD_NUL,       /* one of these two with an encoded NUL in its path */
    GUARD_SLASH,     /* one of these two with an encoded slash in its path */
    GUARD_ASTERISK,  /* *, for OPTIONS alone */
    GUARD_AUTHORITY, /* host:port, for CONNECT alone */
    GUARD_UNCLEAN,   /* invalid: a space, a control character or a character outside ASCII */
    GUARD_FRAGMENT,  /* invalid: a fragment */
    GUARD_HOSTLESS,  /* invalid: a URL whose authority is not a host, or host and port */
    GUARD_FORMLESS,  /* invalid: another form */
} guard_form;

typedef struct guard_request {
    const char *method, *target, *version;
    size_t target_length; /* as received; the target may be decoded in place by now */
    guard_form form;
    const guard_field *fields; /* at most GUARD_FIELDS */
    size_t count;              /* of all fields; more than GUARD_FIELDS are refused */
    /* The length of the head, if all strings above lie where the head was received; else 0. */
    size_t size;
} guard_request;

guard_form guard_target(const char *target);

/* The path of a valid target, decoded or not: for an absolute-form, the part after the authority.
 */
const char *guard_path(const char *target);

/* Explains a request that libmicrohttpd refuses by itself, with this status. */
void guard_explain(int status, problem *p);

/* False: refused, explained in p; the connection must be closed. */
bool guard_check(const guard_request *r, problem *p);

#endif
