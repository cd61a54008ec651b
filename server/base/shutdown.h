/*
 * shutdown.h - whether SIGTERM or SIGINT asks this process to end
 */
#ifndef SHUTDOWN_H
#define SHUTDOWN_H

#include <stdbool.h>

/* From this call on SIGTERM and SIGINT end the process at once, unless they were ignored when it
 * started. The handlers also serve the first process of a container: the kernel delivers to that
 * process only signals for which it has a handler. */
void shutdown_at_once(void);

/* Returns true if SIGTERM or SIGINT is blocked and pending. A long operation asks this when it runs
 * on the thread that would otherwise receive the signal. */
bool shutdown_requested(void);

#endif
