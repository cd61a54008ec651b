/*
 * http_hooks.h - what the connection monitor and the send filter ask of a daemon's requests
 *
 * `http` is the daemon's http_state.
 */
#ifndef HTTP_HOOKS_H
#define HTTP_HOOKS_H

#include "connection_monitor.h"
#include "send_filter.h"

/* The monitor's hook: a request was not received in time. Sends 408 where a reply is possible. */
void http_hooks_late(void *http, int fd, connection_phase phase);

/* The send filter's hook: replies instead of a page of libmicrohttpd. False: the page is a reply of
 * this program. */
bool http_hooks_replace(void *http, int fd, void *session, const send_page *page);

/* The send filter's hook: where the bytes of a reply's body lie. */
const void *http_hooks_find(void *http, int fd, const void *bytes, size_t length);

/* The send filter's hook: those bytes cannot be read any more. */
void http_hooks_break(void *http, int fd);

/* The send filter's hook: whether the reply is a 304, so that its Content-Length: 0 is left out. */
bool http_hooks_shorten(void *http, int fd);

#endif
