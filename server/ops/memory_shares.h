/*
 * memory_shares.h - what the setting `memory` is divided into, and a heap that keeps to it
 *
 * A connection costs memory before it has sent a request that could be refused: what libmicrohttpd
 * keeps of its head, and its TLS session. So connections have a part of their own, as many as fit
 * it, and requests hold the rest together.
 */
#ifndef SPACE_H
#define SPACE_H

#include "config.h"

#define MEMORY_SHARES_POOL                                                                         \
    (64u << 10) /* of a connection: headers, and a piece of a body at a time */

typedef struct memory_shares {
    uint64_t connections; /* bytes set aside for them, a quarter at most */
    uint64_t buffer_pool; /* that are kept from one answer for the next */
    uint64_t requests;    /* that all of them may hold together */
} memory_shares;

/* Lowers c->connections to as many as fit, which is said on `errors`. */
memory_shares memory_shares_divide(config *c, FILE *errors);

/* To be called before there is a second thread. */
void memory_shares_configure_heap(void);

#endif
