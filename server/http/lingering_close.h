/*
 * dregs.h - what clients go on sending after they were refused
 *
 * Closing a socket with unread bytes resets it, and then some clients never see the refusal. So
 * one thread keeps such a connection open, reads what still comes and drops it, until the client
 * ends, or has sent so much, or for so long.
 */
#ifndef LINGERING_CLOSE_H
#define LINGERING_CLOSE_H

#include <stdint.h>

#define LINGERING_CLOSE_PLACES 64 /* connections at once; more are closed at once */

typedef struct lingering_close lingering_close;

lingering_close *lingering_close_new(uint64_t bytes, unsigned milliseconds);
void lingering_close_free(lingering_close *l);

/* Keeps the connection of an open socket, which the caller goes on to write to and close. */
void lingering_close_take(lingering_close *l, int fd);

#endif
