/*
 * client_key.h - the number by which the scheduler tells clients apart
 */
#ifndef CLIENT_KEY_H
#define CLIENT_KEY_H

#include <stdint.h>

struct sockaddr;

/* The key of a client that sent a token: a hash of the token's name. */
uint64_t client_key_of_name(const char *name);

/* The key of another client: a hash of its IPv4 address, or of the /64 of its IPv6 address, which
 * one client has whole. NULL: the address is unknown; all unknown clients share a key. */
uint64_t client_key_of_address(const struct sockaddr *address);

#endif
