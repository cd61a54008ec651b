/*
 * watch.h - notices clients that leave, and those that take too long
 *
 * libmicrohttpd does not look at a suspended socket, and where a client's last bytes and its end
 * come together its edge-triggered poll never sees the end. So one thread watches every connection
 * for a hang-up. If a job is in work for it, that is abandoned; otherwise the socket is
 * shut for reading, which is an edge that libmicrohttpd sees (again and again until it does). A
 * client that closes only its sending half counts as gone while it waits.
 *
 * libmicrohttpd's time-out begins anew with each byte, so one byte a minute holds a connection for
 * ever. Here each phase of a request has a deadline that no byte moves, and a reply must be taken
 * at a rate, by what the client's kernel acknowledges. Who is late is cut off, within half a
 * second.
 */
#ifndef WATCH_H
#define WATCH_H

#include "compute/jobs.h"

typedef struct watch watch;

typedef enum watch_phase {
    WATCH_IDLE,  /* until a request line */
    WATCH_HEAD,  /* until the end of the head */
    WATCH_BODY,  /* until the end of the body */
    WATCH_WORK,  /* ours: never late */
    WATCH_REPLY, /* until the reply is in the network */
    WATCH_PHASES
} watch_phase;

typedef struct watch_limits {
    uint64_t milliseconds[WATCH_PHASES]; /* 0: no limit. REPLY: over which the rate is measured */
    uint64_t rate;                       /* bytes a second, while there are any to be taken */
    /* Someone is late: its socket is shut as soon as this returns. Not to call back. NULL: none. */
    void (*late)(void *user, int fd, watch_phase phase);
    void *user;
} watch_limits;

watch *watch_new(const watch_limits *limits);
void watch_free(watch *w);

/* A connection's life, IDLE first. Where memory or the kernel refuses, its end is noticed by
 * libmicrohttpd's time-out alone. */
void watch_open(watch *w, int fd);
/* One that another thread is about to open; and waits until it is, or closed, at most so long. */
void watch_expect(watch *w, int fd);
bool watch_arrived(watch *w, int fd, unsigned milliseconds);
void watch_enter(watch *w, int fd, watch_phase phase);
/* Whether it was cut off for being late. */
bool watch_was_late(watch *w, int fd);
void watch_close(watch *w, int fd);

/* Waits until every connection there is has begun a request at least once, at most so long. */
void watch_settle(watch *w, unsigned milliseconds);

/* From add to remove a hang-up of an open fd abandons the job, also one that came before. At most
 * one job a connection. */
void watch_add(watch *w, int fd, job *j);
void watch_remove(watch *w, int fd);

#endif
