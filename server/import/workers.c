#include "workers.h"

#include <pthread.h>
#include <stdlib.h>

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
    pthread_cond_t given, moved; /* a job was given; a job is done or its memory free */
    slot slots[WORKERS_AHEAD]; /* job number i is in slot i % WORKERS_AHEAD; this and all below are
                                  guarded by lock */
    uint64_t oldest, begun, count; /* the first job not taken, the first not begun, all jobs */
    uint64_t used;                 /* bytes */
    bool taken;                    /* the oldest job was taken, and its memory is still in use */
    bool end;
};

static slot *slot_of(workers *w, uint64_t number) {
    return &w->slots[number % WORKERS_AHEAD];
}

static void finish(workers *w, slot *s) {
    pthread_mutex_lock(&w->lock);
    s->done = true;
    pthread_cond_broadcast(&w->moved);
    pthread_mutex_unlock(&w->lock);
}

static void *work(void *of) {
    workers *w = of;
    for (;;) {
        pthread_mutex_lock(&w->lock);
        while (w->begun == w->count && !w->end)
            pthread_cond_wait(&w->given, &w->lock);
        slot *s = w->begun < w->count ? slot_of(w, w->begun++) : NULL;
        pthread_mutex_unlock(&w->lock);
        if (!s)
            return NULL;
        w->run(w, s->job);
        finish(w, s);
    }
}

workers *workers_new(unsigned threads, void (*run)(workers *w, void *job)) {
    workers *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->run = run;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->given, NULL);
    pthread_cond_init(&w->moved, NULL);
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
}

/* The caller holds the lock. */
static void drop_taken(workers *w) {
    if (!w->taken)
        return;
    w->used -= slot_of(w, w->oldest++)->memory;
    w->taken = false;
    pthread_cond_broadcast(&w->moved);
}

void *workers_take(workers *w) {
    void *job = NULL;
    pthread_mutex_lock(&w->lock);
    drop_taken(w);
    if (w->oldest < w->count) {
        while (!slot_of(w, w->oldest)->done)
            pthread_cond_wait(&w->moved, &w->lock);
        job = slot_of(w, w->oldest)->job;
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
    while (w->threads > 0 && w->used + bytes > WORKERS_MEMORY && number != w->oldest)
        pthread_cond_wait(&w->moved, &w->lock);
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
    pthread_cond_destroy(&w->moved);
    pthread_cond_destroy(&w->given);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
