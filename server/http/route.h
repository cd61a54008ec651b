/*
 * route.h - which resource a path names
 */
#ifndef ROUTE_H
#define ROUTE_H

#include "api/routes.h"

/* {NAME} in a path stands for one part of it, of letters, digits, _ and -. */
typedef struct route_match {
    const route *route;
    char captured[ROUTE_CAPTURES][ROUTE_CAPTURE + 1];
    unsigned number;      /* row, for metrics */
    const format *suffix; /* NULL: none in the path */
} route_match;

/* False: 404 or 405, explained in p. OPTIONS is found wherever another method is, and of the whole
 * server, *, which is no route. */
bool route_find(const char *path, const char *method, route_match *out, problem *p);

/* Whether a request for it needs no token; of what is not there it does. */
bool route_is_open(const char *path, const char *method);

#endif
