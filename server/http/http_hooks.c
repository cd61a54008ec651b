#include "http_hooks.h"
#include "access_log.h"
#include "connection.h"
#include "direct_reply.h"
#include "guard.h"
#include "http_state.h"
#include "request.h"
#include "route.h"

#include <inttypes.h>

/* Before a reply has begun the socket has room for a reply of ours. A TLS session is not used here:
 * the session is for its I/O thread alone, and this is the monitor's thread. */
void http_hooks_late(void *http, int fd, connection_phase phase) {
    const http_state *state = http;
    const config *c = state->server.config;
    problem p = {0};
    if (c->tls_cert[0] || (phase != CONNECTION_HEAD && phase != CONNECTION_BODY))
        return;
    problem_add(&p, 408, NULL, "the %s of the request was not received within %" PRIu64 " s",
                phase == CONNECTION_HEAD ? "head" : "body",
                phase == CONNECTION_HEAD ? c->head : c->upload);
    direct_reply_send(fd, NULL, NULL, &p, true);
}

/* Logs a request that libmicrohttpd refused before it showed the request's target. */
static void log_unseen(http_state *http, int fd, const problem *p, size_t sent) {
    char peer[CONNECTION_PEER];
    trace t;
    trace_begin(&t);
    connection_peer_of_socket(fd, peer);
    access_log_write(&http->server, &(access_record){.trace = &t,
                                                     .method = "",
                                                     .target = "",
                                                     .peer = peer,
                                                     .client = "",
                                                     .route = ROUTE_NONE,
                                                     .problem = p,
                                                     .status = p->status,
                                                     .bytes = sent});
}

bool http_hooks_replace(void *http, int fd, void *session, const send_page *page) {
    http_state *state = http;
    request *r = inflight_find(&state->inflight, fd);
    problem p = {0};
    if (r)
        return request_replace(r, page);
    guard_explain(page->status, &p);
    lingering_close_take(state->lingering, fd);
    log_unseen(state, fd, &p, direct_reply_send(fd, session, NULL, &p, page->body));
    return true;
}

const void *http_hooks_find(void *http, int fd, const void *bytes, size_t length) {
    http_state *state = http;
    request *r = inflight_find(&state->inflight, fd);
    return r ? request_sent(r, bytes, length) : NULL;
}

bool http_hooks_shorten(void *http, int fd) {
    http_state *state = http;
    const request *r = inflight_find(&state->inflight, fd);
    return r && request_was_answered(r, 304);
}

void http_hooks_break(void *http, int fd) {
    http_state *state = http;
    request *r = inflight_find(&state->inflight, fd);
    if (r)
        request_break(r);
}
