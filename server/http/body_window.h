/*
 * body_window.h - where the bytes of a reply's body lie that libmicrohttpd is about to send
 *
 * libmicrohttpd has a reader copy the body into a block of its own, and sends the block. Where the
 * bytes lie in memory already, the reader leaves the block as it is and says here which bytes the
 * block stands for; send (send_filter.h) sends those. A reader may do so once bytes of the block
 * were seen there: another library, as for TLS, reads the block itself.
 *
 * Threads: one connection's I/O thread.
 */
#ifndef BODY_WINDOW_H
#define BODY_WINDOW_H

#include <stdbool.h>
#include <stddef.h>

typedef struct body_window {
    const char *block; /* as the reader was last given it; NULL: never */
    size_t length;     /* of the bytes in it */
    const char *bytes; /* for which the block stands; NULL: for itself */
    bool seen;         /* bytes of the block came to `send` */
} body_window;

/* The reader has copied so many bytes into the block. */
void body_window_fill(body_window *w, const char *block, size_t length);

/* The block stands for these bytes, which stay where they are until the next call. */
void body_window_open(body_window *w, const char *block, const void *bytes, size_t length);

/* Where the bytes lie for which some bytes that are sent stand; NULL: they stand for themselves. */
const void *body_window_find(body_window *w, const void *sent, size_t length);

#endif
