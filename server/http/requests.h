/*
 * requests.h - what the requests of one daemon share, and what is done past them
 */
#ifndef REQUESTS_H
#define REQUESTS_H

#include "api/server_state.h"
#include "connection_monitor.h"
#include "inflight.h"
#include "lingering_close.h"
#include "send_filter.h"

#include <microhttpd.h>

typedef struct requests {
    server_state server;
    connection_monitor *monitor;
    lingering_close *lingering;
    inflight inflight;
} requests;

/* A watch's hook, of `requests`: tells the client, where it can still be told. */
void requests_late(void *all, int fd, connection_phase phase);

/* A send filter's hook, of `requests`: answers in libmicrohttpd's place. */
bool requests_refused(void *all, int fd, void *session, const send_page *page);

/* The same: whether its reply is a 304, whose length may be taken out. */
bool requests_shortened(void *all, int fd);

/* The socket of a connection, and its TLS session or NULL. */
int request_socket(struct MHD_Connection *connection);
void *request_session(struct MHD_Connection *connection);

#endif
