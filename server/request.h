/*
 * request.h - one request, from its head to its reply
 *
 * A request belongs to the I/O thread of its connection.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "dregs.h"
#include "inflight.h"
#include "send_filter.h"
#include "service.h"
#include "watch.h"

#include <microhttpd.h>

typedef struct request request;

/* What the requests of one daemon share. */
typedef struct requests {
    service service;
    watch *watch;
    dregs *dregs;
    inflight inflight;
} requests;

/* A request begins with its target, before libmicrohttpd decodes it. NULL: out of memory. */
request *request_new(requests *all, struct MHD_Connection *connection, const char *target);

/* Called once with the head, once for each piece of a body, which it takes whole, and then until
 * there is a reply. */
enum MHD_Result request_step(request *r, const char *path, const char *method, const char *version,
                             const char *body, size_t *length);

/* Counts, logs and frees it. */
void request_end(request *r, enum MHD_RequestTerminationCode how);

/* A watch's hook, of `requests`: tells the client, where it can still be told. */
void requests_late(void *all, int fd, watch_phase phase);

/* A send filter's hook, of `requests`: answers in libmicrohttpd's place. */
bool requests_refused(void *all, int fd, void *session, const send_page *page);

/* The socket of a connection, and its TLS session or NULL. */
int request_socket(struct MHD_Connection *connection);
void *request_session(struct MHD_Connection *connection);

#endif
