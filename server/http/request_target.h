/*
 * request_target.h - what is wrong with a request's target before anything in it is decoded
 *
 * libmicrohttpd keeps a record in its connection's memory of each parameter of a query. Version
 * 0.9.75 goes wrong where that memory does not hold them all: it waits for ever, or writes into
 * memory that it has given back. So long targets and long queries are refused, and the library is
 * shown no query of theirs.
 */
#ifndef REQUEST_TARGET_H
#define REQUEST_TARGET_H

#include "params/problem.h"

#define REQUEST_TARGET_BYTES      (16u << 10)
#define REQUEST_TARGET_PARAMETERS 100u

typedef struct request_target_fault {
    int status; /* 0: none */
    char parameter[40], detail[160];
} request_target_fault;

request_target_fault request_target_check(const char *target);

/* Whether the library must not parse the query. */
bool request_target_is_too_much(const char *target);

#endif
