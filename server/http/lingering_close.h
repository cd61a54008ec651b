/*
 * lingering_close.h - keeps a refused connection open until the client has stopped sending
 *
 * Closing a socket with unread bytes resets the connection, and then some clients never see the
 * refusal. So one thread keeps such a connection open, and reads and drops what the client sends,
 * until the client closes, or a limit of bytes or time is reached.
 */
#ifndef LINGERING_CLOSE_H
#define LINGERING_CLOSE_H

#include <stdint.h>

#define LINGERING_CLOSE_PLACES 64 /* connections; the caller's close ends any further ones */

typedef struct lingering_close lingering_close;

/* bytes, milliseconds: limits for one connection. NULL: out of memory or threads. */
lingering_close *lingering_close_new(uint64_t bytes, unsigned milliseconds);
void lingering_close_free(lingering_close *l);

/* Keeps a duplicate of an open socket. The caller goes on to write to its socket and closes it. */
void lingering_close_take(lingering_close *l, int fd);

#endif
