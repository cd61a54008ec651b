#include "jobs.h"
#include "base/clock.h"
#include "io_scratch.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define INDIVISIBLE_NICE 10 /* added to the nice value of threads for indivisible jobs */

/* A compute thread. The last one to fall asleep is woken first: its memory is still cached. */
typedef struct worker {
    struct worker *next; /* asleep for longer than this one */
    jobs *pool;
    bool indivisible; /* the thread takes long slices */
    pthread_t thread;
    pthread_cond_t wake;
    bool asleep;
} worker;

/* The calling thread computes a job of at most QUICK_COST estimated nanoseconds itself. If its last
 * SOLE_AFTER jobs all had one key, it also computes a job within the other two bounds. */
#define QUICK_COST   30e3
#define SOLE_COST    600e3
#define SOLE_AFTER   8
#define SOLE_WORKING (1u << 20) /* bytes of working memory */

struct jobs {
    pthread_mutex_t lock;
    worker *asleep[2]; /* the last to fall asleep; [1]: of threads for indivisible jobs */
    schedule schedule;
    task *unreferenced; /* of jobs that are only to be destroyed */
    bool stopping;
    unsigned started, ended; /* threads */
    pthread_cond_t ends;     /* one has ended */
    worker *workers;
    pthread_key_t io_scratch;
    jobs_hooks hooks;
    budget *payer;
    buffer_pool *buffer_pool;
    jobs_counters counters;
};

void job_init(job *j, const job_class *class) {
    *j = (job){.class = class};
    atomic_init(&j->references, 1);
}

static job *job_of(task *t) {
    return (job *)((char *)t - offsetof(job, task));
}

job *job_retain(job *j) {
    atomic_fetch_add_explicit(&j->references, 1, memory_order_relaxed);
    return j;
}

static bool destroy_later(jobs *pool, job *j);

void job_release(job *j) {
    if (j && atomic_fetch_sub_explicit(&j->references, 1, memory_order_acq_rel) == 1 &&
        !(j->destroyer && destroy_later(j->destroyer, j)))
        j->class->destroy(j);
}

void job_abandon(job *j) {
    j->class->abandon(j);
}

/* With the lock held. */
static worker *pop(jobs *pool, bool indivisible) {
    worker *w = pool->asleep[indivisible];
    if (w) {
        pool->asleep[indivisible] = w->next;
        w->asleep = false;
    }
    return w;
}

/* With the lock held. */
static void sleep_until_woken(jobs *pool, worker *w) {
    w->next = pool->asleep[w->indivisible];
    w->asleep = true;
    pool->asleep[w->indivisible] = w;
    while (w->asleep)
        pthread_cond_wait(&w->wake, &pool->lock);
}

/* False: the pool is stopping, and the caller destroys the job. */
static bool destroy_later(jobs *pool, job *j) {
    worker *w = NULL;
    pthread_mutex_lock(&pool->lock);
    bool accepted = !pool->stopping;
    if (accepted) {
        j->task.next = pool->unreferenced;
        pool->unreferenced = &j->task;
        w = pop(pool, true);
        w = w ? w : pop(pool, false);
    }
    pthread_mutex_unlock(&pool->lock);
    if (w)
        pthread_cond_signal(&w->wake);
    return accepted;
}

/* With the lock held; releases the lock while a job is destroyed. */
static void destroy_unreferenced(jobs *pool) {
    for (task *t; (t = pool->unreferenced);) {
        pool->unreferenced = t->next;
        pthread_mutex_unlock(&pool->lock);
        job *j = job_of(t);
        j->class->destroy(j);
        pthread_mutex_lock(&pool->lock);
    }
}

/* The queue holds a reference to each job in it. The thread is signalled after the lock is
 * released, because the thread takes the lock as soon as it wakes. */
void jobs_wake(jobs *pool, job *j) {
    worker *w = NULL;
    pthread_mutex_lock(&pool->lock);
    if (schedule_wake(&pool->schedule, &j->task, clock_nanoseconds())) {
        job_retain(j);
        w = pop(pool, j->task.indivisible);
    }
    pthread_mutex_unlock(&pool->lock);
    if (w)
        pthread_cond_signal(&w->wake);
}

