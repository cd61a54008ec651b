/*
 * watch.h - notices clients that leave while their connection is suspended
 *
 * libmicrohttpd does not look at a suspended socket. One thread does, and abandons the answer.
 */
#ifndef WATCH_H
#define WATCH_H

#include "answer.h"

typedef struct watch watch;

watch *watch_new(void);
void watch_free(watch *w);

/* From add to remove a hang-up of fd abandons the answer. At most one answer a descriptor. Where
 * the kernel refuses, the client's leaving is noticed only when its reply is sent. */
void watch_add(watch *w, int fd, answer *a);
void watch_remove(watch *w, int fd);

#endif
