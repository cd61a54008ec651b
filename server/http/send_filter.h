/*
 * send_filter.h - keeps error pages that libmicrohttpd makes itself from a client
 *
 * libmicrohttpd answers a request that it cannot parse with a page of HTML, and version 0.9.75
 * sends the head of that page twice. The library has no hook for it. So this program defines the
 * functions by which libmicrohttpd writes to a socket: send and sendmsg here, gnutls_record_send in
 * tls.c. The dynamic linker takes a program's own symbols first, also for the calls of a library.
 *
 * A thread that has set a filter asks it about each page of the library, and the page is sent only
 * if the filter lets it. The page is told by its head: the status of an error, and not the field
 * X-Fmix-Stream, which every reply of ours has.
 *
 * Version 0.9.75 cannot leave the length out of a 304 on a connection that goes on, and says
 * Content-Length: 0, which caches put on the answer that they keep (RFC 9110 §8.6). That line is
 * left out here.
 *
 * All other bytes, and all bytes of all other threads, pass as they are.
 */
#ifndef SEND_FILTER_H
#define SEND_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

typedef struct send_page {
    int status;
    bool body; /* one comes with the head */
} send_page;

typedef struct send_filter {
    /* A page is about to be sent to a socket, or into its TLS session. True: something else was
     * sent in its place, and the library is told that the connection is broken, so that it closes
     * it. */
    bool (*replaces)(void *user, int fd, void *session, const send_page *page);
    /* Whether the socket's current request was answered by 304, so that what begins as a head of
     * 304 is one, and not a body that looks so. */
    bool (*shortens)(void *user, int fd);
    void *user;
} send_filter;

/* For the calling thread, until it ends; NULL: none. */
void send_filter_set(const send_filter *f);

/* How often the calling thread has called one of those functions. */
uint64_t send_filter_calls(void);

/* Whether this begins with a page of the library. */
bool send_filter_finds(const struct iovec *parts, size_t count, send_page *out);

/* How much of a head of 304 comes before a Content-Length: 0 that ends it; 0: no such head. What is
 * sent instead is that much and an empty line, and SEND_FILTER_LENGTH bytes less. */
size_t send_filter_cuts(int fd, const void *bytes, size_t length);
#define SEND_FILTER_LENGTH (sizeof "Content-Length: 0\r\n" - 1)

/* For who defines such a function: counts the call. True: nothing is to be sent. */
bool send_filter_stops(int fd, void *session, const struct iovec *parts, size_t count);

#endif
