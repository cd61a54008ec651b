/*
 * inflight.h - the requests that are in work, whichever I/O thread they belong to
 *
 * An I/O thread adds and removes its own requests. The thread that stops the daemon waits for all
 * of them, or abandons what they wait for. A request is found by its connection's descriptor, too.
 */
#ifndef INFLIGHT_H
#define INFLIGHT_H

#include "compute/jobs.h"

#include <pthread.h>
#include <stdbool.h>

/* A request's place in the list; part of the request. */
typedef struct inflight_entry {
    struct inflight_entry *next, *previous;
    void *request;
    int fd;    /* of its connection */
    job *work; /* NULL: it waits for none */
} inflight_entry;

typedef struct inflight {
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t ended;
    inflight_entry *first;
    inflight_entry **sockets; /* by descriptor */
    size_t room;
    bool stopping; /* no work is begun any more */
} inflight;

void inflight_init(inflight *all);
void inflight_destroy(inflight *all);

void inflight_add(inflight *all, inflight_entry *e);
void inflight_remove(inflight *all, inflight_entry *e);

/* The request that a connection is at, or NULL. For the connection's own I/O thread, which alone
 * removes it; where memory is short none is found. */
void *inflight_find(inflight *all, int fd);

/* From here on inflight_abandon sees this work, which lives until another is named or the request
 * is removed; NULL: none. False: no work may be begun any more. */
bool inflight_set_work(inflight *all, inflight_entry *e, job *work);

/* Waits until no request is left, at most so long; if so, none is begun any more. */
bool inflight_wait(inflight *all, unsigned milliseconds);

/* No work is begun any more; what is computed or waited for is cut off. */
void inflight_abandon(inflight *all);

#endif
