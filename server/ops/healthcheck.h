/*
 * healthcheck.h - checks that a daemon is alive, for containers without curl
 */
#ifndef HEALTHCHECK_H
#define HEALTHCHECK_H

#include <stdbool.h>
#include <stdio.h>

/* Returns true if GET /livez at ADDR:PORT answers 200 within two seconds. 0.0.0.0 and [::] mean
 * this machine. Any certificate is accepted: the check asks its own machine, often by another name.
 */
bool healthcheck_run(const char *listen, bool tls, FILE *errors);

#endif
