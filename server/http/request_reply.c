#include "request_reply.h"
#include "base/clock.h"
#include "reply.h"
#include "request_body.h"
#include "request_state.h"
#include "request_work.h"

#include <string.h>

static bool depends_on_accept(const request *r) {
    return !r->is_options && r->match.route && r->match.route->formats && !r->match.suffix;
}

static reply reply_of(request *r) {
    server_state *s = &r->http->server;
    const conditions *c = &r->conditions;
    return (reply){.connection = r->connection,
                   .bytes = &s->metrics.bytes,
                   .sent = &r->sent,
                   .broken = &r->broken,
                   .window = &r->window,
                   .trace = &r->trace,
                   .identity = &r->identity,
                   .close = r->closes || atomic_load(&s->draining),
                   .head = r->is_head,
                   .vary = depends_on_accept(r),
                   .etag = c->etag[0] ? c->etag : NULL,
                   .fresh = c->fresh,
                   .ranges = c->etag[0] && r->input.format->lay_out,
                   .first = c->first,
                   .total = c->total};
}

/* From here on libmicrohttpd sends the reply. */
static void begin_reply(request *r, int status) {
    request_enter(r, CONNECTION_REPLY);
    r->status = status;
    r->sends_was = send_filter_calls();
}

/* ---- refusals ---- */

/* A held connection keeps nothing but its problem. */
static void drop_work(request *r) {
    inflight_set_work(&r->http->inflight, &r->inflight, NULL);
    if (r->answer)
        answer_abandon(r->answer);
    answer_release(r->answer);
    r->answer = NULL;
    request_body_drop(&r->input);
}

/* Suspends the connection until this time. False: the refusal is sent now, because the daemon is
 * stopping or memory is short. */
static bool begin_hold(request *r, uint64_t until) {
    http_state *http = r->http;
    const job_waiter waiter = request_waiter(r);
    drop_work(r);
    r->hold = refusal_hold_new(http->holds, &waiter);
    if (!r->hold || !inflight_set_work(&http->inflight, &r->inflight, refusal_hold_job(r->hold)))
        return false;
    atomic_fetch_add(&http->server.metrics.held, 1);
    return refusal_hold_start(r->hold, until);
}

static void end_hold(request *r) {
    inflight_set_work(&r->http->inflight, &r->inflight, NULL);
    atomic_fetch_add(&r->http->server.metrics.held_for, clock_nanoseconds() - r->held_since);
}

/* Pays for the body, once. True: the connection is suspended, and the call comes again. */
static bool must_wait(request *r) {
    if (r->held_since) {
        end_hold(r);
        return false;
    }
    uint64_t now = clock_nanoseconds();
    uint64_t until = refusal_pace_pay(&r->http->pace, r->received, now);
    if (until <= now || atomic_load(&r->http->server.draining))
        return false;
    r->held_since = now;
    return begin_hold(r, until);
}

enum MHD_Result request_reply_send_problem(request *r) {
    if (must_wait(r))
        return MHD_YES;
    reply with = reply_of(r);
    begin_reply(r, r->result.problem.status);
    return reply_problem(&with, &r->result.problem);
}

/* Of lost data, the source knows more than the reason says. */
static void refuse_answer(request *r, refusal why) {
    const tensor_source *s = answer_source(r->answer);
    problem *p = &r->result.problem;
    char loss[sizeof p->errors[0].detail] = "";
    request_refuse_busy(r, why);
    if (why == REFUSAL_INTERNAL && s->tell_loss)
        s->tell_loss(s->self, loss, sizeof loss);
    if (loss[0])
        memcpy(p->errors[0].detail, loss, sizeof loss);
}

/* HEAD needs the answer's length alone, so the answer is not computed. */
static enum MHD_Result send_answer(request *r) {
    problem *p = &r->result.problem;
    reply with = reply_of(r);
    refusal why = REFUSAL_NONE;
    switch (r->is_head ? ANSWER_READY : answer_start(r->answer, &why)) {
    case ANSWER_WAIT:
        return MHD_YES;
    case ANSWER_READY:
        begin_reply(r, r->conditions.total ? 206 : 200);
        return reply_answer(&with, r->answer);
    case ANSWER_BUSY:
        refuse_answer(r, why);
        break;
    case ANSWER_FAILED:
        if (answer_abandoned(r->answer))
            return MHD_NO; /* the client has left */
        problem_add(p, 500, NULL, "the answer could not be computed: %s",
                    fmix_status_text(answer_failure(r->answer)));
        break;
    }
    return request_reply_send_problem(r);
}

static void explain_condition(const conditions *c, problem *p) {
    if (c->etag[0])
        problem_add(p, 412, "If-Match", "If-Match must list the answer's ETag, %s, as a strong tag",
                    c->etag);
    else
        problem_add(p, 412, "If-Match", "If-Match is given, but the answer does not have an ETag");
}

/* A condition counts only if the request would succeed without it (RFC 9110 §13.2.1). */
static void check_conditions(request *r) {
    resource_result *result = &r->result;
    if (!result->problem.status && r->conditions.failed && (r->answer || result->status / 100 == 2))
        explain_condition(&r->conditions, &result->problem);
}

static enum MHD_Result send_not_modified(request *r) {
    reply with = reply_of(r);
    begin_reply(r, 304);
    atomic_fetch_add(&r->http->server.metrics.not_modified, 1);
    return reply_not_modified(&with, r->answer);
}

static enum MHD_Result send_options(request *r) {
    reply with = reply_of(r);
    begin_reply(r, 204);
    return reply_options(&with, route_methods(r->match.route));
}

static enum MHD_Result send_text(request *r) {
    const resource_result *result = &r->result;
    const view *shared = &result->shared;
    const buffer *text = &result->text;
    reply with = reply_of(r);
    begin_reply(r, result->status);
    if (text->failed)
        return MHD_NO;
    return reply_text(&with, result->status, r->match.route->media,
                      shared->bytes ? shared->bytes : text->bytes,
                      shared->bytes ? shared->length : text->length);
}

enum MHD_Result request_reply_send(request *r) {
    check_conditions(r);
    if (r->result.problem.status)
        return request_reply_send_problem(r);
    if (r->conditions.not_modified)
        return send_not_modified(r);
    if (r->answer)
        return send_answer(r);
    return r->is_options ? send_options(r) : send_text(r);
}
