/*
 * http_state.h - what the requests of one daemon share
 */
#ifndef HTTP_STATE_H
#define HTTP_STATE_H

#include "api/server_state.h"
#include "connection_monitor.h"
#include "inflight.h"
#include "lingering_close.h"

typedef struct http_state {
    server_state server;
    connection_monitor *monitor;
    lingering_close *lingering;
    inflight inflight;
} http_state;

#endif
