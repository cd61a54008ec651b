/*
 * workers.h - jobs that several threads do at once, taken back in the order in which they were
 * given
 *
 * One thread gives and takes. Jobs are begun in order, so the oldest job is always under way, and
 * may have as much memory as it needs: a bound on the memory of all jobs stops none for ever.
 */
#ifndef WORKERS_H
#define WORKERS_H

#include <stdbool.h>
#include <stdint.h>

#define WORKERS_MOST   64            /* threads */
#define WORKERS_AHEAD  128           /* jobs that are given and not taken back */
#define WORKERS_MEMORY (96ull << 20) /* bytes of all jobs but the oldest, which never waits */

typedef struct workers workers;

/* run does a job. threads: at most WORKERS_MOST; where no thread can be started, giving a job does
 * it. NULL: no memory. */
workers *workers_new(unsigned threads, void (*run)(workers *w, void *job));

/* Returns true if no more jobs can be given until one is taken. */
bool workers_is_full(const workers *w);

void workers_give(workers *w, void *job);

/* Waits until the oldest job is done. NULL: there are no jobs. The memory that the job reserved is
 * free at the next call. */
void *workers_take(workers *w);

/* Within a job: waits until so many bytes may be allocated. */
void workers_reserve(workers *w, const void *job, uint64_t bytes);

/* Waits until all jobs are done. w may be NULL. */
void workers_free(workers *w);

#endif
