/*
 * request.h - one request, from its head to its reply
 *
 * A request belongs to the I/O thread of its connection.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "requests.h"

typedef struct request request;

/* A request begins with its target, before libmicrohttpd decodes it. NULL: out of memory. */
request *request_new(requests *all, struct MHD_Connection *connection, const char *target);

/* Called once with the head, once for each piece of a body, which it takes whole, and then until
 * there is a reply. */
enum MHD_Result request_step(request *r, const char *path, const char *method, const char *version,
                             const char *body, size_t *length);

/* Counts, logs and frees it. */
void request_end(request *r, enum MHD_RequestTerminationCode how);

/* The library is about to refuse it by a page of its own. True: it is refused in another way, and
 * the page is not to be sent; else it is no page, but a reply of ours that looks like one. */
bool request_refuse(request *r, const send_page *page);

/* Ends a request whose connection has been closed without a word: nothing is said to the client,
 * and nothing is read of what lay in the connection's memory, which is gone. */
void request_forget(request *r);

/* Whether it was answered by this status. */
bool request_was_answered(const request *r, int status);

#endif
