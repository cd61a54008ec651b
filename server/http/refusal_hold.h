/*
 * refusal_hold.h - connections whose refusals are held back until their time has come
 *
 * A held connection is suspended, and no thread waits for it: one thread resumes all of them. A
 * hold is a job that is never admitted, so that whoever abandons a request's job ends its hold:
 * the connection monitor when the client leaves, and the end of the process.
 */
#ifndef REFUSAL_HOLD_H
#define REFUSAL_HOLD_H

#include "compute/jobs.h"

typedef struct refusal_holds refusal_holds;
typedef struct refusal_hold refusal_hold;

/* NULL: out of memory or threads. */
refusal_holds *refusal_holds_new(void);
/* Not before all holds are released. */
void refusal_holds_free(refusal_holds *all);

/* NULL: out of memory. */
refusal_hold *refusal_hold_new(refusal_holds *all, const job_waiter *waiter);
/* Not while the waiter is suspended. NULL: nothing. */
void refusal_hold_release(refusal_hold *h);

/* The job that the connection waits for. Abandoning the job ends the hold at once. */
job *refusal_hold_job(refusal_hold *h);

/* Called once. True: the waiter is suspended, and is resumed at this time (of clock_nanoseconds) or
 * when the job is abandoned. False: the job was abandoned before. */
bool refusal_hold_start(refusal_hold *h, uint64_t until);

#endif
