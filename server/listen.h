/*
 * listen.h - the listening socket
 */
#ifndef LISTEN_H
#define LISTEN_H

#include <stddef.h>
#include <stdio.h>

/* Binds "ADDR:PORT" and listens. The descriptor, and in `address` where it is, with the port that
 * was picked for 0; -1: explained on `errors`. */
int listen_on(const char *listen_at, char *address, size_t room, FILE *errors);

#endif
