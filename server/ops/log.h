/*
 * log.h - a queue of lines for a descriptor, which callers never wait for
 *
 * The reader of stderr may stop reading, and a disk may be full. So lines are queued and one thread
 * writes them. A line is dropped and counted if the queue is full or writing fails. Messages of a
 * running daemon take the same way: a thread that wrote them to stderr itself would wait for the
 * reader, and not handle signals meanwhile.
 */
#ifndef LOG_H
#define LOG_H

#include "log_line.h"

#include <stddef.h>
#include <stdio.h>

#define LOG_ROOM (256u << 10) /* bytes of queued lines */

typedef struct log_lines log_lines;

/* Borrows the descriptor. NULL without memory, or if a thread cannot be started. */
log_lines *log_new(int fd, log_kind kind);
/* Writes the queued lines for at most a second, and frees the log. */
void log_free(log_lines *l);

/* A stream for messages (message.h) from any thread. The log owns the stream. */
FILE *log_messages(log_lines *l);

/* Waits until all queued lines are written, but at most a second. */
void log_flush(log_lines *l);

/* Queues the whole line, or drops it. Any thread may call. */
void log_request(log_lines *l, const log_entry *e);

/* The number of dropped lines. */
uint64_t log_dropped(log_lines *l);

#endif
