/*
 * memory_shares.h - the shares of the setting `memory`, and a heap that keeps to them
 *
 * A connection takes memory before its request can be refused: libmicrohttpd's pool for the header,
 * and a TLS session. So connections have a share of their own, which limits their number. Requests
 * have the rest.
 */
#ifndef MEMORY_SHARES_H
#define MEMORY_SHARES_H

#include "config.h"

#define MEMORY_SHARES_POOL (64u << 10) /* of a connection: headers, and one piece of a body */

typedef struct memory_shares {
    uint64_t connections; /* bytes for connections */
    uint64_t buffer_pool; /* bytes of buffers that answers reuse */
    uint64_t requests;    /* bytes for all requests together */
} memory_shares;

/* Lowers c->connections to the number that fits, and reports that on `errors`. */
memory_shares memory_shares_divide(config *c, FILE *errors);

/* Must be called before a second thread starts. */
void memory_shares_configure_heap(void);

#endif
