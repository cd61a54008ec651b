/*
 * http_state.h - what the requests of one daemon share
 */
#ifndef HTTP_STATE_H
#define HTTP_STATE_H

#include "api/server_state.h"
#include "connection_monitor.h"
#include "inflight.h"
#include "lingering_close.h"
#include "refusal_hold.h"
#include "refusal_pace.h"

#include <stdatomic.h>

typedef struct http_state {
    server_state server;
    connection_monitor *monitor;
    lingering_close *lingering;
    inflight inflight;
    refusal_pace pace;
    refusal_holds *holds;
    atomic_ullong holders; /* numbers given to requests that hold memory */
} http_state;

#endif