void jobs_set_indivisible(jobs *pool, job *j, bool indivisible) {
    pthread_mutex_lock(&pool->lock);
    schedule_set_indivisible(&pool->schedule, &j->task, indivisible, clock_nanoseconds());
    pthread_mutex_unlock(&pool->lock);
}

/* The next job, with the queue's reference to it. NULL: the queue has no job for this thread, and
 * the pool is stopping or the thread is not to wait. */
static job *take(jobs *pool, worker *w, bool waits) {
    task *t;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        destroy_unreferenced(pool);
        t = schedule_take(&pool->schedule, w->indivisible, clock_nanoseconds());
        if (t || !waits || pool->stopping)
            break;
        sleep_until_woken(pool, w);
    }
    pool->counters.running += t != NULL;
    pthread_mutex_unlock(&pool->lock);
    return t ? job_of(t) : NULL;
}

/* Returns the nanoseconds that the slice took. */
static uint64_t run_slice(job *j, job_slice slice, fmix_scratch *scratch) {
    uint64_t begun = clock_nanoseconds();
    j->class->run(j, slice, scratch);
    return clock_nanoseconds() - begun;
}

/* With the lock held. */
static void count_time(jobs_counters *c, const job_slice *slice, uint64_t nanoseconds) {
    c->seconds[slice->stage] += (double)nanoseconds * 1e-9;
    c->estimated[slice->stage] += slice->cost * 1e-9;
}

/* slice: NULL where the job had no slice to claim. */
static void count_slice(worker *w, job *j, const job_slice *slice, uint64_t nanoseconds) {
    jobs *pool = w->pool;
    pthread_mutex_lock(&pool->lock);
    schedule_ran(&pool->schedule, &j->task, w->indivisible, clock_nanoseconds());
    pool->counters.running--;
    if (slice) {
        pool->counters.slices++;
        count_time(&pool->counters, slice, nanoseconds);
    }
    pthread_mutex_unlock(&pool->lock);
}

/* A compute thread's working memory, and how many bytes of it the thread's last job needed. The
 * budget counts these bytes only until that job ends, so the thread frees them before it takes a
 * job that needs less, and before it sleeps. */
typedef struct worker_scratch {
    fmix_scratch *scratch;
    uint64_t working;
} worker_scratch;

/* A trimmed scratch holds some MiB. Only threads that often need a scratch keep them. */
static void trim(worker_scratch *s, const worker *w) {
    if (w->indivisible) {
        fmix_scratch_free(s->scratch);
        s->scratch = NULL;
    } else if (s->scratch) {
        fmix_scratch_trim(s->scratch);
    }
    s->working = 0;
}

/* A job's working memory is for rows, which threads of one kind compute. */
static void make_ready(worker_scratch *s, const worker *w, const job *j) {
    uint64_t working = w->indivisible == j->indivisible_rows ? j->working : 0;
    if (working < s->working)
        trim(s, w);
    s->working = working;
    if (!s->scratch && fmix_scratch_new(&s->scratch) != FMIX_OK)
        s->scratch = NULL; /* the job's run fails the slice */
}

/* NULL: the pool is stopping. */
static job *next_job(worker *w, worker_scratch *s) {
    job *j = take(w->pool, w, s->working == 0);
    if (j || s->working == 0)
        return j;
    trim(s, w);
    return take(w->pool, w, true);
}

/* I/O threads and threads for divisible jobs go first. On Linux, nice changes the calling thread
 * alone. Where nice is forbidden, the thread keeps its priority. */
static void lower_priority(void) {
    (void)!nice(INDIVISIBLE_NICE);
}

