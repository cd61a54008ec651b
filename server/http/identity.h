/*
 * visitor.h - who a request comes from, whether it may be answered, and which pages may read that
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#include "access/auth.h"
#include "access/cors.h"
#include "api/server_state.h"
#include "params/problem.h"

struct MHD_Connection; /* asked for its headers */

typedef struct identity {
    char name[AUTH_NAME + 1]; /* whose token came; empty: nobody's */
    uint64_t client;          /* who it counts for */
    bool guarded;             /* the answer depends on the token */
    const char *challenge;    /* of WWW-Authenticate, or NULL */
    cors cors;
} identity;

/* The client, by its address. */
void identity_begin(identity *v, struct MHD_Connection *connection);

/* The client by its token, if one is needed here. False: 401 or 400, explained in p. */
bool identity_admit(identity *v, struct MHD_Connection *connection, const server_state *s,
                    problem *p);

/* What CORS adds to any answer. methods: what the resource takes. */
void identity_share(identity *v, struct MHD_Connection *connection, const server_state *s,
                    const char *method, const char *methods);

#endif
