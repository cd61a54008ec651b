/*
 * inflight.h - all requests that have begun and not ended, of all I/O threads
 *
 * An I/O thread adds and removes its own requests. The thread that stops the daemon waits for all
 * requests, or abandons their work. A request can be found by its connection's descriptor.
 */
#ifndef INFLIGHT_H
#define INFLIGHT_H

#include "compute/jobs.h"

#include <pthread.h>
#include <stdbool.h>

/* A request's place in the list; a member of the request. */
typedef struct inflight_entry {
    struct inflight_entry *next, *previous;
    void *request;
    int fd;    /* the connection's */
    job *work; /* NULL: the request does not wait for a job */
} inflight_entry;

typedef struct inflight {
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t ended;
    inflight_entry *first;
    inflight_entry **sockets; /* by descriptor */
    size_t room;
    bool stopping; /* new work is refused */
} inflight;

void inflight_init(inflight *all);
void inflight_destroy(inflight *all);

void inflight_add(inflight *all, inflight_entry *e);
void inflight_remove(inflight *all, inflight_entry *e);

/* The connection's current request, or NULL. For the connection's own I/O thread, which alone
 * removes the request. If memory was short when the request was added, the request is not found. */
void *inflight_find(inflight *all, int fd);

/* Sets the job that inflight_abandon abandons. The job must live until it is replaced or the
 * request is removed; NULL: the request does not wait for a job. False: the daemon stops, and the
 * job is refused. */
bool inflight_set_work(inflight *all, inflight_entry *e, job *work);

/* Waits until all requests have ended, for at most so long. True: all have ended, and new work is
 * refused. */
bool inflight_wait(inflight *all, unsigned milliseconds);

/* Refuses new work and abandons the job of every request. */
void inflight_abandon(inflight *all);

#endif
