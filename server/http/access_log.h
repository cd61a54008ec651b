/*
 * access_log.h - a finished request in the log and in the metrics
 */
#ifndef ACCESS_LOG_H
#define ACCESS_LOG_H

#include "api/server_state.h"
#include "formats/format.h"

typedef struct access_record {
    const trace *trace;
    const char *method, *target; /* empty: the library did not show them */
    const char *peer, *client;
    unsigned route;         /* row in the table of routes, or ROUTE_NONE */
    const format *format;   /* of an answer, or NULL */
    const problem *problem; /* status 0: the request was not refused */
    int status;
    uint64_t bytes; /* of the body that was sent */
} access_record;

void access_log_write(server_state *s, const access_record *r);

#endif
