/*
 * request_state.h - the parts of a request, for the files that carry the request out
 */
#ifndef REQUEST_STATE_H
#define REQUEST_STATE_H

#include "api/resource_job.h"
#include "base/crash.h"
#include "body_window.h"
#include "conditions.h"
#include "guard.h"
#include "identity.h"
#include "request.h"
#include "request_target.h"
#include "route.h"

struct request {
    http_state *http;
    struct MHD_Connection *connection;
    inflight_entry inflight;

    /* The head. */
    guard_request line; /* without header fields */
    request_target_fault target_fault;
    identity identity;
    route_match match;
    trace trace;
    bool head_read, is_head, is_options;
    /* The request is the last of its connection: the end of the request is in doubt, or the rest of
     * the body is not read. */
    bool closes;

    /* The body and the work. */
    budget_holder holder; /* of the request's memory */
    resource_request input;
    uint64_t received; /* bytes of the body */
    bool work_begun;
    resource_job *job; /* NULL: the handler does not run as a job, or the job is over */
    answer *answer;
    conditions conditions;
    refusal_hold *hold;  /* NULL: the refusal is not held back */
    uint64_t held_since; /* nanoseconds; 0: the refusal was not held back */

    /* The reply. */
    int status;         /* 0: not begun */
    bool status_final;  /* the status stays, however the connection ends */
    bool broken;        /* the reply ends early, because the answer failed */
    uint64_t sent;      /* bytes of the reply's body */
    body_window window; /* of the reply's body, where it is streamed */
    uint64_t sends_was; /* send_filter_calls() when the reply began */

    /* The request as logs show it, and as a crash report does. */
    char logged_method[16], logged_target[256];
    char description[CRASH_REQUEST];

    resource_result result; /* last, because the errors of its problem are not cleared */
};

/* Tells the connection monitor the phase of the request, for the phase's deadline. */
void request_enter(const request *r, connection_phase phase);

/* Refuses the request for a reason that may pass; the reply names a time to retry after. */
void request_refuse_busy(request *r, refusal why);
void request_refuse_starved(request *r); /* the memory is in use */

/* Refuses the request by a direct reply; the caller has libmicrohttpd close the connection. */
void request_refuse_directly(request *r, const problem *p, bool has_body);

#endif
