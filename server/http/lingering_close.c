#include "lingering_close.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct place {
    int fd;
    uint64_t left;  /* bytes that the client may still send */
    uint64_t until; /* milliseconds */
} place;

struct lingering_close {
    /* Of the next three. Any thread adds places; `thread` alone removes them. */
    pthread_mutex_t lock;
    place places[LINGERING_CLOSE_PLACES];
    unsigned count;
    bool stopping;
    pthread_t thread;
    int wake;
    uint64_t bytes;
    unsigned milliseconds;
};

/* Reads and drops some bytes of a connection where there are any. False: the connection is to be
 * closed. */
static bool drop_some(place *p, bool any) {
    char dropped[1 << 16];
    if (!any)
        return clock_milliseconds() < p->until;
    ssize_t n = recv(p->fd, dropped, sizeof dropped, MSG_DONTWAIT);
    if (n > 0)
        p->left -= p->left < (uint64_t)n ? p->left : (uint64_t)n;
    bool open = n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
    return open && p->left > 0 && clock_milliseconds() < p->until;
}

/* Other threads only add places after these, so these are read without the lock. */
static void drop_and_close(lingering_close *l, const struct pollfd *polls, unsigned count) {
    bool ended[LINGERING_CLOSE_PLACES] = {false};
    for (unsigned i = 0; i < count; i++)
        ended[i] = !drop_some(&l->places[i], polls[i].revents != 0);
    pthread_mutex_lock(&l->lock);
    while (count-- > 0)
        if (ended[count]) {
            close(l->places[count].fd);
            l->places[count] = l->places[--l->count];
        }
    pthread_mutex_unlock(&l->lock);
}

/* Fills in the poll set and its timeout. False: the thread must end. */
static bool prepare_poll(lingering_close *l, struct pollfd *polls, unsigned *count, int *timeout) {
    uint64_t start = clock_milliseconds(), until = UINT64_MAX;
    pthread_mutex_lock(&l->lock);
    *count = l->count;
    for (unsigned i = 0; i < l->count; i++) {
        polls[i] = (struct pollfd){.fd = l->places[i].fd, .events = POLLIN};
        until = l->places[i].until < until ? l->places[i].until : until;
    }
    bool stopping = l->stopping;
    pthread_mutex_unlock(&l->lock);
    *timeout = until == UINT64_MAX ? -1 : until > start ? (int)(until - start) : 0;
    return !stopping;
}

static void *run(void *of) {
    lingering_close *l = of;
    struct pollfd polls[LINGERING_CLOSE_PLACES + 1];
    eventfd_t woken;
    unsigned count;
    int timeout;
    while (prepare_poll(l, polls, &count, &timeout)) {
        polls[count] = (struct pollfd){.fd = l->wake, .events = POLLIN};
        if (poll(polls, count + 1, timeout) < 0 && errno != EINTR)
            return NULL;
        if (polls[count].revents)
            eventfd_read(l->wake, &woken);
        drop_and_close(l, polls, count);
    }
    return NULL;
}

lingering_close *lingering_close_new(uint64_t bytes, unsigned milliseconds) {
    lingering_close *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->bytes = bytes;
    l->milliseconds = milliseconds;
    pthread_mutex_init(&l->lock, NULL);
    l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (l->wake < 0 || pthread_create(&l->thread, NULL, run, l) != 0) {
        close(l->wake);
        pthread_mutex_destroy(&l->lock);
        free(l);
        return NULL;
    }
    return l;
}

void lingering_close_free(lingering_close *l) {
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->stopping = true;
    pthread_mutex_unlock(&l->lock);
    eventfd_write(l->wake, 1);
    pthread_join(l->thread, NULL);
    for (unsigned i = 0; i < l->count; i++)
        close(l->places[i].fd);
    close(l->wake);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

void lingering_close_take(lingering_close *l, int fd) {
    pthread_mutex_lock(&l->lock);
    int own = l->count < LINGERING_CLOSE_PLACES ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (own >= 0)
        l->places[l->count++] = (place){own, l->bytes, clock_milliseconds() + l->milliseconds};
    pthread_mutex_unlock(&l->lock);
    if (own >= 0)
        eventfd_write(l->wake, 1);
}
