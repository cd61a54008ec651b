#include "workers.h"
#include "base/clock.h"

#include <stdlib.h>

/* The thread that takes jobs sleeps until so many are done, for waking it at each would take longer
 * than a job that reads a header. It never sleeps for longer than REST while the oldest is done. */
#define BATCH 16
#define REST  (20 * CLOCK_MILLISECOND)

typedef struct slot {
    void *job;
    uint64_t memory;
    bool done;
} slot;

struct workers {
    void (*run)(workers *w, void *job);
    pthread_t thread[WORKERS_MOST];
    unsigned threads;
    pthread_mutex_t lock;
    pthread_cond_t given, ready, freed; /* a job was given; jobs can be taken; memory is free */
    slot slots[WORKERS_AHEAD]; /* job number i is in slot i % WORKERS_AHEAD; this and all below are
                                  guarded by lock */
    uint64_t oldest, begun, count; /* the first job not taken, the first not begun, all jobs */
    uint64_t used;                 /* bytes */
    unsigned done;                 /* jobs that are done and not taken */
    unsigned starved;              /* jobs that wait for memory */
    bool taken;                    /* the oldest job was taken, and its memory is still in use */
    bool resting;                  /* the thread that takes jobs waits for a batch */
    bool end;
};

static slot *slot_of(workers *w, uint64_t number) {
    return &w->slots[number % WORKERS_AHEAD];
}

/* The caller holds the lock, here and below. */
static bool can_take(const workers *w) {
    bool batch = w->done >= BATCH || w->begun == w->count || w->starved > 0;
    return w->slots[w->oldest % WORKERS_AHEAD].done && (batch || !w->resting);
}

static void tell_taker(workers *w) {
    if (can_take(w))
        pthread_cond_signal(&w->ready);
}

/* The next job. NULL: there are no more. */
static slot *begin(workers *w) {
    while (w->begun == w->count && !w->end)
        pthread_cond_wait(&w->given, &w->lock);
    return w->begun < w->count ? slot_of(w, w->begun++) : NULL;
}

static void *work(void *of) {
    workers *w = of;
    pthread_mutex_lock(&w->lock);
    for (slot *s; (s = begin(w)) != NULL;) {
        pthread_mutex_unlock(&w->lock);
        w->run(w, s->job);
        pthread_mutex_lock(&w->lock);
        s->done = true;
        w->done++;
        tell_taker(w);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

workers *workers_new(unsigned threads, void (*run)(workers *w, void *job)) {
    workers *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->run = run;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->given, NULL);
    clock_condition(&w->ready);
    pthread_cond_init(&w->freed, NULL);
    while (w->threads < threads && w->threads < WORKERS_MOST &&
           pthread_create(&w->thread[w->threads], NULL, work, w) == 0)
        w->threads++;
    return w;
}

bool workers_is_full(const workers *w) {
    return w->count - w->oldest == WORKERS_AHEAD;
}

void workers_give(workers *w, void *job) {
    pthread_mutex_lock(&w->lock);
    slot *s = slot_of(w, w->count++);
    *s = (slot){.job = job};
    if (w->threads == 0)
        w->begun++;
    pthread_cond_signal(&w->given);
    pthread_mutex_unlock(&w->lock);
    if (w->threads > 0)
        return;
    w->run(w, job);
    s->done = true;
    w->done++;
}

static void drop_taken(workers *w) {
    if (!w->taken)
        return;
    w->used -= slot_of(w, w->oldest++)->memory;
    w->taken = false;
    if (w->starved > 0)
        pthread_cond_broadcast(&w->freed);
}

/* Waits until the oldest job is done, and for REST at most until others are, too. */
static void await_batch(workers *w) {
    struct timespec end = clock_after(REST);
    w->resting = true;
    while (!can_take(w))
        if (!w->resting)
            pthread_cond_wait(&w->ready, &w->lock);
        else if (pthread_cond_timedwait(&w->ready, &w->lock, &end) != 0)
            w->resting = false;
    w->resting = false;
}

void *workers_take(workers *w) {
    void *job = NULL;
    pthread_mutex_lock(&w->lock);
    drop_taken(w);
    if (w->oldest < w->count) {
        if (!slot_of(w, w->oldest)->done)
            await_batch(w);
        job = slot_of(w, w->oldest)->job;
        w->done--;
        w->taken = true;
    }
    pthread_mutex_unlock(&w->lock);
    return job;
}

void workers_reserve(workers *w, const void *job, uint64_t bytes) {
    pthread_mutex_lock(&w->lock);
    uint64_t number = w->oldest;
    while (slot_of(w, number)->job != job)
        number++;
    w->starved++;
    while (w->threads > 0 && w->used + bytes > WORKERS_MEMORY && number != w->oldest) {
        tell_taker(w);
        pthread_cond_wait(&w->freed, &w->lock);
    }
    w->starved--;
    slot_of(w, number)->memory += bytes;
    w->used += bytes;
    pthread_mutex_unlock(&w->lock);
}

void workers_free(workers *w) {
    if (!w)
        return;
    while (workers_take(w))
        ;
    pthread_mutex_lock(&w->lock);
    w->end = true;
    pthread_cond_broadcast(&w->given);
    pthread_mutex_unlock(&w->lock);
    for (unsigned i = 0; i < w->threads; i++)
        pthread_join(w->thread[i], NULL);
    pthread_cond_destroy(&w->ready);
    pthread_cond_destroy(&w->freed);
    pthread_cond_destroy(&w->given);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
