/*
 * log_line.h - prints a request as a line of the log
 */
#ifndef LOG_LINE_H
#define LOG_LINE_H

#include "trace.h"

#include <stddef.h>

#define LOG_LINE 4096 /* bytes of a line, with its end */

typedef enum log_kind { LOG_JSON, LOG_TEXT, LOG_OFF } log_kind;

typedef struct log_entry {
    const trace *trace;
    const char *method, *target, *route, *peer;
    const char *format; /* of the answer, or "none" */
    const char *reason; /* of a refusal; NULL: the request was not refused */
    const char *client; /* the name of the request's token; empty: there is none */
    int status;
    uint64_t bytes; /* sent, of the body */
} log_entry;

/* The line in JSON or text, with its end. 0: the line has more than LOG_LINE bytes. */
size_t log_render(log_kind kind, const log_entry *e, char out[LOG_LINE]);

#endif
