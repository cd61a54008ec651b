#include "headers.h"
#include "media_type.h"
#include "params/refusal.h"
#include "reply.h"
#include "request_body.h"
#include "request_parse.h"
#include "request_state.h"

#include <inttypes.h>
#include <string.h>

/* ---- the head ---- */

static void choose_resource(request *r, const char *path) {
    problem *p = &r->result.problem;
    if (r->fault.status)
        problem_add(p, r->fault.status, r->fault.parameter, "%s", r->fault.detail);
    else if (r->line.form == GUARD_NUL)
        problem_add(p, 400, NULL, "the path holds an encoded NUL, %%00");
    else if (r->line.form == GUARD_SLASH)
        problem_add(p, 404, NULL, "the path holds an encoded slash, %%2F, which no path here does");
    else if (route_find(guard_path(path), r->line.method, &r->match, p) && !r->options)
        request_parse(&r->call, r->connection, &r->match, p);
}

static bool takes_body(const request *r) {
    return !r->options && strcmp(r->match.route->method, "POST") == 0;
}

static void check_announced(request *r) {
    const char *length = headers_find(r->connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (length && !request_body_announce(&r->call, length, &r->result.problem))
        r->last = true;
}

static void check_media(request *r) {
    buffer coding = headers_list(r->connection, MHD_HTTP_HEADER_CONTENT_ENCODING);
    media_type_check(r->call.content_type, (const char *)coding.bytes, &r->result.problem);
    if (coding.failed)
        problem_add(&r->result.problem, 500, NULL, "out of memory");
    buffer_free(&coding);
}

/* Worth another try, later. */
static void turn_away(request *r, refusal why) {
    jobs *pool = r->owner->server.jobs;
    refusal_explain(why, jobs_retry_after(pool), &r->result.problem);
}

/* Before a body is waited for. */
static void check_line(request *r) {
    refusal why = jobs_would_admit(r->owner->server.jobs, r->identity.client);
    if (why != REFUSAL_NONE)
        turn_away(r, why);
}

/* Who may not ask learns nothing of what there is, and no body is taken of him. */
static void check_head(request *r, const char *path) {
    problem *p = &r->result.problem;
    const server_state *s = &r->owner->server;
    if (!route_is_open(guard_path(path), r->line.method) &&
        !identity_admit(&r->identity, r->connection, s, p)) {
        r->last = headers_has_body(r->connection);
        return;
    }
    choose_resource(r, path);
    check_announced(r);
    if (!p->status && takes_body(r))
        check_media(r);
    if (!p->status && takes_body(r))
        check_line(r);
    if (p->status && headers_find(r->connection, MHD_HTTP_HEADER_EXPECT))
        r->last = true;
}

/* For crash.h: a terminal shows it as it is. */
static void describe(request *r) {
    snprintf(r->described, sizeof r->described, "%s %s (X-Request-ID %s)", r->method, r->target,
             r->trace.id);
    for (char *c = r->described; *c; c++)
        *c = *c < ' ' || *c > '~' ? '?' : *c;
}

/* Everything that can be refused before the body is. A client that waits to be told to go on is
 * told no at once. */
static void begin(request *r, const char *path, const char *method, const char *version) {
    r->begun = true;
    r->line.method = method;
    r->line.version = version;
    snprintf(r->method, sizeof r->method, "%s", method);
    headers_trace(r->connection, &r->trace);
    describe(r);
    r->head = strcmp(method, "HEAD") == 0;
    r->options = strcmp(method, "OPTIONS") == 0;
    r->last = !headers_check(r->connection, &r->line, &r->result.problem);
    headers_trim(r->connection);
    headers_forget_expectation(r->connection);
    if (!r->last)
        check_head(r, path);
    identity_share(&r->identity, r->connection, &r->owner->server, method,
                   route_methods(r->match.route));
}

/* ---- the body ---- */

/* False: more than is read of any body. */
static bool take_body(request *r, const char *bytes, size_t length) {
    problem *p = &r->result.problem;
    bool announced = headers_find(r->connection, MHD_HTTP_HEADER_CONTENT_LENGTH) != NULL;
    r->received += length;
    if (request_body_is_too_much(&r->call, r->received, p))
        return false;
    if (p->status || !takes_body(r))
        return true; /* dropped, so that the connection can be used again */
    if (!request_body_add(&r->call, bytes, length, announced))
        turn_away(r, REFUSAL_MEMORY);
    return true;
}

/* ---- the answer ---- */

/* False: none is begun any more. */
static bool take_on(request *r, job *work) {
    if (inflight_begin(&r->owner->inflight, &r->entry, work))
        return true;
    r->result.problem.retry_after = 1;
    r->result.problem.reason = REFUSAL_DRAINING;
    problem_add(&r->result.problem, 503, NULL, "this replica is stopping");
    return false;
}

static void install(request *r, answer *a) {
    if (take_on(r, answer_job(a)))
        r->answer = a;
    else
        answer_release(a);
}

static job_waiter waiter_of(request *r) {
    return (job_waiter){request_suspend, request_resume, r, r->identity.client, r->connection};
}

/* What the handler made becomes an answer, if there is one to compute. */
static void conclude(request *r) {
    resource_result *o = &r->result;
    if (o->starved && o->problem.status)
        turn_away(r, REFUSAL_MEMORY);
    conditions_check(&r->conditions, r->connection, o->source, r->match.route->path, r->call.format,
                     !takes_body(r), &o->problem);
    if (!o->source)
        return;
    const job_waiter waiter = waiter_of(r);
    answer *a = answer_new(r->owner->server.jobs, o->source, r->call.format, &waiter, &o->problem);
    o->source = NULL;
    if (!a)
        return;
    answer_describe(a, r->described);
    if (!r->head)
        conditions_cut(&r->conditions, r->connection, a, &o->problem);
    install(r, a);
}

static void hand_over(request *r, const weight *w) {
    const job_waiter waiter = waiter_of(r);
    resource_job *h = resource_job_new(r->owner->server.jobs, r->match.route->handler, &r->call, w,
                                       &waiter, r->described);
    if (!h)
        problem_add(&r->result.problem, 500, NULL, "out of memory");
    else if (take_on(r, resource_job_job(h)))
        r->job = h;
    else
        resource_job_release(h);
}

/* Here if it is quick, else on a compute thread. */
static void handle(request *r) {
    const route *row = r->match.route;
    r->handled = true;
    if (r->result.problem.status || r->options)
        return;
    weight w = row->weight ? row->weight(&r->call) : (weight){0};
    if (!jobs_is_quick(w.cost > w.worst ? w.cost : w.worst)) {
        hand_over(r, &w);
        return;
    }
    row->handler(&r->call, &r->result);
    conclude(r);
}

/* Asks how the handling stands: over (then it is gone), waited for, or abandoned. */
static resource_job_state ask_handling(request *r) {
    refusal why;
    resource_job *h = r->job;
    resource_job_state state = resource_job_start(h, &why);
    if (state == RESOURCE_JOB_WAIT || state == RESOURCE_JOB_LEFT)
        return state;
    inflight_begin(&r->owner->inflight, &r->entry, NULL);
    r->job = NULL;
    if (state == RESOURCE_JOB_BUSY) {
        turn_away(r, why);
    } else {
        r->result = resource_job_take(h);
        conclude(r);
    }
    resource_job_release(h);
    return state;
}

static reply reply_of(request *r) {
    server_state *s = &r->owner->server;
    const conditions *c = &r->conditions;
    return (reply){.connection = r->connection,
                   .bytes = &s->metrics.bytes,
                   .sent = &r->sent,
                   .trace = &r->trace,
                   .identity = &r->identity,
                   .close = r->last || atomic_load(&s->draining),
                   .head = r->head,
                   .vary =
                       !r->options && r->match.route && r->match.route->formats && !r->match.suffix,
                   .etag = c->etag[0] ? c->etag : NULL,
                   .passing = c->passing,
                   .ranges = c->etag[0] && r->call.format->lay_out,
                   .first = c->first,
                   .total = c->total};
}

/* From here on the reply is libmicrohttpd's affair. */
static void begin_reply(request *r, int status) {
    request_enter(r, CONNECTION_REPLY);
    r->status = status;
    r->calls = send_filter_calls();
}

static enum MHD_Result send_problem(request *r) {
    reply with = reply_of(r);
    begin_reply(r, r->result.problem.status);
    return reply_problem(&with, &r->result.problem);
}

/* Asks how the answer stands; replies, or stays suspended. */
static enum MHD_Result send_answer(request *r) {
    problem *p = &r->result.problem;
    reply with = reply_of(r);
    refusal why = REFUSAL_NONE;
    switch (r->head ? ANSWER_READY : answer_start(r->answer, &why)) {
    case ANSWER_WAIT:
        return MHD_YES;
    case ANSWER_READY:
        begin_reply(r, r->conditions.total ? 206 : 200);
        return reply_answer(&with, r->answer);
    case ANSWER_BUSY:
        turn_away(r, why);
        break;
    case ANSWER_FAILED:
        if (answer_abandoned(r->answer))
            return MHD_NO; /* nobody is left to be told */
        problem_add(p, 500, NULL, "the answer could not be computed: out of memory");
        break;
    }
    return send_problem(r);
}

/* A condition counts only where it stands before a success (RFC 9110 §13.2.1). */
static void check_conditions(request *r) {
    resource_result *o = &r->result;
    if (!o->problem.status && r->conditions.failed && (r->answer || o->status / 100 == 2))
        problem_add(&o->problem, 412, "If-Match", "%s%s%s",
                    r->conditions.etag[0] ? "If-Match does not name the answer's ETag, "
                                          : "If-Match names an ETag, and the answer has none",
                    r->conditions.etag, r->conditions.etag[0] ? ", as a strong one" : "");
}

static enum MHD_Result respond(request *r) {
    const resource_result *o = &r->result;
    reply with = reply_of(r);
    check_conditions(r);
    if (o->problem.status)
        return send_problem(r);
    if (r->conditions.not_modified) {
        begin_reply(r, 304);
        atomic_fetch_add(&r->owner->server.metrics.not_modified, 1);
        return reply_not_modified(&with, r->answer);
    }
    if (r->answer)
        return send_answer(r);
    begin_reply(r, r->options ? 204 : o->status);
    if (r->options)
        return reply_options(&with, route_methods(r->match.route));
    if (o->text.failed)
        return MHD_NO;
    return o->shared.bytes
               ? reply_text(&with, o->status, r->match.route->media, o->shared.bytes,
                            o->shared.length)
               : reply_text(&with, o->status, r->match.route->media, o->text.bytes, o->text.length);
}

/* Where libmicrohttpd sees a chunked body end is its own affair (it takes bare line feeds there),
 * so nothing behind one is a request. */
static enum MHD_Result on_head(request *r) {
    if (r->last) {
        lingering_close_take(r->owner->lingering, request_socket(r->connection));
        return send_problem(r);
    }
    r->last = headers_find(r->connection, MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL;
    request_enter(r, CONNECTION_BODY);
    return MHD_YES;
}

static enum MHD_Result on_body(request *r, const char *bytes, size_t length) {
    if (take_body(r, bytes, length))
        return MHD_YES;
    const problem large = r->result.problem;
    request_refuse_past(r, &large, !r->head);
    return MHD_NO;
}

/* Where there is no memory for a reply the connection is closed, and not by the client. */
static enum MHD_Result answered(request *r, enum MHD_Result result) {
    if (result == MHD_NO && r->status != 0) {
        r->status = 500;
        r->amid = true;
    }
    return result;
}

static enum MHD_Result step(request *r, const char *path, const char *method, const char *version,
                            const char *body, size_t *length) {
    if (!r->begun) {
        begin(r, path, method, version);
        return on_head(r);
    }
    if (*length) {
        size_t bytes = *length;
        *length = 0;
        return on_body(r, body, bytes);
    }
    if (!r->handled) {
        request_enter(r, CONNECTION_WORK);
        handle(r);
    }
    resource_job_state state = r->job ? ask_handling(r) : RESOURCE_JOB_DONE;
    return state == RESOURCE_JOB_WAIT   ? MHD_YES
           : state == RESOURCE_JOB_LEFT ? MHD_NO /* nobody is left to be told */
                                        : answered(r, respond(r));
}

enum MHD_Result request_step(request *r, const char *path, const char *method, const char *version,
                             const char *body, size_t *length) {
    const char *before = crash_work_for(r->described);
    enum MHD_Result result = step(r, path, method, version, body, length);
    crash_work_for(before);
    return result;
}
