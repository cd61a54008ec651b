/*
 * jobs.h - compute threads, and the queue in front of them
 *
 * A job is work in slices. Jobs with something to do stand in one line; a thread takes the one
 * whose turn it is (schedule.h), claims one slice, puts the job back if there is more, and runs the
 * slice. So requests take turns slice by slice, however large they are, and one request can use
 * every core.
 *
 * A job that is one long slice (turn.uncut: a body that is inflated) would keep a thread from all
 * others for as long. Such jobs have as many threads of their own, which share the cores with the
 * first by the kernel's schedule; in line, in the promises and in the clients' shares they count as
 * the others do.
 */
#ifndef JOBS_H
#define JOBS_H

#include "base/budget.h"
#include "base/buffer_pool.h"
#include "lib/fmix.h"
#include "schedule.h"

#include <stdatomic.h>
#include <stdint.h>

typedef struct jobs jobs;
typedef struct job job;

/* What a slice is part of; its time is counted there. */
typedef enum job_stage { JOB_HANDLE, JOB_PREPARE, JOB_ROWS, JOB_ENCODE, JOB_STAGES } job_stage;

typedef struct job_slice {
    job_stage stage;
    uint64_t number; /* in its stage */
} job_slice;

typedef struct job_class {
    /* Claims a slice: true, and in *more whether another could be claimed now. */
    bool (*claim)(job *j, job_slice *slice, bool *more);
    void (*run)(job *j, job_slice slice, fmix_scratch *scratch);
    /* Nobody waits for it any more: it leaves the line, and who waits is resumed. Any thread. */
    void (*abandon)(job *j);
    void (*destroy)(job *j);
} job_class;

/* Who waits for a job. Called with the job locked (so they may take locks, but not call into the
 * job): suspend when the waiter must wait, resume when it need not. Each suspend is followed by
 * exactly one resume. */
typedef struct job_waiter {
    void (*suspend)(void *user);
    void (*resume)(void *user);
    void *user;
    uint64_t client;        /* who it is, to be fair to all */
    const void *connection; /* by which it asks; only compared */
} job_waiter;

#define JOB_HEAVY (4u << 20) /* bytes that take long to free: a millisecond */

/* The first member of what is worked on. */
struct job {
    const job_class *class;
    atomic_uint references;
    /* Its end frees much, which takes long, so a thread of this line does it; NULL: who lets it go.
     */
    jobs *heavy;
    turn turn;        /* cost, window, width and client are set before jobs_admit */
    uint64_t memory;  /* bytes it holds from jobs_borrow until jobs_return */
    uint64_t working; /* bytes a thread needs for it, from admission until its end */
};

void job_init(job *j, const job_class *class);
job *job_retain(job *j);
void job_release(job *j);
void job_abandon(job *j);

typedef struct jobs_hooks {
    void (*before_slice)(void *user); /* on the compute thread */
    void *user;
} jobs_hooks;

typedef struct jobs_settings {
    unsigned threads;         /* and as many for jobs of one long slice */
    unsigned limit;           /* jobs at once */
    double patience;          /* nanoseconds: schedule.h */
    budget *payer;            /* where memory is taken from; NULL: not counted */
    buffer_pool *buffer_pool; /* where that of slices is; NULL: malloc's */
    jobs_hooks hooks;
} jobs_settings;

typedef struct jobs_counters {
    uint64_t slices;            /* run since the start */
    uint64_t cancelled;         /* jobs that ended before their work did */
    uint64_t inlined;           /* jobs small enough to be done at once by the asking thread */
    double seconds[JOB_STAGES]; /* of computing, inline too */
    unsigned admitted;          /* jobs now between admission and end */
    unsigned waiting;           /* jobs now in line */
    unsigned running;           /* slices now being computed */
    unsigned threads, limit;
    double backlog; /* nanoseconds of one core still to be done, by the estimates */
    double pace;    /* measured time over estimated time */
} jobs_counters;

/* NULL without memory or threads. */
jobs *jobs_new(const jobs_settings *settings);
/* Ends the threads, each after the slice that it runs; no job may be admitted any more. False:
 * after so many milliseconds some slice still runs. Then its thread uses the job and `line` until
 * the end of the process, and jobs_free must not be called. */
bool jobs_stop(jobs *line, unsigned milliseconds);
/* Waits for running slices; no job may be admitted any more. */
void jobs_free(jobs *line);

/* Where memory is taken from; may be NULL. */
budget *jobs_payer(const jobs *line);
buffer_pool *jobs_slabs(const jobs *line);

/* Whether the job's memory could be had, by one who holds so many bytes already, if nobody else
 * held any. */
bool jobs_could_run(const jobs *line, const job *j, uint64_t held);

/* Takes the job's memory; false: there is not enough now. On true the caller calls jobs_return
 * once. */
bool jobs_borrow(jobs *line, job *j);
void jobs_return(jobs *line, job *j);

/* REFUSAL_NONE: the job is admitted, and the caller calls jobs_end. */
refusal jobs_admit(jobs *line, job *j);
/* What not even a job without any work would be told now, of this client. */
refusal jobs_would_admit(jobs *line, uint64_t client);
/* Leaves the line, if it stands there; harmless for what was not admitted, or has ended. cancelled:
 * before its work was done. */
void jobs_end(jobs *line, job *j, bool cancelled);

/* There is a slice to claim. Harmless if the job stands in line already. */
void jobs_wake(jobs *line, job *j);

/* Runs one slice now, on the calling thread's own scratch. */
void jobs_run_inline(jobs *line, job *j, job_slice slice);

/* Whether it takes less than a thread that is woken costs, and so is done at once by who asks. */
bool jobs_is_quick(double cost);

/* Whether the thread that asks had better compute it than hand it over, which wakes two threads: it
 * is quick; or it takes less than a millisecond, no other is in work, and this thread has been
 * asked by that one connection for some time, so that nobody else is kept waiting. */
bool jobs_better_inline(jobs *line, const job *j, const void *connection);

/* Seconds after which an admission is worth another try, at least 1. */
unsigned jobs_retry_after(jobs *line);
void jobs_count(jobs *line, jobs_counters *out);

#endif
