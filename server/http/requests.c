#include "requests.h"
#include "access_log.h"
#include "guard.h"
#include "headers.h"
#include "reply.h"
#include "request.h"
#include "route.h"

#include <inttypes.h>

int request_socket(struct MHD_Connection *connection) {
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

void *request_session(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return info ? info->tls_session : NULL;
}

/* Before a reply has begun there is room for one past libmicrohttpd; not so in a TLS session, which
 * is its I/O thread's alone. */
void requests_late(void *of, int fd, connection_phase phase) {
    const requests *all = of;
    const config *c = all->server.config;
    problem p = {0};
    if (c->tls_cert[0] || (phase != CONNECTION_HEAD && phase != CONNECTION_BODY))
        return;
    problem_add(&p, 408, NULL, "the %s of the request did not come within %" PRIu64 " s",
                phase == CONNECTION_HEAD ? "head" : "body",
                phase == CONNECTION_HEAD ? c->head : c->upload);
    reply_amid(fd, NULL, NULL, &p, true);
}

/* One that libmicrohttpd refused before it showed us its target. */
static void record_unseen(requests *all, int fd, const problem *p) {
    char peer[64];
    trace t;
    trace_begin(&t);
    headers_peer_of(fd, peer, sizeof peer);
    access_log_write(&all->server, &(access_record){.trace = &t,
                                                    .method = "",
                                                    .target = "",
                                                    .peer = peer,
                                                    .client = "",
                                                    .route = ROUTE_NONE,
                                                    .problem = p,
                                                    .status = p->status});
}

bool requests_refused(void *of, int fd, void *session, const send_page *page) {
    requests *all = of;
    request *r = inflight_find(&all->inflight, fd);
    problem p = {0};
    if (r)
        return request_refuse(r, page);
    guard_explain(page->status, &p);
    lingering_close_take(all->lingering, fd);
    reply_amid(fd, session, NULL, &p, page->body);
    record_unseen(all, fd, &p);
    return true;
}

bool requests_shortened(void *of, int fd) {
    requests *all = of;
    const request *r = inflight_find(&all->inflight, fd);
    return r && request_was_answered(r, 304);
}
