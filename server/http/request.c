#include "access_log.h"
#include "base/text.h"
#include "connection.h"
#include "direct_reply.h"
#include "headers.h"
#include "params/refusal.h"
#include "request_body.h"
#include "request_head.h"
#include "request_reply.h"
#include "request_state.h"
#include "request_work.h"

#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

void request_enter(const request *r, connection_phase phase) {
    connection_monitor_enter(r->http->monitor, r->inflight.fd, phase);
}

/* ---- the target ---- */

request *request_new(http_state *http, struct MHD_Connection *connection, const char *target) {
    request *r = malloc(sizeof *r);
    if (!r)
        return NULL;
    memset(r, 0, offsetof(request, result.problem.errors));
    _Static_assert(sizeof *r - offsetof(request, result.problem.errors) <
                       sizeof r->result.problem.errors + _Alignof(request),
                   "nothing but padding follows what is not cleared");
    r->http = http;
    r->connection = connection;
    r->line = (guard_request){
        .target = target, .target_length = strlen(target), .form = guard_target(target)};
    r->target_fault = request_target_check(target);
    trace_begin(&r->trace);
    text_copy(r->logged_target, sizeof r->logged_target, target);
    if (request_target_is_too_much(target) || headers_has_hidden(target))
        headers_hide_query(target);
    r->match.number = ROUTE_NONE;
    identity_begin(&r->identity, connection);
    r->input.server = &http->server;
    request_body_begin(&r->input);
    r->inflight = (inflight_entry){.request = r, .fd = connection_socket(connection)};
    inflight_add(&http->inflight, &r->inflight);
    atomic_fetch_add(&http->server.metrics.in_flight, 1);
    request_enter(r, CONNECTION_HEAD);
    return r;
}

/* ---- the steps ---- */

/* libmicrohttpd decides where a chunked body ends (and takes bare line feeds there), so bytes
 * behind a chunked body are not taken for a request. */
