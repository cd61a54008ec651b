/*
 * metrics.h - counters, in Prometheus' text format
 */
#ifndef METRICS_H
#define METRICS_H

#include <stdatomic.h>
#include <stdint.h>

#define METRICS_ROUTES   16 /* the last for requests that match none */
#define METRICS_STATUSES 22

typedef struct metrics {
    _Atomic uint64_t requests[METRICS_ROUTES][METRICS_STATUSES];
    _Atomic uint64_t bytes;        /* of bodies handed to the network */
    _Atomic uint64_t not_modified; /* answered from the ETag alone */
    _Atomic int64_t in_flight;
} metrics;

/* The status of a column; 0: any other. */
int metrics_status(unsigned column);

/* route: its row in the table of routes, or ROUTE_NONE. */
void metrics_request(metrics *m, unsigned route, int status);

#endif
