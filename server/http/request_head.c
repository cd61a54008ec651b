#include "request_head.h"
#include "base/text.h"
#include "headers.h"
#include "media_type.h"
#include "params/refusal.h"
#include "request_body.h"
#include "request_parse.h"
#include "request_state.h"

#include <string.h>

static void choose_resource(request *r, const char *path) {
    problem *p = &r->result.problem;
    const request_target_fault *fault = &r->target_fault;
    if (fault->status)
        problem_add(p, fault->status, fault->parameter, "%s", fault->detail);
    else if (r->line.form == GUARD_NUL)
        problem_add(p, 400, NULL, "the path contains an encoded NUL, %%00");
    else if (r->line.form == GUARD_SLASH)
        problem_add(p, 404, NULL,
                    "the path contains an encoded slash, %%2F; no path of this server does");
    else if (route_find(guard_path(path), r->line.method, &r->match, p) && !r->is_options)
        request_parse(&r->input, r->connection, &r->match, p);
}

bool request_head_takes_body(const request *r) {
    return !r->is_options && strcmp(r->match.route->method, "POST") == 0;
}

static void check_announced_length(request *r) {
    const char *length = headers_find(r->connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (length && !request_body_announce(&r->input, length, &r->result.problem))
        r->closes = true;
}

static void check_media_type(request *r) {
    buffer coding = headers_list(r->connection, MHD_HTTP_HEADER_CONTENT_ENCODING);
    media_type_check(r->input.content_type, (const char *)coding.bytes, &r->result.problem);
    if (coding.failed)
        problem_add(&r->result.problem, 500, NULL, "out of memory");
    buffer_free(&coding);
}

static void check_queue(request *r) {
    refusal why = jobs_would_admit(r->http->server.jobs, r->identity.client);
    if (why != REFUSAL_NONE)
        request_refuse_busy(r, why);
}

static void set_holder(request *r) {
    unsigned long long number = atomic_fetch_add(&r->http->holders, 1);
    r->holder = (budget_holder){r->identity.client, number};
    r->input.body.payer.holder = r->holder;
}

/* A client without a token must not learn which resources exist, and its body is not read. */
static void check_request(request *r, const char *path) {
    problem *p = &r->result.problem;
    const server_state *s = &r->http->server;
    if (!route_is_open(guard_path(path), r->line.method) &&
        !identity_admit(&r->identity, r->connection, s, p)) {
        r->closes = headers_has_body(r->connection);
        return;
    }
    set_holder(r);
    choose_resource(r, path);
    check_announced_length(r);
    if (!p->status && request_head_takes_body(r))
        check_media_type(r);
    if (!p->status && request_head_takes_body(r))
        check_queue(r);
    if (p->status && headers_find(r->connection, MHD_HTTP_HEADER_EXPECT))
        r->closes = true;
}

/* A terminal shows a crash report as it is, so only printable ASCII stays. */
static void describe(request *r) {
    const char *const parts[] = {r->logged_method,  " ",         r->logged_target,
                                 " (X-Request-ID ", r->trace.id, ")"};
    char *out = r->description, *end = out + sizeof r->description;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        out += text_copy(out, (size_t)(end - out), parts[i]);
    for (char *c = r->description; c < out; c++)
        *c = *c < ' ' || *c > '~' ? '?' : *c;
}

void request_head_read(request *r, const char *path, const char *method, const char *version) {
    r->head_read = true;
    r->line.method = method;
    r->line.version = version;
    text_copy(r->logged_method, sizeof r->logged_method, method);
    headers_trace(r->connection, &r->trace);
    describe(r);
    r->is_head = strcmp(method, "HEAD") == 0;
    r->is_options = strcmp(method, "OPTIONS") == 0;
    r->closes = !headers_check(r->connection, &r->line, &r->result.problem);
    headers_trim(r->connection);
    headers_forget_expectation(r->connection);
    if (!r->closes)
        check_request(r, path);
    identity_share(&r->identity, r->connection, &r->http->server, method,
                   route_methods(r->match.route));
}
