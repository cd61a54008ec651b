/*
 * route.h - finds the route of a path
 */
#ifndef ROUTE_H
#define ROUTE_H

#include "api/routes.h"

/* {NAME} in a route's path matches one segment: ROUTE_CAPTURE characters at most, without a slash,
 * dot or comma. */
typedef struct route_match {
    const route *route;
    char captured[ROUTE_CAPTURES][ROUTE_CAPTURE + 1];
    unsigned number;      /* the route's row, for metrics */
    const format *suffix; /* NULL: the path has no suffix */
} route_match;

/* False: 404 or 405, explained in p. Every route takes OPTIONS too. OPTIONS * is true without a
 * route: it is about the whole server. */
bool route_find(const char *path, const char *method, route_match *out, problem *p);

/* Returns true if the request does not need a token. An unknown path needs one. */
bool route_is_open(const char *path, const char *method);

#endif
