/*
 * trace.h - the identifiers of a request in its reply and in the log
 */
#ifndef TRACE_H
#define TRACE_H

#include <stdint.h>
#include <time.h>

#define TRACE_ID     64 /* characters of a client's X-Request-ID at most */
#define TRACE_PARENT 55 /* characters of a W3C traceparent */

typedef struct trace {
    char id[TRACE_ID + 1];
    char parent[TRACE_PARENT + 1]; /* empty: the client did not send a valid one */
    struct timespec begun;         /* monotonic */
} trace;

/* Begins now, with a new id. */
void trace_begin(trace *t);

/* Takes the client's identifiers if they are well-formed: an id of letters, digits, - _ . and a
 * traceparent of version 00 (W3C Trace Context §3.2). NULL: the client sent none. */
void trace_take(trace *t, const char *id, const char *parent);

/* Milliseconds since trace_begin. */
double trace_age(const trace *t);

#endif
