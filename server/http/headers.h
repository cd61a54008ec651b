/*
 * headers.h - the header fields of a request, as libmicrohttpd hands them over
 */
#ifndef HEADERS_H
#define HEADERS_H

#include "guard.h"
#include "ops/trace.h"

#include <microhttpd.h>

/* The value of the field's first line, or NULL. */
const char *headers_find(struct MHD_Connection *connection, const char *name);

/* For a field that must have one line: the value of any line or NULL, and in *repeated whether the
 * field has several lines. */
const char *headers_only(struct MHD_Connection *connection, const char *name, bool *repeated);

/* All lines of a field as one comma-separated list (RFC 9110 §5.2), ended by a NUL. NULL bytes: the
 * field is absent, or, if `failed` is set, there is no memory for the list. */
buffer headers_list(struct MHD_Connection *connection, const char *name);

/* Removes white space after the value of each field (RFC 9112 §5); libmicrohttpd 0.9.75 leaves it.
 * Call after headers_check, which needs the values as they came. */
void headers_trim(struct MHD_Connection *connection);

/* The next two functions take a target in the connection's memory, before libmicrohttpd has parsed
 * the query. */

/* Returns true if the target goes on after a NUL. */
bool headers_has_hidden(const char *target);

/* Empties the query, so that libmicrohttpd does not parse parameters. */
void headers_hide_query(const char *target);

/* Returns true if a body follows the head (RFC 9112 §6.3). */
bool headers_has_body(struct MHD_Connection *connection);

/* Makes the library ignore the expectation of a request without a body (RFC 9110 §10.1.1). Version
 * 0.9.75 would send 100 Continue, take a pipelined request for the body, and reject the response.
 * Call after headers_check, which reads the value. */
void headers_forget_expectation(struct MHD_Connection *connection);

/* Takes over the client's X-Request-ID and traceparent if they are well-formed. */
void headers_trace(struct MHD_Connection *connection, trace *out);

/* guard_check of the connection's current request: this request line, and the request's fields. */
bool headers_check(struct MHD_Connection *connection, const guard_request *line, problem *p);

#endif
