/*
 * request.h - one request, from its head to its reply, and those that are in flight
 *
 * A request belongs to the I/O thread of its connection; the list of them to all.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "dregs.h"
#include "flight.h"
#include "service.h"
#include "watch.h"

#include <microhttpd.h>

typedef struct request request;

/* What the requests of one daemon share. */
typedef struct requests {
    service service;
    watch *watch;
    dregs *dregs;
    flights flights;
} requests;

void requests_init(requests *all);
void requests_destroy(requests *all);

/* Waits until no request is left, at most so long; if so, none is begun any more. */
bool requests_wait(requests *all, unsigned seconds);

/* What computes or waits for it is cut off: its connection is resumed and closed. */
void requests_abandon(requests *all);

/* A request begins with its target, before libmicrohttpd decodes it. NULL: out of memory. */
request *request_new(requests *all, struct MHD_Connection *connection, const char *target);

/* Called once with the head, once for each piece of a body, which it takes whole, and then until
 * there is a reply. */
enum MHD_Result request_step(request *r, const char *path, const char *method, const char *version,
                             const char *body, size_t *length);

/* Counts, logs and frees it. completed: its reply was handed to the network, whole. */
void request_end(request *r, bool completed);

/* A watch's hook, of `requests`: tells the client, where it can still be told. */
void requests_late(void *all, int fd, watch_phase phase);

/* The socket of a connection, and its TLS session or NULL. */
int request_socket(struct MHD_Connection *connection);
void *request_session(struct MHD_Connection *connection);

#endif
