/*
 * space.h - what the setting `memory` is divided into, and a heap that keeps to it
 *
 * A connection costs memory before it has sent a request that could be refused: what libmicrohttpd
 * keeps of its head, and its TLS session. So connections have a part of their own, as many as fit
 * it, and requests hold the rest together.
 */
#ifndef SPACE_H
#define SPACE_H

#include "config.h"

#define SPACE_POOL (64u << 10) /* of a connection: headers, and a piece of a body at a time */

typedef struct space {
    uint64_t connections; /* bytes set aside for them, a quarter at most */
    uint64_t slabs;       /* that are kept from one answer for the next */
    uint64_t requests;    /* that all of them may hold together */
} space;

/* Lowers c->connections to as many as fit, which is said on `errors`. */
space space_divide(config *c, FILE *errors);

/* To be called before there is a second thread. */
void space_begin(void);

#endif
