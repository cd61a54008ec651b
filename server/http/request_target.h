/*
 * request_target.h - checks of a request's target before libmicrohttpd decodes the target
 *
 * libmicrohttpd keeps a record of each query parameter in the connection's memory. If that memory
 * cannot hold all records, version 0.9.75 waits for ever, or writes into memory that it has given
 * back. So long targets and long queries are refused, and their query is hidden from the library.
 */
#ifndef REQUEST_TARGET_H
#define REQUEST_TARGET_H

#include "params/problem.h"

#define REQUEST_TARGET_BYTES      (16u << 10)
#define REQUEST_TARGET_PARAMETERS 100u

typedef struct request_target_fault {
    int status; /* 0: the target is good */
    char parameter[40], detail[160];
} request_target_fault;

request_target_fault request_target_check(const char *target);

/* Returns true if the query must be hidden from the library. */
bool request_target_is_too_much(const char *target);

#endif
