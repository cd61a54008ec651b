/*
 * healthcheck.h - asks a running daemon whether it is alive, for containers without curl
 */
#ifndef HEALTHCHECK_H
#define HEALTHCHECK_H

#include <stdbool.h>
#include <stdio.h>

/* GET /livez at ADDR:PORT (0.0.0.0 and [::] mean this machine); true for 200 within two seconds. By
 * TLS any certificate will do: it is its own machine that it asks, often by another name. */
bool healthcheck_run(const char *listen, bool tls, FILE *errors);

#endif
