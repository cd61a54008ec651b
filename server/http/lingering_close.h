/*
 * dregs.h - what clients go on sending after they were refused
 *
 * Closing a socket with unread bytes resets it, and then some clients never see the refusal. So
 * one thread keeps such a connection open, reads what still comes and drops it, until the client
 * ends, or has sent so much, or for so long.
 */
#ifndef DREGS_H
#define DREGS_H

#include <stdint.h>

#define DREGS_PLACES 64 /* connections at once; more are closed at once */

typedef struct dregs dregs;

dregs *dregs_new(uint64_t bytes, unsigned milliseconds);
void dregs_free(dregs *l);

/* Keeps the connection of an open socket, which the caller goes on to write to and close. */
void dregs_take(dregs *l, int fd);

#endif
