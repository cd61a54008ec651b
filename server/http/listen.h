/*
 * listen.h - the listening socket
 */
#ifndef LISTEN_H
#define LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

/* The local address of a socket as ADDR:PORT; false: the address is unknown. */
bool listen_name(int fd, char *address, size_t room);

/* Takes "ADDR:PORT", where clients are refused until listen_begin. Returns the descriptor, and in
 * `address` the address with the port that the kernel picked for port 0; -1: explained on `errors`.
 */
int listen_bind(const char *listen_at, char *address, size_t room, FILE *errors);

/* Lets clients connect. False: explained on `errors`. */
bool listen_begin(int fd, const char *address, FILE *errors);

/* Admits no new connections: the kernel drops their SYN packets, which clients repeat. Connections
 * in the backlog can still be accepted; closing the socket now would reset them. */
void listen_shut(int fd);

/* Accepts a connection from the backlog, non-blocking, with its peer; -1: the backlog is empty. */
int listen_accept(int fd, struct sockaddr_storage *peer, socklen_t *size);

#endif
