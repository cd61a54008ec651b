/*
 * request_work.h - a request's handler, and the answer that is made of its result
 */
#ifndef REQUEST_WORK_H
#define REQUEST_WORK_H

#include "api/resource_job.h"
#include "request.h"

/* Runs the handler: now if it is quick, else as a job on a compute thread. Once. */
void request_work_begin(request *r);

/* The connection as a job's waiter: it is not served while its job is not worth asking. */
job_waiter request_waiter(request *r);

/* Asks how the handler stands. DONE or BUSY: the request's result or problem is there. WAIT: the
 * connection is suspended, and resumed when it is worth asking again. LEFT: the job was abandoned.
 */
resource_job_state request_work_poll(request *r);

#endif
