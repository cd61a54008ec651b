/*
 * log.h - one line for each request, on a descriptor, without ever waiting for it
 *
 * Whoever reads stderr may stop, and a disk may be full. So lines are queued, one thread writes
 * them, and what finds the queue full or cannot be written is dropped and counted. Messages of a
 * running daemon go the same way: whoever said one to stderr itself would wait for its reader, and
 * hear no signal meanwhile.
 */
#ifndef LOG_H
#define LOG_H

#include "trace.h"

#include <stddef.h>
#include <stdio.h>

#define LOG_ROOM (256u << 10) /* bytes of lines that wait */
#define LOG_LINE 4096         /* of one that tells of a request */

typedef enum log_kind { LOG_JSON, LOG_TEXT, LOG_OFF } log_kind;

typedef struct log_entry {
    const trace *trace;
    const char *method, *target, *route, *peer;
    const char *format; /* of the answer, or "none" */
    const char *reason; /* of a refusal; NULL: none was */
    const char *client; /* whose token it came with; empty: nobody's */
    int status;
    uint64_t bytes; /* of the body that was sent */
} log_entry;

typedef struct log_lines log_lines;

/* Borrows the descriptor. NULL without memory or a thread. */
log_lines *log_new(int fd, log_kind kind);
/* Writes what is queued, if that takes at most a second; no line may be added any more. */
void log_free(log_lines *l);

/* The line, of JSON or text, with its end; 0: it has more than LOG_LINE bytes. */
size_t log_render(log_kind kind, const log_entry *e, char out[LOG_LINE]);

/* For messages (message.h), by any thread; the log's own, until that ends. */
FILE *log_messages(log_lines *l);

/* Waits until all that was added is written, at most a second. */
void log_flush(log_lines *l);

/* Any thread; the line is whole or dropped. */
void log_request(log_lines *l, const log_entry *e);

/* Lines lost so far. */
uint64_t log_dropped(log_lines *l);

#endif
