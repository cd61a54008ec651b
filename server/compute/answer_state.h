/*
 * answer_state.h - the inside of an answer, for answer.c and answer_slices.c
 *
 * Functions are called with the lock held, unless they say otherwise.
 */
#ifndef ANSWER_STATE_H
#define ANSWER_STATE_H

#include "answer.h"
#include "base/crash.h"
#include "buffered_body.h"
#include "streamed_body.h"

#include <pthread.h>

typedef enum answer_stage {
    STAGE_NEW,
    STAGE_PREPARE,
    STAGE_ROWS,
    STAGE_ENCODE, /* only of a buffered answer */
    STAGE_DONE
} answer_stage;

struct answer {
    job job; /* first */
    jobs *pool;
    tensor_source *source;
    const format *format;
    job_waiter waiter;
    double encode_cost; /* estimated nanoseconds */

    pthread_mutex_t lock;
    answer_stage stage;
    bool claimed; /* the one slice of PREPARE or ENCODE */
    bool waiting, failed, ended, borrowed;
    fmix_status status;     /* why it has failed */
    atomic_bool abandoned;  /* also read without the lock, while slices are computed */
    uint64_t next, done;    /* slices of rows claimed, and computed */
    buffered_body buffered; /* of a buffered answer */

    /* Not cleared, for most of their bytes are not used. */
    slicing slicing;
    streamed_body streamed; /* of a streamed answer */
    char request[CRASH_REQUEST];
};

extern const job_class answer_class;

/* Callable without the lock. */
static inline bool answer_is_buffered(const answer *a) {
    return a->format->encode != NULL;
}

void answer_resume_reader(answer *a);

/* Ends the job once. */
void answer_end(answer *a, bool cancelled);

/* The estimated nanoseconds of the longest slice of a stage. What the first fill makes counts with
 * every slice of rows: any may be the first. */
double answer_longest(const answer *a, answer_stage stage);
bool answer_is_indivisible(const answer *a, answer_stage stage);
void answer_enter(answer *a, answer_stage stage);

/* Returns true if a slice can be claimed now. */
bool answer_can_claim(const answer *a);
job_slice answer_claim(answer *a);

/* For job_class.destroy; without the lock. */
void answer_destroy(job *j);

#endif
