#include "jobs.h"
#include "base/clock.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LONG_NICE 10 /* of threads that take long slices, beside the others */

/* A thread that computes. Who slept last is woken first: its memory is still in a cache. */
typedef struct worker {
    struct worker *below; /* asleep for longer */
    jobs *line;
    bool uncut; /* its jobs are of one long slice, and need no scratch */
    pthread_t thread;
    pthread_cond_t wake;
    bool asleep;
} worker;

/* Estimated nanoseconds of what is done at once by the thread that asks; and where it serves a
 * single connection, seen in so many answers in a row, with so much working memory at most. */
#define QUICK_COST    30e3
#define ALONE_COST    600e3
#define ALONE_AFTER   8
#define ALONE_WORKING (1u << 20)

/* A thread that does. */
typedef struct asker {
    fmix_scratch *scratch;
    const void *connection; /* of its last answer; only compared */
    unsigned run;           /* answers before that to the same, in a row */
} asker;

struct jobs {
    pthread_mutex_t lock;
    worker *asleep[2]; /* the last, of either kind */
    schedule schedule;
    turn *buried; /* jobs that only wait to be destroyed */
    bool stopping;
    unsigned started, ended; /* threads */
    pthread_cond_t ends;     /* one has ended */
    worker *workers;
    pthread_key_t askers; /* of threads that run slices inline */
    jobs_hooks hooks;
    budget *payer;
    buffer_pool *buffer_pool;
    jobs_counters counters;
};

void job_init(job *j, const job_class *class) {
    *j = (job){.class = class};
    atomic_init(&j->references, 1);
}

static job *job_of(turn *t) {
    return (job *)((char *)t - offsetof(job, turn));
}

job *job_retain(job *j) {
    atomic_fetch_add_explicit(&j->references, 1, memory_order_relaxed);
    return j;
}

static bool bury(jobs *line, job *j);

void job_release(job *j) {
    if (j && atomic_fetch_sub_explicit(&j->references, 1, memory_order_acq_rel) == 1 &&
        !(j->heavy && bury(j->heavy, j)))
        j->class->destroy(j);
}

void job_abandon(job *j) {
    j->class->abandon(j);
}

/* With the lock held. */
static worker *pop(jobs *line, bool uncut) {
    worker *w = line->asleep[uncut];
    if (w) {
        line->asleep[uncut] = w->below;
        w->asleep = false;
    }
    return w;
}

/* With the lock held. */
static void sleep_until_woken(jobs *line, worker *w) {
    w->below = line->asleep[w->uncut];
    w->asleep = true;
    line->asleep[w->uncut] = w;
    while (w->asleep)
        pthread_cond_wait(&w->wake, &line->lock);
}

/* False: nobody is there any more to destroy it. */
static bool bury(jobs *line, job *j) {
    worker *w = NULL;
    pthread_mutex_lock(&line->lock);
    bool is = !line->stopping;
    if (is) {
        j->turn.next = line->buried;
        line->buried = &j->turn;
        w = pop(line, true);
        w = w ? w : pop(line, false);
    }
    pthread_mutex_unlock(&line->lock);
    if (w)
        pthread_cond_signal(&w->wake);
    return is;
}

/* With the lock held, which it gives up while it frees. */
static void destroy_buried(jobs *line) {
    for (turn *t; (t = line->buried);) {
        line->buried = t->next;
        pthread_mutex_unlock(&line->lock);
        job *j = job_of(t);
        j->class->destroy(j);
        pthread_mutex_lock(&line->lock);
    }
}

/* A job in line is referred to by it. Signals without the lock, or who is woken would wait for
 * that. */
void jobs_wake(jobs *line, job *j) {
    worker *w = NULL;
    pthread_mutex_lock(&line->lock);
    if (schedule_wake(&line->schedule, &j->turn, clock_nanoseconds())) {
        job_retain(j);
        w = pop(line, j->turn.uncut);
    }
    pthread_mutex_unlock(&line->lock);
    if (w)
        pthread_cond_signal(&w->wake);
}

/* The job whose turn it is, referred to by the caller; NULL at the end or, if it does not wait,
 * where there is none. */
static job *take(jobs *line, worker *w, bool waits) {
    turn *(*of)(schedule *, uint64_t) = w->uncut ? schedule_take_uncut : schedule_take;
    turn *t;
    pthread_mutex_lock(&line->lock);
    for (;;) {
        destroy_buried(line);
        t = of(&line->schedule, clock_nanoseconds());
        if (t || !waits || line->stopping)
            break;
        sleep_until_woken(line, w);
    }
    line->counters.running += t != NULL;
    pthread_mutex_unlock(&line->lock);
    return t ? job_of(t) : NULL;
}

/* The nanoseconds that it took. */
static uint64_t run_slice(job *j, job_slice slice, fmix_scratch *scratch) {
    uint64_t begun = clock_nanoseconds();
    j->class->run(j, slice, scratch);
    return clock_nanoseconds() - begun;
}

