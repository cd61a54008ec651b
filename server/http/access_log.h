/*
 * record.h - what became of a request, in the log and in the metrics
 */
#ifndef RECORD_H
#define RECORD_H

#include "formats/format.h"
#include "api/server_state.h"

typedef struct record {
    const trace *trace;
    const char *method, *target; /* as far as they are known */
    const char *peer, *client;
    unsigned route;         /* its number */
    const format *format;   /* of an answer, or NULL */
    const problem *problem; /* without a status: none */
    int status;
    uint64_t bytes; /* of the body that was sent */
} record;

void record_write(service *s, const record *r);

#endif
