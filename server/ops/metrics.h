/*
 * metrics.h - counters of requests for Prometheus
 *
 * Tables of fixed size and relaxed atomics: counting does not wait and does not allocate. Only
 * statuses of answers with tensors have a column for each format, so the number of series is
 * bounded. api/metrics_page.c prints the series.
 */
#ifndef METRICS_H
#define METRICS_H

#include "base/budget.h"
#include "params/problem.h"

#include <stdatomic.h>
#include <stdint.h>

#define METRICS_ROUTES    20 /* the last: requests that do not match a route */
#define METRICS_STATUSES  26 /* the last: any other status */
#define METRICS_FORMATS   8  /* the first: no format */
#define METRICS_FORMATTED 4  /* the first statuses, which have a column for each format */
#define METRICS_COLUMNS   (METRICS_STATUSES + METRICS_FORMATTED * (METRICS_FORMATS - 1))
#define METRICS_BUCKETS   19         /* of a histogram; the last has no bound */
#define METRICS_HELD      (8u << 20) /* bytes of all texts of /metrics in progress */

typedef enum metrics_kind { METRICS_DURATION, METRICS_SIZE, METRICS_KINDS } metrics_kind;

typedef struct metrics_histogram {
    _Atomic uint64_t counts[METRICS_BUCKETS]; /* not cumulative */
    _Atomic uint64_t sum;
} metrics_histogram;

typedef struct metrics {
    metrics_histogram requests[METRICS_ROUTES][METRICS_COLUMNS][METRICS_KINDS];
    _Atomic uint64_t refused[REFUSALS];
    _Atomic uint64_t bytes;        /* sent, of bodies */
    _Atomic uint64_t not_modified; /* answered from the ETag alone */
    _Atomic uint64_t pictures;     /* files of image sets that were decoded */
    _Atomic uint64_t held;         /* refusals that were held back */
    _Atomic uint64_t held_for;     /* nanoseconds, all of them together */
    _Atomic int64_t tls_ends;      /* the certificate, in seconds since 1970; 0: no TLS */
    _Atomic int64_t in_flight;
    _Atomic int64_t connections;
    double started; /* seconds since 1970 */
    budget texts;   /* separate, so that /metrics answers when requests have used up their memory */
} metrics;

/* *m must be all zeroes. */
void metrics_init(metrics *m);
void metrics_destroy(metrics *m);

typedef struct metrics_request {
    unsigned route; /* its row in the table of routes, or ROUTE_NONE */
    int status;
    unsigned format;                /* its number, or 0 */
    uint64_t amount[METRICS_KINDS]; /* nanoseconds, bytes */
} metrics_request;

void metrics_count(metrics *m, const metrics_request *r);
void metrics_refuse(metrics *m, refusal reason);

/* Status and format of a column. The first METRICS_STATUSES columns have no format. */
unsigned metrics_row(unsigned column);
unsigned metrics_format(unsigned column);
const char *metrics_code(unsigned column); /* "200" … or "other" */

typedef struct metrics_bound {
    uint64_t most;  /* nanoseconds or bytes */
    const char *le; /* the same in Prometheus' units */
} metrics_bound;

typedef struct metrics_scale {
    const char *name, *help;
    double unit; /* of Prometheus, for one of ours */
    unsigned buckets;
    metrics_bound bounds[METRICS_BUCKETS];
} metrics_scale;

extern const metrics_scale metrics_scales[METRICS_KINDS];

#endif
