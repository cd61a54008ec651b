/*
 * routes.h - the table of routes: a path, a method, a handler, and the parameters and formats taken
 */
#ifndef ROUTES_H
#define ROUTES_H

#include "resource.h"

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

/* What a route takes, as for Allow; NULL: what there is in all. */
const char *route_methods(const route *r);

/* NULL past the last. */
const route *route_row(unsigned number);
const char *route_name(unsigned number);
#define ROUTE_NONE (METRICS_ROUTES - 1) /* the number of requests that match no row */

#endif
