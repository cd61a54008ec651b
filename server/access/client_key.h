/*
 * client_key.h - which client a request counts for, as a number
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <stdint.h>

struct sockaddr;

/* A client that gave a token is its name. */
uint64_t client_key_of_name(const char *name);

/* Another is its address: an IPv4 address whole; of an IPv6 address the /64, which is what one
 * client has. NULL: not known, and all of these are one. */
uint64_t client_key_of_address(const struct sockaddr *address);

#endif
