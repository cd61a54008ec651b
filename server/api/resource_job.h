/*
 * handling.h - a resource's handler as a job, where it takes time that the client chooses
 *
 * What it works on is its own, so the request may end meanwhile: then it is done to its end, and
 * what came of it is freed.
 *
 * Threads: handling_start and handling_take belong to the thread that asks.
 */
#ifndef HANDLING_H
#define HANDLING_H

#include "resource.h"

typedef struct handling handling;

/* Takes the call's body. request: what a crash says of it (crash.h), copied. NULL: no memory, and
 * nothing is taken. */
handling *handling_new(jobs *line, resource *handler, call *c, const weight *w,
                       const job_waiter *waiter, const char *request);
void handling_release(handling *h); /* NULL: nothing */

/* As what is waited for. */
job *handling_job(handling *h);

typedef enum handling_state {
    HANDLING_DONE,
    HANDLING_WAIT,
    HANDLING_BUSY,
    HANDLING_LEFT
} handling_state;

/* Begins it, or asks how it stands; not while who asks is suspended. WAIT: suspended, and resumed
 * once it is worth asking again. BUSY: not now, and in *why what there is too much of. LEFT: it was
 * abandoned. */
handling_state handling_start(handling *h, jobs_verdict *why);

/* What came of it, once it is DONE. */
outcome handling_take(handling *h);

#endif
