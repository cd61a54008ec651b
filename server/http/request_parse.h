/*
 * request_parse.h - a request's head as the arguments of a resource
 */
#ifndef REQUEST_PARSE_H
#define REQUEST_PARSE_H

#include "route.h"

struct MHD_Connection;

/* What the head of a request asks of the resource that it matches, and in which format. What is
 * wrong is explained in p. */
void request_parse(resource_request *c, struct MHD_Connection *connection, const route_match *match,
                   problem *p);

#endif
