/*
 * identity.h - the client of a request: its token, its share of the server, and CORS
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#include "access/auth.h"
#include "access/cors.h"
#include "api/server_state.h"
#include "params/problem.h"

struct MHD_Connection;

typedef struct identity {
    char name[AUTH_NAME + 1]; /* of the token's owner; empty: the request has no known token */
    uint64_t client;          /* key under which the request counts for fair shares */
    bool guarded;             /* the server requires tokens, so the reply depends on the token */
    const char *challenge;    /* value of WWW-Authenticate, or NULL */
    cors cors;
} identity;

/* Identifies the client by its address. */
void identity_begin(identity *id, struct MHD_Connection *connection);

/* Identifies the client by its token, if the server requires tokens. False: 401 or 400, explained
 * in p. */
bool identity_admit(identity *id, struct MHD_Connection *connection, const server_state *s,
                    problem *p);

/* Sets the CORS header fields of the reply. methods: those of the resource. */
void identity_share(identity *id, struct MHD_Connection *connection, const server_state *s,
                    const char *method, const char *methods);

#endif
