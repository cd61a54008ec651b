#include "flight.h"

#include <time.h>

void flights_init(flights *all) {
    pthread_mutex_init(&all->lock, NULL);
    pthread_cond_init(&all->ended, NULL);
}

void flights_destroy(flights *all) {
    pthread_cond_destroy(&all->ended);
    pthread_mutex_destroy(&all->lock);
}

void flights_enter(flights *all, flight *f) {
    pthread_mutex_lock(&all->lock);
    f->next = all->first;
    if (f->next)
        f->next->previous = f;
    all->first = f;
    pthread_mutex_unlock(&all->lock);
}

void flights_leave(flights *all, flight *f) {
    pthread_mutex_lock(&all->lock);
    *(f->previous ? &f->previous->next : &all->first) = f->next;
    if (f->next)
        f->next->previous = f->previous;
    pthread_cond_broadcast(&all->ended);
    pthread_mutex_unlock(&all->lock);
}

bool flights_work(flights *all, flight *f, job *work) {
    pthread_mutex_lock(&all->lock);
    bool begins = !all->stopping || !work;
    f->work = begins ? work : NULL;
    pthread_mutex_unlock(&all->lock);
    return begins;
}

bool flights_wait(flights *all, unsigned seconds) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += seconds;
    pthread_mutex_lock(&all->lock);
    int code = 0;
    while (all->first && code == 0)
        code = pthread_cond_timedwait(&all->ended, &all->lock, &until);
    bool none = all->first == NULL;
    all->stopping |= none;
    pthread_mutex_unlock(&all->lock);
    return none;
}

void flights_abandon(flights *all) {
    pthread_mutex_lock(&all->lock);
    all->stopping = true;
    for (flight *f = all->first; f; f = f->next)
        if (f->work)
            job_abandon(f->work);
    pthread_mutex_unlock(&all->lock);
}
