/*
 * server_state.h - the state that all requests of one daemon share
 */
#ifndef SERVER_STATE_H
#define SERVER_STATE_H

#include "access/auth.h"
#include "compute/jobs.h"
#include "datasets/catalog.h"
#include "lib/fmix.h"
#include "ops/config.h"
#include "ops/log.h"
#include "ops/metrics.h"

#include <stdatomic.h>

typedef struct server_state {
    const config *config;
    auth *auth;
    fmix_context *context;
    jobs *jobs;
    catalog *catalog; /* of data sets */
    buffer document;  /* openapi.h */
    budget budget;
    buffer_pool buffer_pool; /* of slices and views; not counted in the budget */
    metrics metrics;
    log_lines *log;
    atomic_bool draining; /* SIGTERM was received: not ready, but still serving */
    char golden[33];      /* digest of the self-test's answers */
    bool misdecodes;      /* pictures: the decoder gives other samples than the golden ones */
} server_state;

#endif
