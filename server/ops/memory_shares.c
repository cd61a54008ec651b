#include "memory_shares.h"
#include "base/message.h"

#include <inttypes.h>
#include <malloc.h>

#define REST_BYTES        (12u << 10) /* a connection's, request's and reply's structures */
#define TLS_BYTES         (48u << 10) /* a session: 10 KiB, and an unfinished record: 39 KiB */
#define BUFFER_POOL_BYTES (64u << 20) /* slices of two image batches, and a body or two */

/* Larger blocks are mapped, so that freeing returns them to the kernel. */
#define MAPPED_BYTES  (1 << 20)
#define TRIMMED_BYTES (1 << 20)
#define ARENAS        2

static uint64_t bytes_of_one(const config *c) {
    return MEMORY_SHARES_POOL + REST_BYTES + (c->tls_cert[0] ? TLS_BYTES : 0);
}

static void fit_connections(config *c, FILE *errors) {
    uint64_t fit = c->memory / 4 / bytes_of_one(c);
    fit = fit < CONFIG_CONNECTIONS_LEAST ? CONFIG_CONNECTIONS_LEAST : fit;
    if (c->connections <= fit)
        return;
    message_print(errors,
                  "fmixd: connections is lowered from %" PRIu64 " to %" PRIu64
                  ", the most that a quarter of memory (%" PRIu64 " bytes) holds\n",
                  c->connections, fit, c->memory);
    c->connections = fit;
}

memory_shares memory_shares_divide(config *c, FILE *errors) {
    fit_connections(c, errors);
    memory_shares s = {.connections = c->connections * bytes_of_one(c),
                       .buffer_pool =
                           c->memory / 16 < BUFFER_POOL_BYTES ? c->memory / 16 : BUFFER_POOL_BYTES};
    /* Even the fewest connections may need more than a quarter. */
    s.connections = s.connections < c->memory / 2 ? s.connections : c->memory / 2;
    s.requests = c->memory - s.connections - s.buffer_pool;
    return s;
}

void memory_shares_configure_heap(void) {
    mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
    mallopt(M_TRIM_THRESHOLD, TRIMMED_BYTES);
    mallopt(M_ARENA_MAX, ARENAS);
    /* Freed blocks are merged at once. Otherwise glibc merges the small ones whenever a large one
     * is freed, and FFTW frees a large one with each transform of some shapes. */
    mallopt(M_MXFAST, 0);
}
