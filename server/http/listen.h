/*
 * listen.h - the listening socket
 */
#ifndef LISTEN_H
#define LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

/* Where a socket is, as ADDR:PORT; false: nowhere. */
bool listen_name(int fd, char *address, size_t room);

/* Binds "ADDR:PORT" and listens. The descriptor, and in `address` where it is, with the port that
 * was picked for 0; -1: explained on `errors`. */
int listen_on(const char *listen_at, char *address, size_t room, FILE *errors);

/* Lets nobody new in: their first packets are dropped, and come again. Those who are in can still
 * be accepted; closing at once would reset them. */
void listen_shut(int fd);

/* The next who waits, non-blocking, and where it comes from; -1: nobody does. */
int listen_accept(int fd, struct sockaddr_storage *peer, socklen_t *size);

#endif
