/*
 * request_reply.h - the reply to a request: a problem, a 304, an answer, a text or an OPTIONS
 */
#ifndef REQUEST_REPLY_H
#define REQUEST_REPLY_H

#include "request.h"

/* Replies once the work is done. The connection may stay suspended while an answer is computed;
 * then the call comes again. MHD_NO: there is no reply, and the connection is closed. */
enum MHD_Result request_reply_send(request *r);

/* Replies with the problem of the request's result. */
enum MHD_Result request_reply_send_problem(request *r);

#endif
