/*
 * healthcheck.h - asks a running daemon whether it is alive, for containers without curl
 */
#ifndef HEALTHCHECK_H
#define HEALTHCHECK_H

#include <stdbool.h>
#include <stdio.h>

/* GET /livez at ADDR:PORT (0.0.0.0 and [::] mean this machine); true for 200 within two seconds. */
bool healthcheck_run(const char *listen, FILE *errors);

#endif
