/*
 * connection_monitor.h - notices clients that leave, and ends connections that are too slow
 *
 * libmicrohttpd does not poll a suspended socket. If a client's last bytes and its hang-up come
 * together, the library's edge-triggered poll never sees the hang-up. So one thread polls every
 * connection for a hang-up. If the connection waits for a job, the thread abandons the job;
 * otherwise the thread shuts the socket down for reading, repeatedly, until libmicrohttpd sees the
 * edge and closes the connection. A client that closes only its sending half counts as gone while
 * it waits.
 *
 * libmicrohttpd's timeout restarts at each byte, so a client could hold a connection with one byte
 * a minute. Here each phase of a request has a deadline that bytes do not extend, and the client
 * must receive a reply at a minimum rate, measured by what its kernel acknowledges. A late
 * connection is shut down within half a second of its deadline.
 */
#ifndef CONNECTION_MONITOR_H
#define CONNECTION_MONITOR_H

#include "compute/jobs.h"

typedef struct connection_monitor connection_monitor;

typedef enum connection_phase {
    CONNECTION_IDLE,  /* until a request line */
    CONNECTION_HEAD,  /* until the end of the head */
    CONNECTION_BODY,  /* until the end of the body */
    CONNECTION_WORK,  /* the server's turn: never late */
    CONNECTION_REPLY, /* until the reply is sent */
    CONNECTION_PHASES
} connection_phase;

typedef struct connection_limits {
    /* 0: without a limit. REPLY: the interval over which the rate is measured. */
    uint64_t milliseconds[CONNECTION_PHASES];
    uint64_t rate; /* bytes a second that the client must receive, while bytes wait */
    /* Called before a late socket is shut down; must not call the monitor. NULL: not called. */
    void (*late)(void *user, int fd, connection_phase phase);
    void *user;
} connection_limits;

connection_monitor *connection_monitor_new(const connection_limits *limits);
void connection_monitor_free(connection_monitor *m);

/* A connection begins in the phase IDLE. If memory or the kernel refuses, only libmicrohttpd's
 * timeout ends the connection. */
void connection_monitor_open(connection_monitor *m, int fd);
void connection_monitor_enter(connection_monitor *m, int fd, connection_phase phase);
void connection_monitor_close(connection_monitor *m, int fd);

/* Returns true if the monitor shut the socket down because the connection was late. */
bool connection_monitor_was_late(connection_monitor *m, int fd);

/* Announces a connection that another thread will open; and waits until that thread has opened or
 * closed the connection, for at most so long. False: it has not. */
void connection_monitor_expect(connection_monitor *m, int fd);
bool connection_monitor_arrived(connection_monitor *m, int fd, unsigned milliseconds);

/* Waits until every connection has begun a request at least once, for at most so long. */
void connection_monitor_settle(connection_monitor *m, unsigned milliseconds);

/* Between add and remove, a hang-up of an open fd abandons the job, also a hang-up before add. A
 * connection has at most one job. */
void connection_monitor_add(connection_monitor *m, int fd, job *j);
void connection_monitor_remove(connection_monitor *m, int fd);

#endif