static void *work(void *argument) {
    worker *w = argument;
    jobs *pool = w->pool;
    if (w->indivisible)
        lower_priority();
    worker_scratch s = {0};
    job *j;
    while ((j = next_job(w, &s))) {
        job_slice slice;
        bool more = false;
        make_ready(&s, w, j);
        if (j->class->claim(j, &slice, &more)) {
            if (more)
                jobs_wake(pool, j);
            if (pool->hooks.before_slice)
                pool->hooks.before_slice(pool->hooks.user);
            count_slice(w, j, &slice, run_slice(j, slice, s.scratch));
        } else {
            count_slice(w, j, NULL, 0);
        }
        job_release(j);
    }
    fmix_scratch_free(s.scratch);
    pthread_mutex_lock(&pool->lock);
    pool->ended++;
    pthread_cond_signal(&pool->ends);
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static bool start(jobs *pool, worker *w, bool indivisible) {
    w->pool = pool;
    w->indivisible = indivisible;
    pthread_cond_init(&w->wake, NULL);
    int code = pthread_create(&w->thread, NULL, work, w);
    if (code != 0)
        pthread_cond_destroy(&w->wake);
    return code == 0;
}

jobs *jobs_new(const jobs_settings *settings) {
    jobs *pool = calloc(1, sizeof *pool);
    if (!pool)
        return NULL;
    pool->workers = calloc(2 * (size_t)settings->threads, sizeof *pool->workers);
    if (!pool->workers || !io_scratch_key_new(&pool->io_scratch)) {
        free(pool->workers);
        free(pool);
        return NULL;
    }
    pthread_mutex_init(&pool->lock, NULL);
    clock_condition(&pool->ends);
    schedule_init(&pool->schedule, settings->threads, settings->limit, settings->patience);
    pool->hooks = settings->hooks;
    pool->payer = settings->payer;
    pool->buffer_pool = settings->buffer_pool;
    for (; pool->started < 2 * settings->threads; pool->started++)
        if (!start(pool, &pool->workers[pool->started], pool->started >= settings->threads)) {
            jobs_free(pool);
            return NULL;
        }
    return pool;
}

/* With the lock held. */
static void end_threads(jobs *pool) {
    pool->stopping = true;
    for (worker *w; (w = pop(pool, false)) || (w = pop(pool, true));)
        pthread_cond_signal(&w->wake);
}

bool jobs_stop(jobs *pool, unsigned milliseconds) {
    const struct timespec until = clock_after(CLOCK_MILLISECOND * milliseconds);
    int code = 0;
    pthread_mutex_lock(&pool->lock);
    end_threads(pool);
    while (pool->ended < pool->started && code == 0)
        code = pthread_cond_timedwait(&pool->ends, &pool->lock, &until);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; code != 0 && i < pool->started; i++)
        pthread_detach(pool->workers[i].thread);
    return code == 0;
}

void jobs_free(jobs *pool) {
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    end_threads(pool);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->started; i++) {
        pthread_join(pool->workers[i].thread, NULL);
        pthread_cond_destroy(&pool->workers[i].wake);
    }
    pthread_mutex_lock(&pool->lock);
    destroy_unreferenced(pool);
    pthread_mutex_unlock(&pool->lock);
    io_scratch_key_free(pool->io_scratch);
    pthread_cond_destroy(&pool->ends);
    pthread_mutex_destroy(&pool->lock);
    free(pool->workers);
    free(pool);
}

budget_payer jobs_payer(const jobs *pool, budget_holder holder) {
    return (budget_payer){pool->payer, holder};
}

buffer_pool *jobs_buffer_pool(const jobs *pool) {
    return pool->buffer_pool;
}

bool jobs_could_run(const jobs *pool, const job *j, uint64_t held) {
    return held <= UINT64_MAX - j->memory &&
           budget_could_hold(pool->payer, held + j->memory, j->working);
}

bool jobs_borrow(jobs *pool, job *j) {
    return budget_take(jobs_payer(pool, j->holder), j->memory);
}

void jobs_return(jobs *pool, job *j) {
    budget_give(jobs_payer(pool, j->holder), j->memory);
}

