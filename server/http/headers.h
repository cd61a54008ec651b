/*
 * headers.h - the header fields of a request, as libmicrohttpd hands them over
 */
#ifndef HEADERS_H
#define HEADERS_H

#include "guard.h"
#include "ops/trace.h"

#include <microhttpd.h>

/* The first line of a field, or NULL. */
const char *headers_find(struct MHD_Connection *connection, const char *name);

/* The same of a field that is one line: several are said, and any of them given. */
const char *headers_only(struct MHD_Connection *connection, const char *name, bool *repeated);

/* RFC 9110 §5.2: all lines of a field are one list, as text. NULL bytes: no line, or
 * no memory for it, which `failed` tells. */
buffer headers_list(struct MHD_Connection *connection, const char *name);

/* Takes off white space behind the value of each field, as RFC 9112 §5 says; libmicrohttpd 0.9.75
 * does not. After headers_check, which counts it. */
void headers_trim(struct MHD_Connection *connection);

/* Of a target that libmicrohttpd shows before it has parsed the query: whether the line holds more
 * of it behind a NUL, and that there are no parameters to parse. */
bool headers_has_hidden(const char *target);
void headers_hide_query(const char *target);

/* Whether a body follows the head (RFC 9112 §6.3). */
bool headers_has_body(struct MHD_Connection *connection);

/* Lets the library ignore the expectation of a request without a body, as RFC 9110 §10.1.1 says.
 * Version 0.9.75 answers it with 100, then takes a request that is pipelined behind it for a body
 * and refuses the answer. After headers_check, which looks at the value. */
void headers_forget_expectation(struct MHD_Connection *connection);

/* The client's X-Request-ID and traceparent, where they are well-formed. */
void headers_trace(struct MHD_Connection *connection, trace *out);

/* guard_check of the request that the connection is at: its line and the fields it has. */
bool headers_check(struct MHD_Connection *connection, const guard_request *line, problem *p);

#endif
