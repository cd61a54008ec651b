/*
 * jobs.h - a pool of compute threads, and the queue in front of them
 *
 * A job is work in slices. Jobs that have a slice to compute wait in one queue. A thread takes the
 * job with the nearest deadline (schedule.h), claims one slice, puts the job back into the queue if
 * there are more slices, and computes the slice. So requests alternate slice by slice, however
 * large they are, and one request can use every core.
 *
 * A long slice (task.indivisible: a body that is inflated, pairs of a million rows that are drawn,
 * a row that is a large volume) would keep a thread from all other jobs until its end. The pool has
 * as many threads again for jobs whose next slice is long. Their priority is lower, and the kernel
 * divides the cores between both kinds of threads. Queue and clients' shares count both kinds of
 * jobs alike.
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

/* The part of a job that a slice belongs to. Computing time is counted for each stage. */
typedef enum job_stage { JOB_HANDLE, JOB_PREPARE, JOB_ROWS, JOB_ENCODE, JOB_STAGES } job_stage;

typedef struct job_slice {
    job_stage stage;
    uint64_t number; /* within its stage */
    double cost;     /* estimated nanoseconds */
} job_slice;

typedef struct job_class {
    /* Claims a slice. False: the job has no slice to compute now. *more: another slice could be
     * claimed at once. */
    bool (*claim)(job *j, job_slice *slice, bool *more);
    void (*run)(job *j, job_slice slice, fmix_scratch *scratch);
    /* Removes a job that nobody waits for any more from the queue, and resumes its waiter. May be
     * called by any thread. */
    void (*abandon)(job *j);
    void (*destroy)(job *j);
} job_class;

/* The caller that waits for a job: suspend is called when the caller must wait, resume when the
 * caller can go on. Each suspend is followed by exactly one resume. Both are called with the job
 * locked: they may take locks, but must not call into the job. */
typedef struct job_waiter {
    void (*suspend)(void *user);
    void (*resume)(void *user);
    void *user;
    budget_holder holder; /* clients share the pool and its budget fairly */
    const void *key;      /* for jobs_better_inline */
} job_waiter;

/* Estimated nanoseconds of a slice. */
#define JOB_LONG    10e6 /* more: for the threads for indivisible jobs */
#define JOB_LENGTHY 2e9  /* more: one of these threads is left to other jobs (schedule.h) */

/* Bytes that take about a millisecond to free. */
#define JOB_LARGE (4u << 20)

/* The first member of each kind of job. */
struct job {
    const job_class *class;
    atomic_uint references;
    /* The pool whose threads destroy the job, which is for jobs that hold more than JOB_LARGE
     * bytes. NULL: the thread that drops the last reference destroys the job. */
    jobs *destroyer;
    task task;            /* all but its private members are set before jobs_admit */
    budget_holder holder; /* of its memory; set before jobs_borrow */
    uint64_t memory;      /* bytes that the job holds from jobs_borrow until jobs_return */
    /* Bytes for each thread that computes rows, from admission until the job's end. */
    uint64_t working;
    bool indivisible_rows; /* its rows are for threads for indivisible jobs */
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
    unsigned threads;         /* for divisible jobs, and as many again for indivisible jobs */
    unsigned limit;           /* admitted jobs */
    double patience;          /* nanoseconds: schedule.h */
    budget *payer;            /* pays for the memory of jobs; NULL: memory is not counted */
    buffer_pool *buffer_pool; /* holds the memory of slices; NULL: malloc */
    jobs_hooks hooks;
} jobs_settings;

typedef struct jobs_counters {
    uint64_t slices;              /* computed since the start */
    uint64_t cancelled;           /* jobs that ended before their work was done */
    uint64_t inlined;             /* slices computed by the calling thread itself */
    double seconds[JOB_STAGES];   /* computing time, including inlined slices */
    double estimated[JOB_STAGES]; /* what the estimates of these slices said */
    unsigned admitted;            /* jobs between admission and end, now */
    unsigned waiting;             /* jobs in the queue, now */
    unsigned running;             /* slices being computed, now */
    unsigned threads, limit;
    double backlog; /* estimated nanoseconds that one core would need for the remaining work */
    double pace;    /* measured time divided by estimated time */
} jobs_counters;

/* NULL: there is not enough memory, or a thread cannot be started. */
jobs *jobs_new(const jobs_settings *settings);
/* Ends the threads, once no job waits in the queue. Jobs must not be admitted any more. False:
 * after so many milliseconds some slice still runs. Its thread then uses the job and the pool until
 * the process ends, and jobs_free must not be called. */
bool jobs_stop(jobs *pool, unsigned milliseconds);
/* Runs the jobs in the queue to their end, if their slices are for threads of one kind. Jobs must
 * not be admitted any more. */
void jobs_free(jobs *pool);

/* For what the holder takes from the pool's budget. */
budget_payer jobs_payer(const jobs *pool, budget_holder holder);
/* May be NULL. */
buffer_pool *jobs_buffer_pool(const jobs *pool);

/* Returns true if the budget could pay for the job if only its caller held memory, `held` bytes. */
bool jobs_could_run(const jobs *pool, const job *j, uint64_t held);

/* Takes the job's memory from the budget. False: the budget does not have enough now. True: the
 * caller calls jobs_return once. */
bool jobs_borrow(jobs *pool, job *j);
void jobs_return(jobs *pool, job *j);

/* The refusal of a request whose claim does not fit now. SHARE: its client holds most of the
 * memory, and others ask. */
refusal jobs_starved(jobs *pool, budget_holder holder);

/* REFUSAL_NONE: the job is admitted, and the caller calls jobs_end. */
refusal jobs_admit(jobs *pool, job *j);
/* The refusal that even a job without any work would get from this client now. */
refusal jobs_would_admit(jobs *pool, uint64_t client);
/* Ends a job, and removes it from the queue. cancelled: the work is not done. Does nothing for a
 * job that was not admitted or has ended. */
void jobs_end(jobs *pool, job *j, bool cancelled);

/* Says which threads the next slice is for, of a job that is not in the queue; indivisible: the
 * slice is long. */
void jobs_set_indivisible(jobs *pool, job *j, bool indivisible);

/* Puts a job that has a slice to compute into the queue, unless the job is there already. */
void jobs_wake(jobs *pool, job *j);

/* Computes one slice on the calling thread, in a scratch that this thread keeps. */
void jobs_run_inline(jobs *pool, job *j, job_slice slice);

/* Returns true if work of this cost takes less time than waking a thread. */
bool jobs_is_quick(double cost);

/* Returns true if the calling thread should compute the job itself. Handing the job over would wake
 * two threads. True for a quick job. True for a job of less than a millisecond, if no job is
 * admitted and the last calls of this thread all had the same key: then nobody else waits for this
 * thread. Keys are only compared. To be called once for each job. */
bool jobs_better_inline(jobs *pool, const job *j, const void *key);

/* Seconds after which a refused caller may try again: 1 to 60. */
unsigned jobs_retry_after(jobs *pool);
void jobs_count(jobs *pool, jobs_counters *out);

#endif
