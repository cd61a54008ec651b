/*
 * reply.h - the responses that libmicrohttpd sends
 */
#ifndef REPLY_H
#define REPLY_H

#include "body_window.h"
#include "compute/answer.h"
#include "identity.h"
#include "ops/trace.h"

#include <microhttpd.h>

/* The parts that all kinds of reply need. */
typedef struct reply {
    struct MHD_Connection *connection;
    _Atomic uint64_t *bytes; /* the daemon's counter of body bytes */
    uint64_t *sent;          /* the request's counter of body bytes */
    bool *broken;            /* the request's */
    body_window *window;     /* the request's */
    const trace *trace;
    const identity *identity;
    bool close; /* the connection closes after this reply */
    bool head;
    bool vary;        /* Accept chose the format */
    const char *etag; /* NULL: the answer does not have an ETag */
    freshness fresh;  /* of an answer with an ETag */
    bool ranges;      /* the client may ask for parts */
    uint64_t first;   /* offset of the part that is sent */
    uint64_t total;   /* length of the whole answer, for a part or 416; else 0 */
} reply;

enum MHD_Result reply_problem(const reply *r, const problem *p);

/* The text is borrowed until the request ends. */
enum MHD_Result reply_text(const reply *r, int status, const char *media_type, const void *text,
                           size_t length);

/* 304 Not Modified; does not read the answer. */
enum MHD_Result reply_not_modified(const reply *r, answer *a);

/* 204 No Content, with the resource's methods in Allow. */
enum MHD_Result reply_options(const reply *r, const char *methods);

/* Holds a reference to the answer until the response is destroyed. HEAD does not read the answer.
 */
enum MHD_Result reply_answer(const reply *r, answer *a);

#endif
