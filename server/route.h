/*
 * route.h - which resource a path names
 */
#ifndef ROUTE_H
#define ROUTE_H

#include "call.h"

typedef struct route {
    const char *path;
    const char *method; /* GET (then HEAD too) or POST */
    resource *handler;
    unsigned groups;    /* parameters it takes */
    format_set formats; /* 0: plain text of its own */
    const char *meaning;
} route;

typedef struct route_match {
    const route *route;
    unsigned number;      /* row, for metrics */
    const format *suffix; /* NULL: none in the path */
} route_match;

/* False: 404 or 405, explained in p. */
bool route_find(const char *path, const char *method, route_match *out, problem *p);

const char *route_name(unsigned number);
#define ROUTE_NONE (METRICS_ROUTES - 1) /* the number of requests that match no row */

#endif
