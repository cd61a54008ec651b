/*
 * headers.h - the header fields of a request, as libmicrohttpd hands them over
 */
#ifndef HEADERS_H
#define HEADERS_H

#include "guard.h"
#include "trace.h"

#include <microhttpd.h>

/* The first line of a field, or NULL. */
const char *headers_find(struct MHD_Connection *connection, const char *name);

/* RFC 9110 §5.2: all lines of a field are one list, as text. NULL bytes: no line, or
 * no memory for it, which `failed` tells. */
buffer headers_list(struct MHD_Connection *connection, const char *name);

/* The client's X-Request-ID and traceparent, where they are well-formed. */
void headers_trace(struct MHD_Connection *connection, trace *out);

/* The client's address, as text. */
void headers_peer(struct MHD_Connection *connection, char *out, unsigned room);

/* guard_check of the request that the connection is at: its line and the fields it has. */
bool headers_check(struct MHD_Connection *connection, const guard_request *line, problem *p);

#endif
