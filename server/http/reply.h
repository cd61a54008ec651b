/*
 * reply.h - HTTP responses; with daemon.c the only user of libmicrohttpd
 */
#ifndef REPLY_H
#define REPLY_H

#include "compute/answer.h"
#include "identity.h"
#include "ops/trace.h"

#include <microhttpd.h>

/* What every reply to one request has in common. */
typedef struct reply {
    struct MHD_Connection *connection;
    _Atomic uint64_t *bytes; /* counts bodies */
    uint64_t *sent;          /* counts this one's */
    const trace *trace;
    const identity *identity;
    bool close; /* draining: tell the client to go elsewhere */
    bool head;
    bool vary;        /* the format came from Accept */
    const char *etag; /* NULL: none */
    bool passing;     /* what is kept is asked for again by its tag */
    bool ranges;      /* parts may be asked for */
    uint64_t first;   /* of the part that is sent */
    uint64_t total;   /* bytes that there are in all, if it is a part or 416; else 0 */
} reply;

enum MHD_Result reply_problem(const reply *r, const problem *p);
/* The text stays as it is until the request ends. */
enum MHD_Result reply_text(const reply *r, int status, const char *media_type, const void *text,
                           size_t length);
/* 304 for an answer, of which nothing is read. */
enum MHD_Result reply_not_modified(const reply *r, answer *a);

/* 204, with what may be asked of a resource. */
enum MHD_Result reply_options(const reply *r, const char *methods);

/* Holds a reference of its own until the response is gone. HEAD reads nothing of it. */
enum MHD_Result reply_answer(const reply *r, answer *a);

#endif
