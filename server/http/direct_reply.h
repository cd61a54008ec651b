/*
 * direct_reply.h - a reply that this program writes to the socket itself
 *
 * libmicrohttpd does not accept a response before a request's body has ended. A refusal at such a
 * moment bypasses the library: the reply goes to the socket, or into the connection's TLS session,
 * and the caller ends the connection.
 */
#ifndef DIRECT_REPLY_H
#define DIRECT_REPLY_H

#include "identity.h"
#include "params/problem.h"

/* session: the connection's TLS session or NULL; a session is for its I/O thread alone. client
 * may be NULL. has_body: false for a reply to HEAD. Bytes that the socket does not take at once are
 * dropped. Returns the length of the body. */
size_t direct_reply_send(int fd, void *session, const identity *client, const problem *p,
                         bool has_body);

#endif
