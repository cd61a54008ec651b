/*
 * jobs.h - compute threads, and the queue in front of them
 *
 * A job is work in slices. Jobs with something to do stand in one line; a thread takes the first,
 * claims one slice, puts the job back at the end if there is more, and runs the slice. So requests
 * take turns slice by slice, however large they are, and one request can use every core.
 */
#ifndef JOBS_H
#define JOBS_H

#include "budget.h"
#include "lib/fmix.h"

#include <stdatomic.h>
#include <stdint.h>

typedef struct jobs jobs;
typedef struct job job;

typedef struct job_class {
    /* Claims a slice: true with its number, and in *more whether another could be claimed now. */
    bool (*claim)(job *j, uint64_t *slice, bool *more);
    void (*run)(job *j, uint64_t slice, fmix_scratch *scratch);
    void (*destroy)(job *j);
} job_class;

/* The first member of what is worked on. */
struct job {
    const job_class *class;
    atomic_uint references;
    double cost;      /* estimated nanoseconds in all */
    uint64_t memory;  /* bytes it holds from jobs_borrow until jobs_return */
    uint64_t working; /* bytes a thread needs for it, from admission until its end */
    job *next, *previous;
    bool queued;
    bool admitted; /* counts against the queue's limit until job_end */
};

void job_init(job *j, const job_class *class, double cost);
job *job_retain(job *j);
void job_release(job *j);

typedef struct jobs_hooks {
    void (*before_slice)(void *user); /* on the compute thread */
    void *user;
} jobs_hooks;

typedef struct jobs_counters {
    uint64_t slices;    /* run since the start */
    uint64_t cancelled; /* jobs that ended before their work did */
    uint64_t refused;   /* jobs that found the line full */
    uint64_t inlined;   /* jobs small enough to be done at once by the asking thread */
    unsigned admitted;  /* jobs now between admission and end */
    unsigned waiting;   /* jobs now in line */
    unsigned running;   /* slices now being computed */
    unsigned threads, limit;
    double backlog; /* estimated nanoseconds of all admitted jobs */
} jobs_counters;

/* NULL without memory or threads. Memory is taken from `payer` (NULL: not counted). */
jobs *jobs_new(unsigned threads, unsigned limit, budget *payer, const jobs_hooks *hooks);
/* Waits for running slices; no job may be admitted any more. */
void jobs_free(jobs *line);

/* Where memory is taken from; may be NULL. */
budget *jobs_payer(const jobs *line);

/* Whether the job's memory could be had if nobody else held any. */
bool jobs_could_run(const jobs *line, const job *j);

/* Takes the job's memory; false: there is not enough now. On true the caller calls jobs_return
 * once. */
bool jobs_borrow(jobs *line, job *j);
void jobs_return(jobs *line, job *j);

/* False: as many as `limit` jobs are admitted already, or the working memory is not to be had. On
 * true the caller calls job_end once. */
bool jobs_admit(jobs *line, job *j);
/* Leaves the line, if it stands there. cancelled: before its work was done. */
void jobs_end(jobs *line, job *j, bool cancelled);

/* There is a slice to claim. Harmless if the job stands in line already. */
void jobs_wake(jobs *line, job *j);

/* Runs one slice now, on the calling thread's own scratch. */
void jobs_run_inline(jobs *line, job *j, uint64_t slice);

/* Seconds after which an admission is worth another try, at least 1. */
unsigned jobs_retry_after(jobs *line);
void jobs_count(jobs *line, jobs_counters *out);

#endif