static void count_slice(jobs *line, job *j, const job_slice *slice, uint64_t took) {
    pthread_mutex_lock(&line->lock);
    schedule_ran(&line->schedule, &j->turn, clock_nanoseconds());
    line->counters.running--;
    if (slice) {
        line->counters.slices++;
        line->counters.seconds[slice->stage] += (double)took * 1e-9;
    }
    pthread_mutex_unlock(&line->lock);
}

/* A thread's working memory, and the most that a job in it needed: which nobody pays for any more
 * once a smaller one is next, or none. */
typedef struct desk {
    fmix_scratch *scratch;
    uint64_t working;
} desk;

static void clear(desk *d) {
    if (d->scratch)
        fmix_scratch_trim(d->scratch);
    d->working = 0;
}

static void make_ready(desk *d, const job *j) {
    if (j->working < d->working)
        clear(d);
    d->working = j->working;
    if (j->turn.uncut)
        return;
    if (!d->scratch && fmix_scratch_new(&d->scratch) != FMIX_OK)
        d->scratch = NULL; /* run sees it and fails the slice */
}

/* NULL: the end. */
static job *next_job(worker *w, desk *d) {
    job *j = take(w->line, w, d->working == 0);
    if (j || d->working == 0)
        return j;
    clear(d);
    return take(w->line, w, true);
}

/* A long slice lets I/O threads and short slices go first. On Linux it is the calling thread's
 * alone; where it is forbidden the thread stays as it is. */
static void lower_priority(void) {
    (void)!nice(LONG_NICE);
}

static void *work(void *argument) {
    worker *w = argument;
    jobs *line = w->line;
    if (w->uncut)
        lower_priority();
    desk d = {0};
    job *j;
    while ((j = next_job(w, &d))) {
        job_slice slice;
        bool more = false;
        make_ready(&d, j);
        if (j->class->claim(j, &slice, &more)) {
            if (more)
                jobs_wake(line, j);
            if (line->hooks.before_slice)
                line->hooks.before_slice(line->hooks.user);
            count_slice(line, j, &slice, run_slice(j, slice, d.scratch));
        } else {
            count_slice(line, j, NULL, 0);
        }
        job_release(j);
    }
    fmix_scratch_free(d.scratch);
    pthread_mutex_lock(&line->lock);
    line->ended++;
    pthread_cond_signal(&line->ends);
    pthread_mutex_unlock(&line->lock);
    return NULL;
}

static void free_asker(void *of) {
    asker *a = of;
    if (a)
        fmix_scratch_free(a->scratch);
    free(a);
}

static bool start(jobs *line, worker *w, bool uncut) {
    w->line = line;
    w->uncut = uncut;
    pthread_cond_init(&w->wake, NULL);
    bool runs = pthread_create(&w->thread, NULL, work, w) == 0;
    if (!runs)
        pthread_cond_destroy(&w->wake);
    return runs;
}

jobs *jobs_new(const jobs_settings *settings) {
    jobs *line = calloc(1, sizeof *line);
    if (!line)
        return NULL;
    line->workers = calloc(2 * (size_t)settings->threads, sizeof *line->workers);
    if (!line->workers || pthread_key_create(&line->askers, free_asker) != 0) {
        free(line->workers);
        free(line);
        return NULL;
    }
    pthread_mutex_init(&line->lock, NULL);
    clock_condition(&line->ends);
    schedule_init(&line->schedule, settings->threads, settings->limit, settings->patience);
    line->hooks = settings->hooks;
    line->payer = settings->payer;
    line->buffer_pool = settings->buffer_pool;
    for (; line->started < 2 * settings->threads; line->started++)
        if (!start(line, &line->workers[line->started], line->started >= settings->threads)) {
            jobs_free(line);
            return NULL;
        }
    return line;
}

/* With the lock held. */
static void end_threads(jobs *line) {
    line->stopping = true;
    for (worker *w; (w = pop(line, false)) || (w = pop(line, true));)
        pthread_cond_signal(&w->wake);
}

bool jobs_stop(jobs *line, unsigned milliseconds) {
    const struct timespec until = clock_after(CLOCK_MILLISECOND * milliseconds);
    int code = 0;
    pthread_mutex_lock(&line->lock);
    end_threads(line);
    while (line->ended < line->started && code == 0)
        code = pthread_cond_timedwait(&line->ends, &line->lock, &until);
    pthread_mutex_unlock(&line->lock);
    for (unsigned i = 0; code != 0 && i < line->started; i++)
        pthread_detach(line->workers[i].thread);
    return code == 0;
}

