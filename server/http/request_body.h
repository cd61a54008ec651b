/*
 * request_body.h - collects a request's body, up to the size limit
 */
#ifndef REQUEST_BODY_H
#define REQUEST_BODY_H

#include "api/resource.h"

/* Begins an empty body. input->server is set. */
void request_body_begin(resource_request *input);

/* length: the value of Content-Length, which is all digits. False: the body is over the limit,
 * explained. */
bool request_body_announce(resource_request *input, const char *length, problem *p);

/* True: so many bytes in all are over the limit, explained. */
bool request_body_is_too_much(const resource_request *input, uint64_t received, problem *p);

/* Adds a piece. announced: request_body_announce was given the length. False: out of memory; the
 * caller drops the body. */
bool request_body_add(resource_request *input, const char *bytes, size_t length, bool announced);

/* Frees the body; a compute thread frees a large one. */
void request_body_drop(resource_request *input);

#endif
