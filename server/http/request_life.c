#include "access_log.h"
#include "headers.h"
#include "reply.h"
#include "request_body.h"
#include "request_state.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

void request_enter(const request *r, connection_phase phase) {
    connection_monitor_enter(r->owner->monitor, request_socket(r->connection), phase);
}

request *request_new(requests *all, struct MHD_Connection *connection, const char *target) {
    request *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->owner = all;
    r->connection = connection;
    r->line = (guard_request){
        .target = target, .target_length = strlen(target), .form = guard_target(target)};
    r->fault = request_target_check(target);
    trace_begin(&r->trace);
    snprintf(r->target, sizeof r->target, "%s", target);
    if (request_target_is_too_much(target) || headers_has_hidden(target))
        headers_hide_query(target);
    r->match.number = ROUTE_NONE;
    identity_begin(&r->identity, connection);
    r->call.server = &all->server;
    request_body_begin(&r->call);
    r->entry = (inflight_entry){.request = r, .fd = request_socket(connection)};
    inflight_add(&all->inflight, &r->entry);
    atomic_fetch_add(&all->server.metrics.in_flight, 1);
    request_enter(r, CONNECTION_HEAD);
    return r;
}

/* And nothing of a reply had been sent. */
static bool was_late(const request *r) {
    return r->status == 0 &&
           connection_monitor_was_late(r->owner->monitor, request_socket(r->connection));
}

static void record_it(const request *r) {
    char peer[64];
    headers_peer(r->connection, peer, sizeof peer);
    access_log_write(&r->owner->server, &(access_record){.trace = &r->trace,
                                                         .method = r->method,
                                                         .target = r->target,
                                                         .peer = peer,
                                                         .client = r->identity.name,
                                                         .route = r->match.number,
                                                         .format = r->call.format,
                                                         .problem = &r->result.problem,
                                                         .status = r->status,
                                                         .bytes = r->sent});
}

/* What is wrong with a request that libmicrohttpd gives up, or would refuse with a status. */
static void explain(const request *r, int status, problem *p) {
    if (r->fault.status)
        problem_add(p, r->fault.status, r->fault.parameter, "%s", r->fault.detail);
    else
        guard_explain(status, p);
}

void request_refuse_past(request *r, const problem *p, bool body) {
    r->amid = true;
    r->status = p->status;
    r->sent = 0;
    r->result.problem = *p;
    lingering_close_take(r->owner->lingering, r->entry.fd);
    reply_amid(r->entry.fd, request_session(r->connection), &r->identity, p, body);
}

/* libmicrohttpd just closes a connection whose memory a head fills, so that it cannot hold the head
 * of a reply, of ours or of its own. So it seems too where the client has gone. */
static bool was_dropped(const request *r, enum MHD_RequestTerminationCode how) {
    struct pollfd client = {.fd = r->entry.fd, .events = POLLRDHUP};
    bool silent = r->status ? r->calls == send_filter_calls() : !r->handled;
    return how == MHD_REQUEST_TERMINATED_WITH_ERROR && silent && !r->amid &&
           poll(&client, 1, 0) == 0;
}

void request_end(request *r, enum MHD_RequestTerminationCode how) {
    problem large = {0};
    bool completed = how == MHD_REQUEST_TERMINATED_COMPLETED_OK;
    if (was_dropped(r, how) && !was_late(r)) {
        explain(r, 431, &large);
        request_refuse_past(r, &large, !r->head);
    }
    if (!completed && !r->amid)
        r->status = was_late(r) ? 408 : 499;
    if (r->status == 408)
        r->result.problem = (problem){.status = 408, .reason = REFUSAL_LATE};
    request_enter(r, CONNECTION_IDLE);
    record_it(r);
    inflight_remove(&r->owner->inflight, &r->entry);
    atomic_fetch_sub(&r->owner->server.metrics.in_flight, 1);
    if (r->answer)
        answer_abandon(r->answer);
    answer_release(r->answer);
    if (r->job)
        job_abandon(resource_job_job(r->job));
    resource_job_release(r->job);
    request_body_drop(&r->call);
    resource_result_free(&r->result);
    free(r);
}

void request_forget(request *r) {
    r->call.content_type = NULL;
    r->identity.cors.count = 0;
    request_end(r, MHD_REQUEST_TERMINATED_CLIENT_ABORT);
}

bool request_was_answered(const request *r, int status) {
    return r->status == status;
}

bool request_refuse(request *r, const send_page *page) {
    problem p = {0};
    if (r->status)
        return false;
    explain(r, page->status, &p);
    request_refuse_past(r, &p, page->body);
    return true;
}

void request_suspend(void *of) {
    request *r = of;
    MHD_suspend_connection(r->connection);
    connection_monitor_add(r->owner->monitor, request_socket(r->connection), r->entry.work);
}

void request_resume(void *of) {
    request *r = of;
    connection_monitor_remove(r->owner->monitor, request_socket(r->connection));
    MHD_resume_connection(r->connection);
}
