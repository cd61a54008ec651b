/*
 * refusal.h - the reasons for which a request is refused
 *
 * The scheduler, the job pool and every check on a request's way use this one list. The metric
 * fmixd_refused_total has a series for each reason.
 */
#ifndef REFUSAL_H
#define REFUSAL_H

typedef enum refusal {
    REFUSAL_NONE,
    REFUSAL_REQUEST,  /* the request is malformed, or asks for something that does not exist */
    REFUSAL_GUARD,    /* the request's framing is ambiguous */
    REFUSAL_LARGE,    /* the request exceeds a size limit, or more memory than there is in all */
    REFUSAL_LATE,     /* the request did not arrive in time */
    REFUSAL_TOKEN,    /* the client is unknown */
    REFUSAL_QUEUE,    /* the request queue is full */
    REFUSAL_PATIENCE, /* this answer, or one admitted before it, would miss its deadline */
    REFUSAL_SHARE,    /* the client has used its share, or has most of the queue or memory */
    REFUSAL_MEMORY,   /* the memory is in use */
    REFUSAL_DRAINING, /* this replica is stopping */
    REFUSAL_INTERNAL, /* a failure of the server: a lost file, a defect */
    REFUSALS
} refusal;

/* The label in logs and metrics. why: not REFUSAL_NONE. */
const char *refusal_name(refusal why);

struct problem;

/* Replaces what p said by the refusal of a job: LARGE, QUEUE, PATIENCE, SHARE, MEMORY or INTERNAL.
 * retry_after: seconds after which the client may try again. LARGE is final, so its detail does not
 * name a time.
 */
void refusal_explain(refusal why, unsigned retry_after, struct problem *p);

#endif
