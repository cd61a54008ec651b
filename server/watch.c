#include "watch.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

typedef struct entry {
    answer *answer; /* NULL: nobody is watched here */
    uint32_t generation;
} entry;

struct watch {
    pthread_mutex_t lock;
    pthread_t thread;
    int poll, stop;
    entry *entries; /* by descriptor */
    size_t room;
};

#define STOP UINT64_MAX

/* The answer that an event belongs to, if it is still watched; the caller's reference. */
static answer *find(watch *w, uint64_t data) {
    uint32_t fd = (uint32_t)data, generation = (uint32_t)(data >> 32);
    answer *a = NULL;
    pthread_mutex_lock(&w->lock);
    if (fd < w->room && w->entries[fd].answer && w->entries[fd].generation == generation)
        a = answer_retain(w->entries[fd].answer);
    pthread_mutex_unlock(&w->lock);
    return a;
}

static void *run(void *argument) {
    watch *w = argument;
    struct epoll_event events[64];
    for (;;) {
        int n = epoll_wait(w->poll, events, 64, -1);
        if (n < 0 && errno != EINTR)
            return NULL;
        for (int i = 0; i < n; i++) {
            if (events[i].data.u64 == STOP)
                return NULL;
            answer *a = find(w, events[i].data.u64);
            if (a) {
                answer_abandon(a);
                answer_release(a);
            }
        }
    }
}

watch *watch_new(void) {
    watch *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = STOP};
    pthread_mutex_init(&w->lock, NULL);
    w->poll = epoll_create1(EPOLL_CLOEXEC);
    w->stop = eventfd(0, EFD_CLOEXEC);
    if (w->poll < 0 || w->stop < 0 || epoll_ctl(w->poll, EPOLL_CTL_ADD, w->stop, &event) != 0 ||
        pthread_create(&w->thread, NULL, run, w) != 0) {
        close(w->poll);
        close(w->stop);
        pthread_mutex_destroy(&w->lock);
        free(w);
        return NULL;
    }
    return w;
}

void watch_free(watch *w) {
    if (!w)
        return;
    eventfd_write(w->stop, 1);
    pthread_join(w->thread, NULL);
    close(w->poll);
    close(w->stop);
    pthread_mutex_destroy(&w->lock);
    free(w->entries);
    free(w);
}

/* With the lock held. */
static bool make_room(watch *w, size_t fd) {
    if (fd < w->room)
        return true;
    size_t room = w->room ? w->room : 64;
    while (room <= fd)
        room *= 2;
    entry *entries = realloc(w->entries, room * sizeof *entries);
    if (!entries)
        return false;
    memset(entries + w->room, 0, (room - w->room) * sizeof *entries);
    w->entries = entries;
    w->room = room;
    return true;
}

void watch_add(watch *w, int fd, answer *a) {
    pthread_mutex_lock(&w->lock);
    if (make_room(w, (size_t)fd)) {
        entry *e = &w->entries[fd];
        e->answer = a;
        e->generation++;
        struct epoll_event event = {.events = EPOLLRDHUP | EPOLLONESHOT,
                                    .data.u64 = (uint64_t)e->generation << 32 | (uint32_t)fd};
        epoll_ctl(w->poll, EPOLL_CTL_ADD, fd, &event);
    }
    pthread_mutex_unlock(&w->lock);
}

void watch_remove(watch *w, int fd) {
    pthread_mutex_lock(&w->lock);
    if ((size_t)fd < w->room && w->entries[fd].answer) {
        w->entries[fd].answer = NULL;
        epoll_ctl(w->poll, EPOLL_CTL_DEL, fd, NULL);
    }
    pthread_mutex_unlock(&w->lock);
}
