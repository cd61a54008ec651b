/*
 * flight.h - the requests in flight: who waits until they are over, and what cuts them off
 *
 * What a request waits for is named here, so that it can be abandoned from outside; it lives at
 * least until another is named, or the request has left.
 *
 * Threads: any.
 */
#ifndef FLIGHT_H
#define FLIGHT_H

#include "jobs.h"

/* A request's place, which lies in the request. */
typedef struct flight {
    struct flight *next, *previous;
    job *work; /* NULL: it waits for none */
} flight;

typedef struct flights {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    flight *first;
    bool stopping; /* no work is begun any more */
} flights;

void flights_init(flights *all);
void flights_destroy(flights *all);

void flights_enter(flights *all, flight *f);
void flights_leave(flights *all, flight *f);

/* From here on flights_abandon sees this work; NULL: none. False: none is begun any more. */
bool flights_work(flights *all, flight *f, job *work);

/* Waits until no request is left, at most so long; if so, no work is begun any more. */
bool flights_wait(flights *all, unsigned seconds);

/* What each waits for is abandoned. */
void flights_abandon(flights *all);

#endif
