/*
 * access_log.h - what became of a request, in the log and in the metrics
 */
#ifndef ACCESS_LOG_H
#define ACCESS_LOG_H

#include "api/server_state.h"
#include "formats/format.h"

typedef struct access_record {
    const trace *trace;
    const char *method, *target; /* as far as they are known */
    const char *peer, *client;
    unsigned route;         /* its number */
    const format *format;   /* of an answer, or NULL */
    const problem *problem; /* without a status: none */
    int status;
    uint64_t bytes; /* of the body that was sent */
} access_record;

void access_log_write(server_state *s, const access_record *r);

#endif
