/*
 * request_state.h - what a request is made of, for the files that carry it out: its life
 * (request_life.c), and its way from the head to the reply (request.c)
 */
#ifndef REQUEST_STATE_H
#define REQUEST_STATE_H

#include "api/resource_job.h"
#include "base/crash.h"
#include "conditions.h"
#include "guard.h"
#include "identity.h"
#include "request.h"
#include "request_target.h"
#include "route.h"

struct request {
    requests *owner;
    inflight_entry entry;
    struct MHD_Connection *connection;
    guard_request line; /* no fields */
    request_target_fault fault;
    resource_request call;
    identity identity;
    route_match match;
    resource_result result;
    resource_job *job; /* NULL: none, or it is over */
    answer *answer;
    conditions conditions;
    uint64_t received; /* of the body */
    int status;        /* replied */
    trace trace;
    char method[16], target[256]; /* what the log says of it */
    char described[CRASH_REQUEST];
    uint64_t sent, calls; /* calls: send_filter.h's, when it was replied */
    bool begun, handled, head, options;
    bool last; /* of its connection: where it ends is in doubt, or more comes than is read */
    bool amid; /* replied before the body had ended, or closed by us instead */
};

/* What the connection is at, for its deadlines. */
void request_enter(const request *r, connection_phase phase);

/* Answers past libmicrohttpd, which is about to end the connection. */
void request_refuse_past(request *r, const problem *p, bool body);

/* Hooks of a job_waiter, of a request: its connection is not served until the job is worth asking
 * again. */
void request_suspend(void *request);
void request_resume(void *request);

#endif
