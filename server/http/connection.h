/*
 * connection.h - what libmicrohttpd knows of a connection: its socket, TLS session and peer
 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <sys/socket.h>

struct MHD_Connection;

#define CONNECTION_PEER 64 /* bytes of an address as text */

int connection_socket(struct MHD_Connection *connection);

/* The gnutls_session_t; NULL: the connection is not encrypted. */
void *connection_session(struct MHD_Connection *connection);

/* The client's address, or NULL; and the address as text, "-" if it is unknown. */
const struct sockaddr *connection_address(struct MHD_Connection *connection);
void connection_peer(struct MHD_Connection *connection, char out[CONNECTION_PEER]);
void connection_peer_of_socket(int fd, char out[CONNECTION_PEER]);

#endif
