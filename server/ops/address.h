/*
 * address.h - the text of an address to listen on
 */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

/* Splits "127.0.0.1:8080" or "[::1]:8080". False: the text is malformed, or the host does not fit
 * `room` bytes. */
bool address_split(const char *listen, char *host, unsigned room, uint16_t *port);

#endif
