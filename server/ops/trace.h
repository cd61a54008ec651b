/*
 * trace.h - what tells a request from others: in its reply and in the log
 */
#ifndef TRACE_H
#define TRACE_H

#include <stdint.h>
#include <time.h>

#define TRACE_ID     64 /* characters of an X-Request-ID that is taken over */
#define TRACE_PARENT 55 /* of a W3C traceparent */

typedef struct trace {
    char id[TRACE_ID + 1];
    char parent[TRACE_PARENT + 1]; /* empty: none that is valid was sent */
    struct timespec begun;         /* monotonic */
} trace;

/* Now, with an id of our own. */
void trace_begin(trace *t);

/* Takes over what the client sent, where it is well-formed: letters, digits, - _ . of an id;
 * version 00 of a traceparent (W3C Trace Context §3.2). NULL: nothing sent. */
void trace_take(trace *t, const char *id, const char *parent);

/* Milliseconds since. */
double trace_age(const trace *t);

#endif
