#include "jobs.h"

#include <pthread.h>
#include <stdlib.h>

struct jobs {
    pthread_mutex_t lock;
    pthread_cond_t work;
    job *first, *last;
    bool stopping;
    unsigned started;
    pthread_t *threads;
    pthread_key_t scratches; /* of threads that run slices inline */
    jobs_hooks hooks;
    budget *payer;
    jobs_counters counters;
};

void job_init(job *j, const job_class *class, double cost) {
    *j = (job){.class = class, .cost = cost};
    atomic_init(&j->references, 1);
}

job *job_retain(job *j) {
    atomic_fetch_add_explicit(&j->references, 1, memory_order_relaxed);
    return j;
}

void job_release(job *j) {
    if (j && atomic_fetch_sub_explicit(&j->references, 1, memory_order_acq_rel) == 1)
        j->class->destroy(j);
}

/* With the lock held. A job in line is referred to by it. */
static void append(jobs *line, job *j) {
    j->queued = true;
    j->next = NULL;
    j->previous = line->last;
    *(line->last ? &line->last->next : &line->first) = j;
    line->last = j;
    line->counters.waiting++;
}

static void unlink_job(jobs *line, job *j) {
    *(j->previous ? &j->previous->next : &line->first) = j->next;
    *(j->next ? &j->next->previous : &line->last) = j->previous;
    j->queued = false;
    line->counters.waiting--;
}

void jobs_wake(jobs *line, job *j) {
    pthread_mutex_lock(&line->lock);
    if (!j->queued && j->admitted) {
        append(line, job_retain(j));
        pthread_cond_signal(&line->work);
    }
    pthread_mutex_unlock(&line->lock);
}

/* The first job in line, referred to by the caller; NULL at the end. */
static job *next_job(jobs *line) {
    pthread_mutex_lock(&line->lock);
    while (!line->first && !line->stopping)
        pthread_cond_wait(&line->work, &line->lock);
    job *j = line->first;
    if (j)
        unlink_job(line, j);
    pthread_mutex_unlock(&line->lock);
    return j;
}

static void count_slice(jobs *line, int running, unsigned done) {
    pthread_mutex_lock(&line->lock);
    line->counters.running += (unsigned)running;
    line->counters.slices += done;
    pthread_mutex_unlock(&line->lock);
}

static void *work(void *argument) {
    jobs *line = argument;
    fmix_scratch *scratch = NULL;
    job *j;
    while ((j = next_job(line))) {
        uint64_t slice;
        bool more = false;
        if (!scratch && fmix_scratch_new(&scratch) != FMIX_OK)
            scratch = NULL; /* run sees it and fails the slice */
        if (j->class->claim(j, &slice, &more)) {
            if (more)
                jobs_wake(line, j);
            count_slice(line, 1, 0);
            if (line->hooks.before_slice)
                line->hooks.before_slice(line->hooks.user);
            j->class->run(j, slice, scratch);
            count_slice(line, -1, 1);
        }
        job_release(j);
    }
    fmix_scratch_free(scratch);
    return NULL;
}

static void free_scratch(void *scratch) {
    fmix_scratch_free(scratch);
}

jobs *jobs_new(unsigned threads, unsigned limit, budget *payer, const jobs_hooks *hooks) {
    jobs *line = calloc(1, sizeof *line);
    if (!line)
        return NULL;
    line->threads = calloc(threads, sizeof *line->threads);
    if (!line->threads || pthread_key_create(&line->scratches, free_scratch) != 0) {
        free(line->threads);
        free(line);
        return NULL;
    }
    pthread_mutex_init(&line->lock, NULL);
    pthread_cond_init(&line->work, NULL);
    if (hooks)
        line->hooks = *hooks;
    line->payer = payer;
    line->counters.threads = threads;
    line->counters.limit = limit;
    for (; line->started < threads; line->started++)
        if (pthread_create(&line->threads[line->started], NULL, work, line) != 0) {
            jobs_free(line);
            return NULL;
        }
    return line;
}

void jobs_free(jobs *line) {
    if (!line)
        return;
    pthread_mutex_lock(&line->lock);
    line->stopping = true;
    pthread_cond_broadcast(&line->work);
    pthread_mutex_unlock(&line->lock);
    for (unsigned i = 0; i < line->started; i++)
        pthread_join(line->threads[i], NULL);
    free_scratch(pthread_getspecific(line->scratches));
    pthread_key_delete(line->scratches);
    pthread_cond_destroy(&line->work);
    pthread_mutex_destroy(&line->lock);
    free(line->threads);
    free(line);
}

budget *jobs_payer(const jobs *line) {
    return line->payer;
}

bool jobs_could_run(const jobs *line, const job *j) {
    return budget_could_hold(line->payer, j->memory, j->working);
}

bool jobs_borrow(jobs *line, job *j) {
    return budget_take(line->payer, j->memory);
}

void jobs_return(jobs *line, job *j) {
    budget_give(line->payer, j->memory);
}

bool jobs_admit(jobs *line, job *j) {
    pthread_mutex_lock(&line->lock);
    bool fits = line->counters.admitted < line->counters.limit &&
                budget_take_both(line->payer, 0, j->working);
    if (fits) {
        j->admitted = true;
        line->counters.admitted++;
        line->counters.backlog += j->cost;
    } else {
        line->counters.refused++;
    }
    pthread_mutex_unlock(&line->lock);
    return fits;
}

void jobs_end(jobs *line, job *j, bool cancelled) {
    pthread_mutex_lock(&line->lock);
    bool was_queued = j->queued;
    if (was_queued)
        unlink_job(line, j);
    if (j->admitted) {
        j->admitted = false;
        budget_give_working(line->payer, j->working);
        line->counters.admitted--;
        line->counters.backlog -= j->cost;
        if (line->counters.admitted == 0)
            line->counters.backlog = 0; /* what rounding left */
        line->counters.cancelled += cancelled;
    }
    pthread_mutex_unlock(&line->lock);
    if (was_queued)
        job_release(j);
}

void jobs_run_inline(jobs *line, job *j, uint64_t slice) {
    fmix_scratch *scratch = pthread_getspecific(line->scratches);
    if (!scratch && fmix_scratch_new(&scratch) == FMIX_OK)
        pthread_setspecific(line->scratches, scratch);
    j->class->run(j, slice, scratch);
    pthread_mutex_lock(&line->lock);
    line->counters.inlined++;
    pthread_mutex_unlock(&line->lock);
}

unsigned jobs_retry_after(jobs *line) {
    jobs_counters c;
    jobs_count(line, &c);
    double seconds = c.backlog / c.threads * 1e-9;
    return seconds < 1 ? 1 : seconds > 60 ? 60 : (unsigned)seconds + 1;
}

void jobs_count(jobs *line, jobs_counters *out) {
    pthread_mutex_lock(&line->lock);
    *out = line->counters;
    pthread_mutex_unlock(&line->lock);
}
