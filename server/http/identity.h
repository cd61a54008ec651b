/*
 * visitor.h - who a request comes from, whether it may be answered, and which pages may read that
 */
#ifndef VISITOR_H
#define VISITOR_H

#include "access/auth.h"
#include "access/cors.h"
#include "params/problem.h"
#include "api/server_state.h"

struct MHD_Connection; /* asked for its headers */

typedef struct visitor {
    char name[AUTH_NAME + 1]; /* whose token came; empty: nobody's */
    uint64_t client;          /* who it counts for */
    bool guarded;             /* the answer depends on the token */
    const char *challenge;    /* of WWW-Authenticate, or NULL */
    cors cors;
} visitor;

/* The client, by its address. */
void visitor_begin(visitor *v, struct MHD_Connection *connection);

/* The client by its token, if one is needed here. False: 401 or 400, explained in p. */
bool visitor_admit(visitor *v, struct MHD_Connection *connection, const service *s, problem *p);

/* What CORS adds to any answer. methods: what the resource takes. */
void visitor_share(visitor *v, struct MHD_Connection *connection, const service *s,
                   const char *method, const char *methods);

#endif
