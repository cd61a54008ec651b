#include "log.h"
#include "base/clock.h"
#include "base/message.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define FLUSH_SECONDS      1
#define GATHER_NANOSECONDS (20 * CLOCK_MILLISECOND) /* a line's wait for further lines */

/* Whole lines. */
typedef struct batch {
    char bytes[LOG_ROOM];
    size_t length;
} batch;

struct log_lines {
    int fd;
    int give_up; /* an event: the thread gives up the remaining lines */
    log_kind kind;
    pthread_t thread;
    pthread_mutex_t lock; /* guards the fields below, up to stopping */
    pthread_cond_t work, idle;
    batch batches[2];
    batch *filling; /* while the thread writes, the other batch is the thread's */
    uint64_t dropped;
    bool writing, asleep, stopping;
    bool torn; /* used by the thread alone: a line was written in part */
    FILE *messages;
    char message[4 * MESSAGE_MOST + 8]; /* a message that is not complete yet */
};

static uint64_t count_lines(const char *bytes, size_t length) {
    uint64_t lines = 0;
    for (size_t i = 0; i < length; i++)
        lines += bytes[i] == '\n';
    return lines;
}

/* As many whole lines as a pipe takes atomically. */
static size_t atomic_length(const char *bytes, size_t length) {
    if (length <= PIPE_BUF)
        return length;
    const char *last = memrchr(bytes, '\n', PIPE_BUF);
    return last ? (size_t)(last + 1 - bytes) : PIPE_BUF;
}

/* False: the remaining lines are given up. Once poll reports room, a piece of that length fits,
 * so that write does not block. */
static bool await_room(const log_lines *l) {
    struct pollfd polls[2] = {{.fd = l->fd, .events = POLLOUT},
                              {.fd = l->give_up, .events = POLLIN}};
    while (poll(polls, 2, -1) < 0 && errno == EINTR)
        ;
    return polls[1].revents == 0;
}

/* The number of bytes written. */
static size_t write_all(const log_lines *l, const char *bytes, size_t length) {
    size_t done = 0;
    while (done < length && await_room(l)) {
        ssize_t n = write(l->fd, bytes + done, atomic_length(bytes + done, length - done));
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            break;
        done += n > 0 ? (size_t)n : 0;
    }
    return done;
}

/* The number of lost lines. */
static uint64_t write_batch(log_lines *l, const batch *p) {
    if (l->torn && write_all(l, "\n", 1) != 1)
        return count_lines(p->bytes, p->length);
    size_t done = write_all(l, p->bytes, p->length);
    l->torn = done > 0 ? p->bytes[done - 1] != '\n' : false;
    return count_lines(p->bytes + done, p->length - done);
}

static bool is_much(size_t length) {
    return length >= LOG_ROOM / 4;
}

/* Waits, with the lock held, until there is much to write or some time has passed. */
static void gather(log_lines *l) {
    const struct timespec until = clock_after(GATHER_NANOSECONDS);
    int late = 0;
    while (!is_much(l->filling->length) && !l->stopping && late == 0)
        late = pthread_cond_timedwait(&l->work, &l->lock, &until);
}

/* Takes the batch that was filling. NULL: the log is stopping. */
static const batch *next_batch(log_lines *l) {
    pthread_mutex_lock(&l->lock);
    l->writing = false;
    pthread_cond_signal(&l->idle);
    /* While lines keep coming, the thread waits by the clock: waking it for each line would cost as
     * much as a write. */
    gather(l);
    while (l->filling->length == 0 && !l->stopping) {
        l->asleep = true;
        pthread_cond_wait(&l->work, &l->lock);
        l->asleep = false;
        gather(l);
    }
    const batch *p = NULL;
    if (l->filling->length) {
        p = l->filling;
        l->filling = &l->batches[p == l->batches];
        l->filling->length = 0;
        l->writing = true;
    }
    pthread_mutex_unlock(&l->lock);
    return p;
}

static void *run(void *of) {
    log_lines *l = of;
    const batch *p;
    while ((p = next_batch(l))) {
        uint64_t lost = write_batch(l, p);
        pthread_mutex_lock(&l->lock);
        l->dropped += lost;
        pthread_mutex_unlock(&l->lock);
    }
    return NULL;
}

/* Appends a whole line, or drops it. */
static void append(log_lines *l, const char *bytes, size_t length) {
    pthread_mutex_lock(&l->lock);
    batch *p = l->filling;
    if (length && length <= sizeof p->bytes - p->length) {
        bool was_much = is_much(p->length);
        memcpy(p->bytes + p->length, bytes, length);
        p->length += length;
        if (l->asleep || is_much(p->length) != was_much)
            pthread_cond_signal(&l->work);
    } else {
        l->dropped++;
    }
    pthread_mutex_unlock(&l->lock);
}

/* A dropped message is not an error of the stream. */
static ssize_t take_message(void *of, const char *bytes, size_t length) {
    append(of, bytes, length);
    return (ssize_t)length;
}

static bool open_messages(log_lines *l) {
    l->messages = fopencookie(l, "w", (cookie_io_functions_t){.write = take_message});
    return l->messages && setvbuf(l->messages, l->message, _IOLBF, sizeof l->message) == 0;
}

static void discard(log_lines *l) {
    if (l->messages)
        fclose(l->messages);
    if (l->give_up >= 0)
        close(l->give_up);
    pthread_cond_destroy(&l->idle);
    pthread_cond_destroy(&l->work);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

log_lines *log_new(int fd, log_kind kind) {
    log_lines *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->fd = fd;
    l->kind = kind;
    l->filling = l->batches;
    pthread_mutex_init(&l->lock, NULL);
    clock_condition(&l->work);
    clock_condition(&l->idle);
    l->give_up = eventfd(0, EFD_CLOEXEC);
    if (l->give_up >= 0 && open_messages(l) && pthread_create(&l->thread, NULL, run, l) == 0)
        return l;
    discard(l);
    return NULL;
}

FILE *log_messages(log_lines *l) {
    return l->messages;
}

/* With the lock held, for at most FLUSH_SECONDS. */
static void await_idle(log_lines *l) {
    const struct timespec until = clock_after(FLUSH_SECONDS * CLOCK_SECOND);
    int code = 0;
    while ((l->writing || l->filling->length) && code == 0)
        code = pthread_cond_timedwait(&l->idle, &l->lock, &until);
}

void log_flush(log_lines *l) {
    pthread_mutex_lock(&l->lock);
    await_idle(l);
    pthread_mutex_unlock(&l->lock);
}

void log_free(log_lines *l) {
    if (!l)
        return;
    fflush(l->messages);
    pthread_mutex_lock(&l->lock);
    l->stopping = true;
    pthread_cond_signal(&l->work);
    await_idle(l);
    l->filling->length = 0;
    pthread_mutex_unlock(&l->lock);
    eventfd_write(l->give_up, 1);
    pthread_join(l->thread, NULL);
    discard(l);
}

void log_request(log_lines *l, const log_entry *e) {
    char bytes[LOG_LINE]; /* on the stack: logging does not allocate */
    if (l->kind == LOG_OFF)
        return;
    append(l, bytes, log_render(l->kind, e, bytes));
}

uint64_t log_dropped(log_lines *l) {
    pthread_mutex_lock(&l->lock);
    uint64_t dropped = l->dropped;
    pthread_mutex_unlock(&l->lock);
    return dropped;
}
