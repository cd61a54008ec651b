/*
 * log.h - one line for each request, on a stream
 */
#ifndef LOG_H
#define LOG_H

#include "trace.h"

#include <stdio.h>

typedef enum log_kind { LOG_JSON, LOG_TEXT, LOG_OFF } log_kind;

typedef struct log_entry {
    const trace *trace;
    const char *method, *target, *route, *peer;
    const char *format; /* of the answer, or "none" */
    const char *reason; /* of a refusal; NULL: none was */
    int status;
    uint64_t bytes; /* of the body that was sent */
} log_entry;

/* Any thread; a line is written at once, whole. */
void log_request(FILE *out, log_kind kind, const log_entry *e);

#endif
