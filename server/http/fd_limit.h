/*
 * fd_limit.h - limits connections to the file descriptors that the process may open
 *
 * If accept fails because the process has no free descriptor, an I/O thread of libmicrohttpd 0.9.75
 * without a connection repeats accept in a busy loop until a descriptor is free. So the daemon
 * never reaches the limit: further clients wait in the backlog.
 */
#ifndef FD_LIMIT_H
#define FD_LIMIT_H

#include "ops/config.h"

/* Raises the limit of the process if needed and allowed, and lowers c->connections to that limit,
 * with a message on `errors`. False: the limit is too low for the fewest connections, explained. */
bool fd_limit_fit(config *c, FILE *errors);

#endif
