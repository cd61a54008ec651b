/*
 * route.h - which resource a path names
 */
#ifndef ROUTE_H
#define ROUTE_H

#include "api/resource.h"

typedef struct route {
    const char *path;
    const char *method; /* GET (then HEAD too) or POST */
    resource *handler;
    resource_weight *weight;    /* of the handler; NULL: next to none, whatever is asked */
    unsigned groups;            /* parameters it takes */
    format_set formats;         /* 0: one of its own, `media` */
    const char *media, *schema; /* of an answer without formats; its schema in openapi.c */
    bool open;                  /* needs no token */
    const char *meaning;
} route;

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

/* What a route takes, as for Allow; NULL: what there is in all. */
const char *route_methods(const route *r);

/* NULL past the last. */
const route *route_row(unsigned number);
const char *route_name(unsigned number);
#define ROUTE_NONE (METRICS_ROUTES - 1) /* the number of requests that match no row */

#endif
