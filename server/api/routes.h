/*
 * routes.h - the table of routes: a path, a method, a handler, and the parameters and formats taken
 */
#ifndef ROUTES_H
#define ROUTES_H

#include "resource.h"

typedef struct route {
    const char *path;
    const char *method; /* GET, which implies HEAD, or POST */
    resource *handler;
    resource_weight *weight;    /* of the handler; NULL: negligible for every request */
    unsigned groups;            /* of parameters that the resource takes */
    format_set formats;         /* 0: the answer has the media type `media` */
    const char *media, *schema; /* of an answer without formats; schema: a name in openapi.c */
    bool open;                  /* requires no token */
    const char *meaning;        /* one line, for the documentation */
} route;

/* The methods of a route, as the header Allow lists them; NULL: the methods of all routes. */
const char *route_methods(const route *r);

/* NULL past the last route. */
const route *route_row(unsigned number);
const char *route_name(unsigned number);
#define ROUTE_NONE (METRICS_ROUTES - 1) /* counts the requests that match no route */

#endif
