/*
 * resource_job.h - a resource's handler as a job, where the client chooses how long the handler
 * takes
 *
 * The job owns the request that the handler gets. If the connection ends meanwhile, the handler
 * still runs, to its end unless it asks request->cancelled, and its result is freed.
 *
 * Threads: resource_job_start and resource_job_take are called by the thread of the connection.
 */
#ifndef RESOURCE_JOB_H
#define RESOURCE_JOB_H

#include "resource.h"

typedef struct resource_job resource_job;

/* Takes the body of the request. crash_text names the request after a crash (crash.h), and is
 * copied. NULL: no memory, and the body is not taken. */
resource_job *resource_job_new(jobs *pool, resource *handler, resource_request *request,
                               const weight *w, const job_waiter *waiter, const char *crash_text);
void resource_job_release(resource_job *h); /* NULL: nothing */

/* The job that the connection waits for. */
job *resource_job_job(resource_job *h);

typedef enum resource_job_state {
    RESOURCE_JOB_DONE,
    RESOURCE_JOB_WAIT,
    RESOURCE_JOB_BUSY,
    RESOURCE_JOB_LEFT
} resource_job_state;

/* Starts the job, or tells how far the job is. Not called while the waiter is suspended. WAIT: the
 * waiter is suspended, and is resumed when a further call is worthwhile. BUSY: refused, for the
 * reason in *why. LEFT: the job was abandoned. */
resource_job_state resource_job_start(resource_job *h, refusal *why);

/* The result of the handler, after DONE. */
resource_result resource_job_take(resource_job *h);

#endif
