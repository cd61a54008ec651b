/*
 * connection_monitor.h - notices clients that leave, and those that take too long
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
#ifndef CONNECTION_MONITOR_H
#define CONNECTION_MONITOR_H

#include "compute/jobs.h"

typedef struct connection_monitor connection_monitor;

typedef enum connection_phase {
    CONNECTION_IDLE,  /* until a request line */
    CONNECTION_HEAD,  /* until the end of the head */
    CONNECTION_BODY,  /* until the end of the body */
    CONNECTION_WORK,  /* ours: never late */
    CONNECTION_REPLY, /* until the reply is in the network */
    CONNECTION_PHASES
} connection_phase;

typedef struct connection_limits {
    uint64_t
        milliseconds[CONNECTION_PHASES]; /* 0: no limit. REPLY: over which the rate is measured */
    uint64_t rate;                       /* bytes a second, while there are any to be taken */
    /* Someone is late: its socket is shut as soon as this returns. Not to call back. NULL: none. */
    void (*late)(void *user, int fd, connection_phase phase);
    void *user;
} connection_limits;

connection_monitor *connection_monitor_new(const connection_limits *limits);
void connection_monitor_free(connection_monitor *w);

/* A connection's life, IDLE first. Where memory or the kernel refuses, its end is noticed by
 * libmicrohttpd's time-out alone. */
void connection_monitor_open(connection_monitor *w, int fd);
/* One that another thread is about to open; and waits until it is, or closed, at most so long. */
void connection_monitor_expect(connection_monitor *w, int fd);
bool connection_monitor_arrived(connection_monitor *w, int fd, unsigned milliseconds);
void connection_monitor_enter(connection_monitor *w, int fd, connection_phase phase);
/* Whether it was cut off for being late. */
bool connection_monitor_was_late(connection_monitor *w, int fd);
void connection_monitor_close(connection_monitor *w, int fd);

/* Waits until every connection there is has begun a request at least once, at most so long. */
void connection_monitor_settle(connection_monitor *w, unsigned milliseconds);

/* From add to remove a hang-up of an open fd abandons the job, also one that came before. At most
 * one job a connection. */
void connection_monitor_add(connection_monitor *w, int fd, job *j);
void connection_monitor_remove(connection_monitor *w, int fd);

#endif
