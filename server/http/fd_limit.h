/*
 * fd_limit.h - as many connections as the process may have descriptors for
 *
 * Where accepting fails for want of one, an I/O thread of libmicrohttpd 0.9.75 that has no
 * connection tries again at once, with all of a core, until one is free. So it never comes to that:
 * who is one too many waits in the backlog.
 */
#ifndef FD_LIMIT_H
#define FD_LIMIT_H

#include "ops/config.h"

/* Raises the process's limit as far as it may, and lowers c->connections to what it then allows,
 * which is said on `errors`. False: not even the fewest connections, explained. */
bool fd_limit_fit(config *c, FILE *errors);

#endif
