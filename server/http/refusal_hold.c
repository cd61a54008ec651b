#include "refusal_hold.h"
#include "base/clock.h"

#include <pthread.h>
#include <stdlib.h>

struct refusal_hold {
    job job; /* first */
    refusal_holds *all;
    job_waiter waiter;

    /* Guarded by the lock of `all`. */
    refusal_hold *next, *previous;
    uint64_t until;
    bool waiting; /* in the list */
    bool abandoned;
};

struct refusal_holds {
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    refusal_hold *first, *last; /* in the order of `until` */
    bool stopping;
    pthread_t thread;
};

/* ---- with the lock held ---- */

/* Times come nearly in order, so the place is looked for from the end. */
static void insert(refusal_holds *all, refusal_hold *h) {
    refusal_hold *before = all->last;
    while (before && before->until > h->until)
        before = before->previous;
    h->previous = before;
    h->next = before ? before->next : all->first;
    *(h->previous ? &h->previous->next : &all->first) = h;
    *(h->next ? &h->next->previous : &all->last) = h;
}

static void resume(refusal_hold *h) {
    refusal_holds *all = h->all;
    if (!h->waiting)
        return;
    h->waiting = false;
    *(h->previous ? &h->previous->next : &all->first) = h->next;
    *(h->next ? &h->next->previous : &all->last) = h->previous;
    h->waiter.resume(h->waiter.user);
}

static void wait_for_first(refusal_holds *all) {
    uint64_t now = clock_nanoseconds();
    if (!all->first) {
        pthread_cond_wait(&all->changed, &all->lock);
    } else if (all->first->until > now) {
        const struct timespec until = clock_after(all->first->until - now);
        pthread_cond_timedwait(&all->changed, &all->lock, &until);
    }
}

/* ---- */

static void *run(void *of) {
    refusal_holds *all = of;
    pthread_mutex_lock(&all->lock);
    while (!all->stopping) {
        wait_for_first(all);
        uint64_t now = clock_nanoseconds();
        while (all->first && all->first->until <= now)
            resume(all->first);
    }
    pthread_mutex_unlock(&all->lock);
    return NULL;
}

refusal_holds *refusal_holds_new(void) {
    refusal_holds *all = calloc(1, sizeof *all);
    if (!all)
        return NULL;
    pthread_mutex_init(&all->lock, NULL);
    clock_condition(&all->changed);
    if (pthread_create(&all->thread, NULL, run, all) == 0)
        return all;
    pthread_cond_destroy(&all->changed);
    pthread_mutex_destroy(&all->lock);
    free(all);
    return NULL;
}

void refusal_holds_free(refusal_holds *all) {
    if (!all)
        return;
    pthread_mutex_lock(&all->lock);
    all->stopping = true;
    pthread_cond_signal(&all->changed);
    pthread_mutex_unlock(&all->lock);
    pthread_join(all->thread, NULL);
    pthread_cond_destroy(&all->changed);
    pthread_mutex_destroy(&all->lock);
    free(all);
}

static void abandon(job *j) {
    refusal_hold *h = (refusal_hold *)j;
    pthread_mutex_lock(&h->all->lock);
    h->abandoned = true;
    resume(h);
    pthread_mutex_unlock(&h->all->lock);
}

static void destroy(job *j) {
    free(j);
}

static const job_class hold_class = {.abandon = abandon, .destroy = destroy};

refusal_hold *refusal_hold_new(refusal_holds *all, const job_waiter *waiter) {
    refusal_hold *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    job_init(&h->job, &hold_class);
    h->all = all;
    h->waiter = *waiter;
    return h;
}

void refusal_hold_release(refusal_hold *h) {
    if (h)
        job_release(&h->job);
}

job *refusal_hold_job(refusal_hold *h) {
    return &h->job;
}

bool refusal_hold_start(refusal_hold *h, uint64_t until) {
    refusal_holds *all = h->all;
    pthread_mutex_lock(&all->lock);
    bool starts = !h->abandoned;
    if (starts) {
        h->until = until;
        h->waiting = true;
        insert(all, h);
        h->waiter.suspend(h->waiter.user);
        if (all->first == h)
            pthread_cond_signal(&all->changed);
    }
    pthread_mutex_unlock(&all->lock);
    return starts;
}
