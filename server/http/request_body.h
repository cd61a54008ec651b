/*
 * request_body.h - a request's body as it comes in: how much is taken, and where it lies
 */
#ifndef REQUEST_BODY_H
#define REQUEST_BODY_H

#include "api/resource.h"

/* Empty. c->service is set. */
void request_body_begin(resource_request *c);

/* So many bytes were announced, in digits. False: more than is taken of any body, explained. */
bool request_body_announce(resource_request *c, const char *length, problem *p);

/* More than is taken of any body, explained; `received` in all. */
bool request_body_is_too_much(const resource_request *c, uint64_t received, problem *p);

/* A piece of it. announced: all that comes is known. False: there is no memory, and what had come
 * is dropped. */
bool request_body_add(resource_request *c, const char *bytes, size_t length, bool announced);

/* Frees it, by another thread if it is large. */
void request_body_drop(resource_request *c);

#endif
