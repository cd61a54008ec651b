/*
 * handling.h - a resource's handler as a job, where it takes time that the client chooses
 *
 * What it works on is its own, so the request may end meanwhile: then it is done to its end, and
 * what came of it is freed.
 *
 * Threads: resource_job_start and resource_job_take belong to the thread that asks.
 */
#ifndef RESOURCE_JOB_H
#define RESOURCE_JOB_H

#include "resource.h"

typedef struct resource_job resource_job;

/* Takes the call's body. request: what a crash says of it (crash.h), copied. NULL: no memory, and
 * nothing is taken. */
resource_job *resource_job_new(jobs *line, resource *handler, resource_request *c, const weight *w,
                               const job_waiter *waiter, const char *request);
void resource_job_release(resource_job *h); /* NULL: nothing */

/* As what is waited for. */
job *resource_job_job(resource_job *h);

typedef enum resource_job_state {
    RESOURCE_JOB_DONE,
    RESOURCE_JOB_WAIT,
    RESOURCE_JOB_BUSY,
    RESOURCE_JOB_LEFT
} resource_job_state;

/* Begins it, or asks how it stands; not while who asks is suspended. WAIT: suspended, and resumed
 * once it is worth asking again. BUSY: not now, and in *why what there is too much of. LEFT: it was
 * abandoned. */
resource_job_state resource_job_start(resource_job *h, refusal *why);

/* What came of it, once it is DONE. */
resource_result resource_job_take(resource_job *h);

#endif
