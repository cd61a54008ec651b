#include "fd_limit.h"
#include "base/message.h"
#include "lingering_close.h"

#include <inttypes.h>
#include <sys/resource.h>

/* Descriptors beside those of connections: standard streams, listener, event descriptors, and two
 * for each I/O thread (11 were measured with two I/O threads), and the duplicates of refused
 * connections. */
static uint64_t others(const config *c) {
    return 24 + 2 * c->io_threads + LINGERING_CLOSE_PLACES;
}

bool fd_limit_fit(config *c, FILE *errors) {
    struct rlimit limit;
    uint64_t wanted = c->connections + others(c);
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return true;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : (rlim_t)wanted;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return true;
    uint64_t allowed = limit.rlim_cur;
    if (allowed < others(c) + CONFIG_CONNECTIONS_LEAST) {
        message_print(errors,
                      "fmixd: the process may open only %" PRIu64
                      " file descriptors; it needs at least %" PRIu64 "\n",
                      allowed, others(c) + CONFIG_CONNECTIONS_LEAST);
        return false;
    }
    message_print(errors,
                  "fmixd: the process may open only %" PRIu64
                  " file descriptors, so connections is %" PRIu64 ", not %" PRIu64 "\n",
                  allowed, allowed - others(c), c->connections);
    c->connections = allowed - others(c);
    return true;
}