static enum MHD_Result after_head(request *r) {
    if (r->closes) {
        lingering_close_take(r->http->lingering, r->inflight.fd);
        return request_reply_send_problem(r);
    }
    r->closes = headers_find(r->connection, MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL;
    request_enter(r, CONNECTION_BODY);
    return MHD_YES;
}

static enum MHD_Result take_body(request *r, const char *bytes, size_t length) {
    bool announced = headers_find(r->connection, MHD_HTTP_HEADER_CONTENT_LENGTH) != NULL;
    r->received += length;
    problem large = {0}; /* alone: an older problem may want fields that a direct reply lacks */
    if (request_body_is_too_much(&r->input, r->received, &large)) {
        request_refuse_directly(r, &large, !r->is_head);
        return MHD_NO;
    }
    if (r->result.problem.status || !request_head_takes_body(r))
        return MHD_YES; /* dropped, so that the connection can be used again */
    if (!request_body_add(&r->input, bytes, length, announced)) {
        request_refuse_starved(r);
        request_body_drop(&r->input);
    }
    return MHD_YES;
}

/* This program closes the connection, not the client. */
static void note_failure(request *r) {
    r->status = 500;
    r->status_final = true;
    r->result.problem = (problem){.status = 500, .reason = REFUSAL_INTERNAL};
}

/* A reply fails if there is not enough memory for it. */
static enum MHD_Result reply_result(request *r, enum MHD_Result result) {
    if (result == MHD_NO && r->status != 0)
        note_failure(r);
    return result;
}

static enum MHD_Result work_and_reply(request *r) {
    if (!r->work_begun) {
        request_enter(r, CONNECTION_WORK);
        request_work_begin(r);
    }
    switch (request_work_poll(r)) {
    case RESOURCE_JOB_WAIT:
        return MHD_YES;
    case RESOURCE_JOB_LEFT:
        return MHD_NO; /* the client has left */
    case RESOURCE_JOB_DONE:
    case RESOURCE_JOB_BUSY:
        break;
    }
    return reply_result(r, request_reply_send(r));
}

static enum MHD_Result step(request *r, const char *path, const char *method, const char *version,
                            const char *body, size_t *length) {
    if (!r->head_read) {
        request_head_read(r, path, method, version);
        return after_head(r);
    }
    if (*length) {
        size_t bytes = *length;
        *length = 0;
        return take_body(r, body, bytes);
    }
    return work_and_reply(r);
}

enum MHD_Result request_step(request *r, const char *path, const char *method, const char *version,
                             const char *body, size_t *length) {
    const char *before = crash_work_for(r->description);
    enum MHD_Result result = step(r, path, method, version, body, length);
    crash_work_for(before);
    return result;
}

/* ---- refusals ---- */

void request_refuse_busy(request *r, refusal why) {
    refusal_explain(why, jobs_retry_after(r->http->server.jobs), &r->result.problem);
}

void request_refuse_starved(request *r) {
    request_refuse_busy(r, jobs_starved(r->http->server.jobs, r->holder));
}

void request_refuse_directly(request *r, const problem *p, bool has_body) {
    r->status_final = true;
    r->status = p->status;
    r->result.problem = *p;
    lingering_close_take(r->http->lingering, r->inflight.fd);
    r->sent = direct_reply_send(r->inflight.fd, connection_session(r->connection), &r->identity, p,
                                has_body);
}

/* status: of the page by which libmicrohttpd refuses the request, or would. */
static void explain_library(const request *r, int status, problem *p) {
    const request_target_fault *fault = &r->target_fault;
    if (fault->status)
        problem_add(p, fault->status, fault->parameter, "%s", fault->detail);
    else
        guard_explain(status, p);
}

bool request_replace(request *r, const send_page *page) {
    problem p = {0};
    if (r->status)
        return false;
    explain_library(r, page->status, &p);
    request_refuse_directly(r, &p, page->body);
    return true;
}

/* ---- the end ---- */

/* The monitor cut the connection off, and no byte of a reply had been sent. */
static bool was_late(const request *r) {
    return r->status == 0 && connection_monitor_was_late(r->http->monitor, r->inflight.fd);
}

/* libmicrohttpd closes a connection without a reply if the head fills the connection's memory, so
 * that the head of a reply does not fit. A client that has left looks the same but for its socket.
 */
static bool was_dropped(const request *r, enum MHD_RequestTerminationCode how) {
    struct pollfd client = {.fd = r->inflight.fd, .events = POLLRDHUP};
    bool silent = r->status ? r->sends_was == send_filter_calls() : !r->work_begun;
    return how == MHD_REQUEST_TERMINATED_WITH_ERROR && silent && !r->status_final &&
           poll(&client, 1, 0) == 0;
}

/* 408: the request came too slowly. 499: the client left. 500: its reply ended early. */
static void set_last_status(request *r, enum MHD_RequestTerminationCode how) {
    if (was_dropped(r, how) && !was_late(r)) {
        problem large = {0};
        explain_library(r, 431, &large);
        request_refuse_directly(r, &large, !r->is_head);
    }
    if (r->broken)
        note_failure(r);
    if (how != MHD_REQUEST_TERMINATED_COMPLETED_OK && !r->status_final)
        r->status = was_late(r) ? 408 : 499;
    if (r->status == 408)
        r->result.problem = (problem){.status = 408, .reason = REFUSAL_LATE};
}

static void write_log(const request *r) {
    char peer[CONNECTION_PEER];
    connection_peer(r->connection, peer);
    access_log_write(&r->http->server, &(access_record){.trace = &r->trace,
                                                        .method = r->logged_method,
                                                        .target = r->logged_target,
                                                        .peer = peer,
                                                        .client = r->identity.name,
                                                        .route = r->match.number,
                                                        .format = r->input.format,
                                                        .problem = &r->result.problem,
                                                        .status = r->status,
                                                        .bytes = r->sent});
}

static void release_work(request *r) {
    if (r->answer)
        answer_abandon(r->answer);
    answer_release(r->answer);
    if (r->hold)
        job_abandon(refusal_hold_job(r->hold));
    refusal_hold_release(r->hold);
    if (r->job)
        job_abandon(resource_job_job(r->job));
    resource_job_release(r->job);
    request_body_drop(&r->input);
    resource_result_free(&r->result);
}

void request_end(request *r, enum MHD_RequestTerminationCode how) {
    set_last_status(r, how);
    request_enter(r, CONNECTION_IDLE);
    write_log(r);
    inflight_remove(&r->http->inflight, &r->inflight);
    atomic_fetch_sub(&r->http->server.metrics.in_flight, 1);
    release_work(r);
    free(r);
}

void request_forget(request *r) {
    r->input.content_type = NULL;
    r->identity.cors.count = 0;
    request_end(r, MHD_REQUEST_TERMINATED_CLIENT_ABORT);
}

const void *request_sent(request *r, const void *bytes, size_t length) {
    return body_window_find(&r->window, bytes, length);
}

void request_break(request *r) {
    r->broken = true;
}

bool request_was_answered(const request *r, int status) {
    return r->status == status;
}
