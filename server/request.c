#include "request.h"
#include "conditions.h"
#include "handling.h"
#include "headers.h"
#include "refusal.h"
#include "reply.h"
#include "route.h"
#include "visitor.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct request {
    flight flight; /* first */
    requests *owner;
    struct MHD_Connection *connection;
    guard_request line; /* no fields */
    call call;
    visitor visitor;
    route_match match;
    outcome outcome;
    handling *handling; /* NULL: none, or it is over */
    answer *answer;
    conditions conditions;
    uint64_t received; /* of the body */
    int status;        /* replied */
    trace trace;
    char method[16], target[256]; /* what the log says of it */
    uint64_t sent;
    bool begun, handled, head, options;
    bool last; /* of its connection: where it ends is in doubt, or more comes than is read */
    bool amid; /* replied before the body had ended, or closed by us instead */
};

int request_socket(struct MHD_Connection *connection) {
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

void *request_session(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return info ? info->tls_session : NULL;
}

/* ---- those in flight ---- */

void requests_init(requests *all) {
    flights_init(&all->flights);
}

void requests_destroy(requests *all) {
    flights_destroy(&all->flights);
}

bool requests_wait(requests *all, unsigned seconds) {
    return flights_wait(&all->flights, seconds);
}

void requests_abandon(requests *all) {
    flights_abandon(&all->flights);
}

/* Before a reply has begun there is room for one past libmicrohttpd; not so in a TLS session, which
 * is its I/O thread's alone. */
void requests_late(void *of, int fd, watch_phase phase) {
    const requests *all = of;
    const config *c = all->service.config;
    problem p = {0};
    if (c->tls_cert[0] || (phase != WATCH_HEAD && phase != WATCH_BODY))
        return;
    problem_add(&p, 408, NULL, "the %s of the request did not come within %" PRIu64 " s",
                phase == WATCH_HEAD ? "head" : "body", phase == WATCH_HEAD ? c->head : c->upload);
    reply_amid(fd, NULL, NULL, &p);
}

/* ---- beginning and end ---- */

/* What the connection is at, for its deadlines. */
static void enter(const request *r, watch_phase phase) {
    watch_enter(r->owner->watch, request_socket(r->connection), phase);
}

/* Bytes of a body: as many as are taken, and as there is memory for. */
static uint64_t most_body(requests *all) {
    uint64_t most = all->service.config->body, left = budget_left(&all->service.budget, 0);
    return most < left ? most : left;
}

request *request_new(requests *all, struct MHD_Connection *connection, const char *target) {
    request *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->owner = all;
    r->connection = connection;
    r->line = (guard_request){
        .target = target, .target_length = strlen(target), .form = guard_target(target)};
    trace_begin(&r->trace);
    snprintf(r->target, sizeof r->target, "%s", target);
    r->match.number = ROUTE_NONE;
    visitor_begin(&r->visitor, connection);
    r->call.service = &all->service;
    r->call.body = buffer_paid((size_t)most_body(all), &all->service.budget);
    r->call.body.spares = &all->service.slabs;
    flights_enter(&all->flights, &r->flight);
    atomic_fetch_add(&all->service.metrics.in_flight, 1);
    enter(r, WATCH_HEAD);
    return r;
}

static unsigned format_of(const request *r) {
    return format_number(r->outcome.problem.status ? NULL : r->call.format);
}

static void log_it(const request *r) {
    const problem *p = &r->outcome.problem;
    char peer[64];
    headers_peer(r->connection, peer, sizeof peer);
    log_request(r->owner->service.log,
                &(log_entry){.trace = &r->trace,
                             .method = r->method,
                             .target = r->target,
                             .route = route_name(r->match.number),
                             .peer = peer,
                             .client = r->visitor.name,
                             .format = format_name(format_of(r)),
                             .reason = p->status ? problem_reason_name(p->reason) : NULL,
                             .status = r->status,
                             .bytes = r->sent});
}

/* And nothing of a reply had been sent. */
static bool was_late(const request *r) {
    return r->status == 0 && watch_was_late(r->owner->watch, request_socket(r->connection));
}

static void count(request *r) {
    metrics *m = &r->owner->service.metrics;
    metrics_count(m,
                  &(metrics_request){.route = r->match.number,
                                     .status = r->status,
                                     .format = format_of(r),
                                     .amount = {(uint64_t)(1e6 * trace_age(&r->trace)), r->sent}});
    if (r->outcome.problem.status)
        metrics_refuse(m, r->outcome.problem.reason);
}

/* Of a large one a handling that never begins is made, whose end another thread sees to. */
static void drop_body(request *r) {
    if (r->call.body.room > JOB_HEAVY)
        handling_release(
            handling_new(r->owner->service.jobs, NULL, &r->call, &(weight){0}, &(job_waiter){0}));
    buffer_free(&r->call.body);
}

void request_end(request *r, bool completed) {
    if (!completed && !r->amid)
        r->status = was_late(r) ? 408 : 499;
    if (r->status == 408)
        r->outcome.problem = (problem){.status = 408, .reason = PROBLEM_LATE};
    enter(r, WATCH_IDLE);
    count(r);
    log_it(r);
    flights_leave(&r->owner->flights, &r->flight);
    atomic_fetch_sub(&r->owner->service.metrics.in_flight, 1);
    if (r->answer)
        answer_abandon(r->answer);
    answer_release(r->answer);
    if (r->handling)
        job_abandon(handling_job(r->handling));
    handling_release(r->handling);
    drop_body(r);
    outcome_free(&r->outcome);
    free(r);
}

static void suspend(void *of) {
    request *r = of;
    MHD_suspend_connection(r->connection);
    watch_add(r->owner->watch, request_socket(r->connection), r->flight.work);
}

static void resume(void *of) {
    request *r = of;
    watch_remove(r->owner->watch, request_socket(r->connection));
    MHD_resume_connection(r->connection);
}

/* ---- the head ---- */

static enum MHD_Result take_parameter(void *of, enum MHD_ValueKind kind, const char *key,
                                      size_t key_size, const char *value, size_t value_size) {
    request *r = of;
    (void)kind;
    query_take(&r->call.query, r->call.groups, key, key_size, value, value_size,
               &r->outcome.problem);
    return MHD_YES;
}

static void choose_format(request *r) {
    const route *row = r->match.route;
    r->call.format = r->match.suffix;
    if (!row->formats || r->call.format)
        return;
    buffer accept = headers_list(r->connection, MHD_HTTP_HEADER_ACCEPT);
    bool failed = accept.failed;
    r->call.format = format_accepted((const char *)accept.bytes, row->formats);
    buffer_free(&accept);
    if (failed) {
        problem_add(&r->outcome.problem, 500, NULL, "out of memory");
    } else if (!r->call.format) {
        char list[200];
        format_list(row->formats, list, sizeof list);
        problem_add(&r->outcome.problem, 406, "Accept", "%s answers as: %s", row->path, list);
    }
}

static void choose_resource(request *r, const char *path) {
    problem *p = &r->outcome.problem;
    if (r->line.form == GUARD_NUL)
        problem_add(p, 400, NULL, "the path holds an encoded NUL, %%00");
    else if (r->line.form == GUARD_SLASH)
        problem_add(p, 404, NULL, "the path holds an encoded slash, %%2F, which no path here does");
    else if (route_find(guard_path(path), r->line.method, &r->match, p) && !r->options) {
        r->call.groups = r->match.route->groups;
        for (unsigned i = 0; i < ROUTE_CAPTURES; i++)
            r->call.captured[i] = r->match.captured[i];
        r->call.content_type = headers_find(r->connection, MHD_HTTP_HEADER_CONTENT_TYPE);
        query_init(&r->call.query);
        MHD_get_connection_values_n(r->connection, MHD_GET_ARGUMENT_KIND, take_parameter, r);
        choose_format(r);
    }
}

static bool takes_body(const request *r) {
    return !r->options && strcmp(r->match.route->method, "POST") == 0;
}

static void check_announced(request *r) {
    const char *length = headers_find(r->connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
    uint64_t bytes = length ? strtoull(length, NULL, 10) : 0, most = most_body(r->owner);
    if (bytes > most) {
        r->last = true;
        problem_add(&r->outcome.problem, 413, "body",
                    "the body has %.20s bytes; at most %" PRIu64 " are taken", length, most);
    } else if (length) {
        r->call.body.cap = (size_t)bytes; /* it grows to that and not to twice as much */
    }
}

/* Worth another try, later. */
static void turn_away(request *r, jobs_verdict why) {
    refusal_explain(r->owner->service.jobs, why, &r->outcome.problem);
}

/* Before a body is waited for. */
static void check_line(request *r) {
    jobs_verdict why = jobs_would_admit(r->owner->service.jobs, r->visitor.client);
    if (why != JOBS_ADMITTED)
        turn_away(r, why);
}

/* Who may not ask learns nothing of what there is, and no body is taken of him. */
static void check_head(request *r, const char *path) {
    problem *p = &r->outcome.problem;
    const service *s = &r->owner->service;
    if (!route_is_open(guard_path(path), r->line.method) &&
        !visitor_admit(&r->visitor, r->connection, s, p)) {
        r->last = headers_has_body(r->connection);
        return;
    }
    choose_resource(r, path);
    check_announced(r);
    if (!p->status && takes_body(r))
        check_line(r);
    if (p->status && headers_find(r->connection, MHD_HTTP_HEADER_EXPECT))
        r->last = true;
}

/* Everything that can be refused before the body is. A client that waits to be told to go on is
 * told no at once. */
static void begin(request *r, const char *path, const char *method, const char *version) {
    r->begun = true;
    r->line.method = method;
    r->line.version = version;
    snprintf(r->method, sizeof r->method, "%s", method);
    headers_trace(r->connection, &r->trace);
    r->head = strcmp(method, "HEAD") == 0;
    r->options = strcmp(method, "OPTIONS") == 0;
    r->last = !headers_check(r->connection, &r->line, &r->outcome.problem);
    if (!r->last)
        check_head(r, path);
    visitor_share(&r->visitor, r->connection, &r->owner->service, method,
                  route_methods(r->match.route));
}

/* ---- the body ---- */

/* The first bytes of it have come. */
static void expect(request *r) {
    if (headers_find(r->connection, MHD_HTTP_HEADER_CONTENT_LENGTH))
        buffer_expect(&r->call.body, r->call.body.cap);
}

/* False: more than is read of any body. */
static bool take_body(request *r, const char *bytes, size_t length) {
    problem *p = &r->outcome.problem;
    uint64_t most = most_body(r->owner);
    r->received += length;
    if (r->received > most) {
        problem_add(p, 413, "body", "the body is larger than the %" PRIu64 " bytes that are taken",
                    most);
        return false;
    }
    if (p->status || !takes_body(r))
        return true; /* dropped, so that the connection can be used again */
    if (!r->call.body.bytes)
        expect(r);
    if (!buffer_add(&r->call.body, bytes, length)) {
        turn_away(r, JOBS_MEMORY);
        drop_body(r);
    }
    return true;
}

/* ---- the answer ---- */

/* False: none is begun any more. */
static bool take_on(request *r, job *work) {
    if (flights_work(&r->owner->flights, &r->flight, work))
        return true;
    r->outcome.problem.retry_after = 1;
    r->outcome.problem.reason = PROBLEM_DRAINING;
    problem_add(&r->outcome.problem, 503, NULL, "this replica is stopping");
    return false;
}

static void install(request *r, answer *a) {
    if (take_on(r, answer_job(a)))
        r->answer = a;
    else
        answer_release(a);
}

static job_waiter waiter_of(request *r) {
    return (job_waiter){suspend, resume, r, r->visitor.client, r->connection};
}

/* What the handler made becomes an answer, if there is one to compute. */
static void conclude(request *r) {
    outcome *o = &r->outcome;
    if (o->starved && o->problem.status)
        turn_away(r, JOBS_MEMORY);
    if (!o->source)
        return;
    conditions_check(&r->conditions, r->connection, o->source, r->match.route->path,
                     r->call.format);
    const job_waiter waiter = waiter_of(r);
    answer *a = answer_new(r->owner->service.jobs, o->source, r->call.format, &waiter, &o->problem);
    o->source = NULL;
    if (!a)
        return;
    if (!r->head)
        conditions_cut(&r->conditions, r->connection, a, &o->problem);
    install(r, a);
}

static void hand_over(request *r, const weight *w) {
    const job_waiter waiter = waiter_of(r);
    handling *h =
        handling_new(r->owner->service.jobs, r->match.route->handler, &r->call, w, &waiter);
    if (!h)
        problem_add(&r->outcome.problem, 500, NULL, "out of memory");
    else if (take_on(r, handling_job(h)))
        r->handling = h;
    else
        handling_release(h);
}

/* Here if it is quick, else on a compute thread. */
static void handle(request *r) {
    const route *row = r->match.route;
    r->handled = true;
    if (r->outcome.problem.status || r->options)
        return;
    weight w = row->weight ? row->weight(&r->call) : (weight){0};
    if (!jobs_is_quick(w.cost)) {
        hand_over(r, &w);
        return;
    }
    row->handler(&r->call, &r->outcome);
    conclude(r);
}

/* Asks how the handling stands: over (then it is gone), waited for, or abandoned. */
static handling_state ask_handling(request *r) {
    jobs_verdict why;
    handling *h = r->handling;
    handling_state state = handling_start(h, &why);
    if (state == HANDLING_WAIT || state == HANDLING_LEFT)
        return state;
    flights_work(&r->owner->flights, &r->flight, NULL);
    r->handling = NULL;
    if (state == HANDLING_BUSY) {
        turn_away(r, why);
    } else {
        r->outcome = handling_take(h);
        conclude(r);
    }
    handling_release(h);
    return state;
}

static reply reply_of(request *r) {
    service *s = &r->owner->service;
    const conditions *c = &r->conditions;
    return (reply){.connection = r->connection,
                   .bytes = &s->metrics.bytes,
                   .sent = &r->sent,
                   .trace = &r->trace,
                   .visitor = &r->visitor,
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

static enum MHD_Result send_problem(request *r) {
    reply with = reply_of(r);
    enter(r, WATCH_REPLY);
    r->status = r->outcome.problem.status;
    return reply_problem(&with, &r->outcome.problem);
}

/* Asks how the answer stands; replies, or stays suspended. */
static enum MHD_Result send_answer(request *r) {
    problem *p = &r->outcome.problem;
    reply with = reply_of(r);
    jobs_verdict why = JOBS_ADMITTED;
    switch (r->head ? ANSWER_READY : answer_start(r->answer, &why)) {
    case ANSWER_WAIT:
        return MHD_YES;
    case ANSWER_READY:
        enter(r, WATCH_REPLY);
        r->status = r->conditions.total ? 206 : 200;
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

static enum MHD_Result respond(request *r) {
    const outcome *o = &r->outcome;
    reply with = reply_of(r);
    if (o->problem.status)
        return send_problem(r);
    if (r->conditions.not_modified) {
        enter(r, WATCH_REPLY);
        r->status = 304;
        atomic_fetch_add(&r->owner->service.metrics.not_modified, 1);
        return reply_not_modified(&with);
    }
    if (r->answer)
        return send_answer(r);
    enter(r, WATCH_REPLY);
    if (r->options) {
        r->status = 204;
        return reply_options(&with, route_methods(r->match.route));
    }
    r->status = o->status;
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
        dregs_take(r->owner->dregs, request_socket(r->connection));
        return send_problem(r);
    }
    r->last = headers_find(r->connection, MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL;
    enter(r, WATCH_BODY);
    return MHD_YES;
}

static enum MHD_Result on_body(request *r, const char *bytes, size_t length) {
    if (take_body(r, bytes, length))
        return MHD_YES;
    r->amid = true;
    r->status = r->outcome.problem.status;
    dregs_take(r->owner->dregs, request_socket(r->connection));
    reply_amid(request_socket(r->connection), request_session(r->connection), &r->visitor,
               &r->outcome.problem);
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

enum MHD_Result request_step(request *r, const char *path, const char *method, const char *version,
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
        enter(r, WATCH_WORK);
        handle(r);
    }
    handling_state state = r->handling ? ask_handling(r) : HANDLING_DONE;
    return state == HANDLING_WAIT   ? MHD_YES
           : state == HANDLING_LEFT ? MHD_NO /* nobody is left to be told */
                                    : answered(r, respond(r));
}
