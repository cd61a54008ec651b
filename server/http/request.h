/*
 * request.h - one request, from its target to its end
 *
 * A request's way: request_head.h checks the head, request_body.h collects the body, request_work.h
 * runs the handler and computes the answer, request_reply.h replies. A request belongs to the I/O
 * thread of its connection.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "http_state.h"
#include "send_filter.h"

#include <microhttpd.h>

typedef struct request request;

/* The request line has come, and libmicrohttpd has not decoded the target yet. NULL: out of memory.
 */
request *request_new(http_state *http, struct MHD_Connection *connection, const char *target);

/* Called once with the head, once for each piece of the body (all of which is taken), and then
 * until there is a reply. MHD_NO closes the connection. */
enum MHD_Result request_step(request *r, const char *path, const char *method, const char *version,
                             const char *body, size_t *length);

/* Counts, logs and frees the request. */
void request_end(request *r, enum MHD_RequestTerminationCode how);

/* Ends a request whose connection libmicrohttpd has closed without a word. The client is not told,
 * and the connection's memory is not read: it is gone. */
void request_forget(request *r);

/* The library is about to send an error page of its own. True: the request is refused by a reply of
 * this program instead. False: the page is a reply of this program. */
bool request_replace(request *r, const send_page *page);

/* Where the bytes of the reply's body lie for which some bytes that are sent stand; NULL: they
 * stand for themselves. */
const void *request_sent(request *r, const void *bytes, size_t length);

/* The reply ends early: the answer has failed. */
void request_break(request *r);

/* Returns true if the request was answered with this status. */
bool request_was_answered(const request *r, int status);

#endif