refusal jobs_starved(jobs *pool, budget_holder holder) {
    pthread_mutex_lock(&pool->lock);
    bool others = schedule_others_ask(&pool->schedule, holder.client, clock_nanoseconds());
    pthread_mutex_unlock(&pool->lock);
    return others && budget_is_mostly_of(jobs_payer(pool, holder)) ? REFUSAL_SHARE : REFUSAL_MEMORY;
}

/* With the lock held. */
static refusal admit(jobs *pool, task *t) {
    return schedule_admit(&pool->schedule, t, clock_nanoseconds());
}

refusal jobs_admit(jobs *pool, job *j) {
    const budget_payer payer = jobs_payer(pool, j->holder);
    if (!budget_take_both(payer, 0, j->working, j->indivisible_rows))
        return jobs_starved(pool, j->holder);
    pthread_mutex_lock(&pool->lock);
    refusal why = admit(pool, &j->task);
    pthread_mutex_unlock(&pool->lock);
    if (why != REFUSAL_NONE)
        budget_give_working(payer, j->working, j->indivisible_rows);
    return why;
}

refusal jobs_would_admit(jobs *pool, uint64_t client) {
    /* Divisible, so that uploads in the queue do not refuse a small body. */
    task nothing = {.client = client};
    pthread_mutex_lock(&pool->lock);
    refusal why = admit(pool, &nothing);
    schedule_leave(&pool->schedule, &nothing, true);
    pthread_mutex_unlock(&pool->lock);
    return why;
}

void jobs_end(jobs *pool, job *j, bool cancelled) {
    pthread_mutex_lock(&pool->lock);
    bool admitted = j->task.admitted;
    bool waiting = schedule_leave(&pool->schedule, &j->task, cancelled);
    pool->counters.cancelled += admitted && cancelled;
    pthread_mutex_unlock(&pool->lock);
    if (admitted)
        budget_give_working(jobs_payer(pool, j->holder), j->working, j->indivisible_rows);
    if (waiting)
        job_release(j);
}

bool jobs_is_quick(double cost) {
    return cost <= QUICK_COST;
}

bool jobs_better_inline(jobs *pool, const job *j, const void *key) {
    io_scratch *s = io_scratch_get(pool->io_scratch);
    bool sole = s && io_scratch_repeats(s, key) >= SOLE_AFTER;
    if (jobs_is_quick(j->task.cost))
        return true;
    if (!sole || j->task.cost > SOLE_COST || j->working > SOLE_WORKING)
        return false;
    pthread_mutex_lock(&pool->lock);
    bool idle = pool->schedule.admitted == 0 && j->task.cost * pool->schedule.pace <= SOLE_COST;
    pthread_mutex_unlock(&pool->lock);
    return idle;
}

void jobs_run_inline(jobs *pool, job *j, job_slice slice) {
    io_scratch *s = io_scratch_get(pool->io_scratch);
    /* Without memory, the job's run fails the slice. */
    uint64_t nanoseconds = run_slice(j, slice, s ? io_scratch_memory(s) : NULL);
    pthread_mutex_lock(&pool->lock);
    pool->counters.inlined++;
    count_time(&pool->counters, &slice, nanoseconds);
    pthread_mutex_unlock(&pool->lock);
}

unsigned jobs_retry_after(jobs *pool) {
    pthread_mutex_lock(&pool->lock);
    double seconds =
        schedule_demand(&pool->schedule, clock_nanoseconds()) / pool->schedule.threads * 1e-9;
    pthread_mutex_unlock(&pool->lock);
    return seconds < 1 ? 1 : seconds > 60 ? 60 : (unsigned)seconds + 1;
}

void jobs_count(jobs *pool, jobs_counters *out) {
    const schedule *s = &pool->schedule;
    pthread_mutex_lock(&pool->lock);
    *out = pool->counters;
    out->admitted = s->admitted;
    out->waiting = s->waiting[0] + s->waiting[1];
    out->threads = s->threads;
    out->limit = s->limit;
    out->backlog = schedule_demand(s, clock_nanoseconds());
    out->pace = s->pace;
    pthread_mutex_unlock(&pool->lock);
}
