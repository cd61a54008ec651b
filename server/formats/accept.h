/*
 * accept.h - the Accept header field (RFC 9110 §12.5.1)
 */
#ifndef ACCEPT_H
#define ACCEPT_H

/* The quality of a media type in thousandths, given by the most specific range that matches the
 * type. 0: the client does not accept the type. */
unsigned accept_quality(const char *accept, const char *type);

#endif
