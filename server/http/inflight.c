#include "inflight.h"
#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

#define SOCKETS_LEAST 64

void inflight_init(inflight *all) {
    pthread_mutex_init(&all->lock, NULL);
    clock_condition(&all->ended);
}

void inflight_destroy(inflight *all) {
    pthread_cond_destroy(&all->ended);
    pthread_mutex_destroy(&all->lock);
    free(all->sockets);
}

/* With the lock held. */
static bool make_room(inflight *all, size_t fd) {
    size_t room = all->room ? all->room : SOCKETS_LEAST;
    if (fd < all->room)
        return true;
    while (room <= fd)
        room *= 2;
    inflight_entry **sockets = realloc(all->sockets, room * sizeof(inflight_entry *));
    if (!sockets)
        return false;
    memset(sockets + all->room, 0, (room - all->room) * sizeof(inflight_entry *));
    all->sockets = sockets;
    all->room = room;
    return true;
}

void inflight_add(inflight *all, inflight_entry *e) {
    pthread_mutex_lock(&all->lock);
    e->next = all->first;
    if (e->next)
        e->next->previous = e;
    all->first = e;
    if (make_room(all, (size_t)e->fd))
        all->sockets[e->fd] = e;
    pthread_mutex_unlock(&all->lock);
}

void inflight_remove(inflight *all, inflight_entry *e) {
    pthread_mutex_lock(&all->lock);
    *(e->previous ? &e->previous->next : &all->first) = e->next;
    if (e->next)
        e->next->previous = e->previous;
    if ((size_t)e->fd < all->room && all->sockets[e->fd] == e)
        all->sockets[e->fd] = NULL;
    pthread_cond_broadcast(&all->ended);
    pthread_mutex_unlock(&all->lock);
}

void *inflight_find(inflight *all, int fd) {
    pthread_mutex_lock(&all->lock);
    const inflight_entry *e = (size_t)fd < all->room ? all->sockets[fd] : NULL;
    pthread_mutex_unlock(&all->lock);
    return e ? e->request : NULL;
}

bool inflight_set_work(inflight *all, inflight_entry *e, job *work) {
    pthread_mutex_lock(&all->lock);
    bool begins = !all->stopping || !work;
    e->work = begins ? work : NULL;
    pthread_mutex_unlock(&all->lock);
    return begins;
}

bool inflight_wait(inflight *all, unsigned milliseconds) {
    const struct timespec until = clock_after(CLOCK_MILLISECOND * milliseconds);
    pthread_mutex_lock(&all->lock);
    int code = 0;
    while (all->first && code == 0)
        code = pthread_cond_timedwait(&all->ended, &all->lock, &until);
    bool empty = all->first == NULL;
    all->stopping |= empty;
    pthread_mutex_unlock(&all->lock);
    return empty;
}

void inflight_abandon(inflight *all) {
    pthread_mutex_lock(&all->lock);
    all->stopping = true;
    for (inflight_entry *e = all->first; e; e = e->next)
        if (e->work)
            job_abandon(e->work);
    pthread_mutex_unlock(&all->lock);
}
