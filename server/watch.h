/*
 * watch.h - notices clients that leave
 *
 * libmicrohttpd does not look at a suspended socket, and where a client's last bytes and its end
 * come together its edge-triggered poll never sees the end. So one thread watches every connection
 * for a hang-up. If an answer is being computed for it, that is abandoned; otherwise the socket is
 * shut for reading, which is an edge that libmicrohttpd sees (again and again until it does). A
 * client that closes only its sending half counts as gone while it waits.
 */
#ifndef WATCH_H
#define WATCH_H

#include "answer.h"

typedef struct watch watch;

watch *watch_new(void);
void watch_free(watch *w);

/* A connection's life. Where memory or the kernel refuses, its end is noticed by timeout alone. */
void watch_open(watch *w, int fd);
void watch_close(watch *w, int fd);

/* From add to remove a hang-up of an open fd abandons the answer, also one that came before. At
 * most one answer a connection. */
void watch_add(watch *w, int fd, answer *a);
void watch_remove(watch *w, int fd);

#endif