void jobs_free(jobs *line) {
    if (!line)
        return;
    pthread_mutex_lock(&line->lock);
    end_threads(line);
    pthread_mutex_unlock(&line->lock);
    for (unsigned i = 0; i < line->started; i++) {
        pthread_join(line->workers[i].thread, NULL);
        pthread_cond_destroy(&line->workers[i].wake);
    }
    pthread_mutex_lock(&line->lock);
    destroy_buried(line);
    pthread_mutex_unlock(&line->lock);
    free_asker(pthread_getspecific(line->askers));
    pthread_key_delete(line->askers);
    pthread_cond_destroy(&line->ends);
    pthread_mutex_destroy(&line->lock);
    free(line->workers);
    free(line);
}

budget *jobs_payer(const jobs *line) {
    return line->payer;
}

buffer_pool *jobs_slabs(const jobs *line) {
    return line->buffer_pool;
}

bool jobs_could_run(const jobs *line, const job *j, uint64_t held) {
    return held <= UINT64_MAX - j->memory &&
           budget_could_hold(line->payer, held + j->memory, j->working);
}

bool jobs_borrow(jobs *line, job *j) {
    return budget_take(line->payer, j->memory);
}

void jobs_return(jobs *line, job *j) {
    budget_give(line->payer, j->memory);
}

/* With the lock held. */
static refusal admit(jobs *line, turn *t) {
    return schedule_admit(&line->schedule, t, clock_nanoseconds());
}

refusal jobs_admit(jobs *line, job *j) {
    if (!budget_take_both(line->payer, 0, j->working))
        return REFUSAL_MEMORY;
    pthread_mutex_lock(&line->lock);
    refusal v = admit(line, &j->turn);
    pthread_mutex_unlock(&line->lock);
    if (v != REFUSAL_NONE)
        budget_give_working(line->payer, j->working);
    return v;
}

refusal jobs_would_admit(jobs *line, uint64_t client) {
    turn nothing = {.client = client};
    pthread_mutex_lock(&line->lock);
    refusal v = admit(line, &nothing);
    schedule_leave(&line->schedule, &nothing, true);
    pthread_mutex_unlock(&line->lock);
    return v;
}

void jobs_end(jobs *line, job *j, bool cancelled) {
    pthread_mutex_lock(&line->lock);
    bool admitted = j->turn.admitted;
    bool waiting = schedule_leave(&line->schedule, &j->turn, cancelled);
    line->counters.cancelled += admitted && cancelled;
    pthread_mutex_unlock(&line->lock);
    if (admitted)
        budget_give_working(line->payer, j->working);
    if (waiting)
        job_release(j);
}

/* Of a thread that runs slices inline; NULL: no memory. */
static asker *asker_of(jobs *line) {
    asker *a = pthread_getspecific(line->askers);
    if (a)
        return a;
    a = calloc(1, sizeof *a);
    if (a && pthread_setspecific(line->askers, a) != 0) {
        free(a);
        a = NULL;
    }
    return a;
}

/* How many of this thread's answers in a row went to one connection. */
static unsigned count_run(asker *a, const void *connection) {
    a->run = a->connection == connection ? a->run + 1 : 0;
    a->connection = connection;
    return a->run;
}

bool jobs_is_quick(double cost) {
    return cost <= QUICK_COST;
}

bool jobs_better_inline(jobs *line, const job *j, const void *connection) {
    asker *a = asker_of(line);
    bool alone = a && count_run(a, connection) >= ALONE_AFTER;
    if (jobs_is_quick(j->turn.cost))
        return true;
    if (!alone || j->turn.cost > ALONE_COST || j->working > ALONE_WORKING)
        return false;
    pthread_mutex_lock(&line->lock);
    bool idle = line->schedule.admitted == 0 && j->turn.cost * line->schedule.pace <= ALONE_COST;
    pthread_mutex_unlock(&line->lock);
    return idle;
}

void jobs_run_inline(jobs *line, job *j, job_slice slice) {
    asker *a = asker_of(line);
    if (a && !a->scratch && fmix_scratch_new(&a->scratch) != FMIX_OK)
        a->scratch = NULL; /* run sees it and fails the slice */
    uint64_t took = run_slice(j, slice, a ? a->scratch : NULL);
    pthread_mutex_lock(&line->lock);
    line->counters.inlined++;
    line->counters.seconds[slice.stage] += (double)took * 1e-9;
    pthread_mutex_unlock(&line->lock);
}

unsigned jobs_retry_after(jobs *line) {
    pthread_mutex_lock(&line->lock);
    double seconds =
        schedule_demand(&line->schedule, clock_nanoseconds()) / line->schedule.threads * 1e-9;
    pthread_mutex_unlock(&line->lock);
    return seconds < 1 ? 1 : seconds > 60 ? 60 : (unsigned)seconds + 1;
}

void jobs_count(jobs *line, jobs_counters *out) {
    const schedule *s = &line->schedule;
    pthread_mutex_lock(&line->lock);
    *out = line->counters;
    out->admitted = s->admitted;
    out->waiting = s->waiting;
    out->threads = s->threads;
    out->limit = s->limit;
    out->backlog = schedule_demand(s, clock_nanoseconds());
    out->pace = s->pace;
    pthread_mutex_unlock(&line->lock);
}
