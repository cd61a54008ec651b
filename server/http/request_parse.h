/*
 * request_parse.h - turns a request's head into the input of a resource
 */
#ifndef REQUEST_PARSE_H
#define REQUEST_PARSE_H

#include "route.h"

struct MHD_Connection;

/* Sets the query, the format, the captured path segments and the content type of the input. Errors
 * are in p. */
void request_parse(resource_request *input, struct MHD_Connection *connection,
                   const route_match *match, problem *p);

#endif
