/*
 * send_filter.h - replaces the error pages that libmicrohttpd sends by itself
 *
 * libmicrohttpd answers a request that it cannot parse with a page of HTML, and version 0.9.75
 * sends the head of that page twice. The library does not have a hook for its pages. So this
 * program defines the functions by which libmicrohttpd writes to a socket: send and sendmsg here,
 * gnutls_record_send in tls.c. The dynamic linker prefers a program's symbols to those of a
 * library, also for calls from other libraries.
 *
 * Each thread may set a filter, which decides about each page of the library that the thread sends.
 * The head of a page has an error status, and lacks the field X-Fmix-Stream, which every reply of
 * this program has.
 *
 * A 304 of version 0.9.75 has Content-Length: 0, unless the connection closes. Caches would copy
 * the length to the answer that they keep (RFC 9110 §8.6), so the field is removed here.
 *
 * A block of a reply's body may stand for bytes that lie elsewhere (body_window.h).
 *
 * All other bytes, and all bytes of threads without a filter, are sent unchanged.
 */
#ifndef SEND_FILTER_H
#define SEND_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

typedef struct send_page {
    int status;
    bool body; /* the page has a body */
} send_page;

typedef struct send_filter {
    /* A page is about to be sent to a socket, or into the socket's TLS session. True: another reply
     * was sent instead; the library is told that the connection is broken, and closes it. */
    bool (*replaces)(void *user, int fd, void *session, const send_page *page);
    /* Returns true if the socket's current request was answered with 304. Bytes that look like the
     * head of a 304 may be part of a body otherwise. */
    bool (*shortens)(void *user, int fd);
    /* Where the bytes lie that are to be sent to the socket instead of these, as many; NULL: these
     * are sent. */
    const void *(*stands_for)(void *user, int fd, const void *bytes, size_t length);
    /* Such bytes cannot be read any more: their file was cut. */
    void (*breaks)(void *user, int fd);
    void *user;
} send_filter;

/* Sets the calling thread's filter; NULL: the thread does not have a filter. */
void send_filter_set(const send_filter *f);

/* The number of calls of these functions by the calling thread. */
uint64_t send_filter_calls(void);

/* Returns true if the bytes begin with a page of the library. */
bool send_filter_finds(const struct iovec *parts, size_t count, send_page *out);

/* If the bytes are the head of a 304 whose last field is Content-Length: 0: the length of the head
 * before that field, else 0. Those bytes and an empty line are sent instead, SEND_FILTER_LENGTH
 * bytes less. */
size_t send_filter_cuts(int fd, const void *bytes, size_t length);
#define SEND_FILTER_LENGTH (sizeof "Content-Length: 0\r\n" - 1)

/* For send: where the bytes lie that are to be sent instead; NULL: they are sent themselves. */
const void *send_filter_others(int fd, const void *bytes, size_t length);

/* For the functions that this program defines: counts the call. True: the bytes must not be sent.
 */
bool send_filter_stops(int fd, void *session, const struct iovec *parts, size_t count);

#endif
