/*
 * request_head.h - every check that needs only the head of a request
 */
#ifndef REQUEST_HEAD_H
#define REQUEST_HEAD_H

#include "request.h"

/* In this order: guard, token, route, query and format, announced length, media type, queue. The
 * first failure is in the request's result, so that a client that waits for 100 Continue is refused
 * before it sends a body. */
void request_head_read(request *r, const char *path, const char *method, const char *version);

/* Returns true if the request's resource takes a body. */
bool request_head_takes_body(const request *r);

#endif
