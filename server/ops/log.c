#include "log.h"
#include "base/clock.h"
#include "base/message.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define FLUSH_SECONDS      1
#define GATHER_NANOSECONDS (20 * CLOCK_MILLISECOND) /* that a line may wait for others */

/* Lines, whole ones. */
typedef struct pile {
    char bytes[LOG_ROOM];
    size_t length;
} pile;

struct log_lines {
    int fd;
    int enough; /* an event: what is left is given up */
    log_kind kind;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t work, idle;
    pile piles[2];
    pile *filling; /* the other is the thread's while it writes */
    uint64_t dropped;
    bool writing, asleep, stopping;
    bool torn; /* the thread's: a line was written in part */
    FILE *messages;
    char message[4 * MESSAGE_MOST + 8]; /* one, until it is whole */
};

/* ---- one line ---- */

typedef struct line {
    char *bytes; /* LOG_LINE of them */
    size_t length;
    bool failed; /* longer than that */
} line;

static void add_bytes(line *l, const char *bytes, size_t length) {
    l->failed |= length > LOG_LINE - l->length;
    if (l->failed)
        return;
    memcpy(l->bytes + l->length, bytes, length);
    l->length += length;
}

static void add_text(line *l, const char *text) {
    add_bytes(l, text, strlen(text));
}

__attribute__((format(printf, 2, 3))) static void add_print(line *l, const char *format, ...) {
    char text[128];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    l->failed |= length < 0 || (size_t)length >= sizeof text;
    if (!l->failed)
        add_bytes(l, text, (size_t)length);
}

/* What is not plain ASCII is escaped, so that no request can forge a line. */
static bool is_plain(char c) {
    unsigned char byte = (unsigned char)c;
    return byte >= ' ' && byte < 0x7f && byte != '"' && byte != '\\';
}

static void add_escaped(line *l, const char *text) {
    while (*text) {
        size_t plain = 0;
        while (is_plain(text[plain]))
            plain++;
        add_bytes(l, text, plain);
        text += plain;
        if (*text)
            add_print(l, "\\u%04x", (unsigned char)*text++);
    }
}

static void add_pair(line *l, const char *name, const char *value) {
    add_text(l, ",\"");
    add_text(l, name);
    add_text(l, "\":\"");
    add_escaped(l, value);
    add_text(l, "\"");
}

/* At least so many digits, and something after them. */
static void add_number(line *l, uint64_t number, unsigned least, const char *after) {
    char digits[20];
    unsigned count = 0;
    for (; count < least || number; number /= 10)
        digits[sizeof digits - ++count] = (char)('0' + number % 10);
    add_bytes(l, digits + sizeof digits - count, count);
    add_text(l, after);
}

static void add_time(line *l) {
    struct timespec now;
    struct tm t;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &t);
    add_number(l, (uint64_t)t.tm_year + 1900, 4, "-");
    add_number(l, (uint64_t)t.tm_mon + 1, 2, "-");
    add_number(l, (uint64_t)t.tm_mday, 2, "T");
    add_number(l, (uint64_t)t.tm_hour, 2, ":");
    add_number(l, (uint64_t)t.tm_min, 2, ":");
    add_number(l, (uint64_t)t.tm_sec, 2, ".");
    add_number(l, (uint64_t)now.tv_nsec / 1000000, 3, "Z");
}

static void add_milliseconds(line *l, const trace *t, const char *after) {
    uint64_t microseconds = (uint64_t)(1e3 * trace_age(t) + 0.5);
    add_number(l, microseconds / 1000, 1, ".");
    add_number(l, microseconds % 1000, 3, after);
}

static void render_json(const log_entry *e, line *l) {
    add_text(l, "{\"time\":\"");
    add_time(l);
    add_text(l, "\"");
    add_pair(l, "id", e->trace->id);
    if (e->trace->parent[0])
        add_pair(l, "traceparent", e->trace->parent);
    add_pair(l, "peer", e->peer);
    if (e->client[0])
        add_pair(l, "client", e->client);
    add_pair(l, "method", e->method);
    add_pair(l, "target", e->target);
    add_pair(l, "route", e->route);
    add_pair(l, "format", e->format);
    if (e->reason)
        add_pair(l, "reason", e->reason);
    add_text(l, ",\"status\":");
    add_number(l, (uint64_t)e->status, 1, ",\"bytes\":");
    add_number(l, e->bytes, 1, ",\"ms\":");
    add_milliseconds(l, e->trace, "}\n");
}

static void render_text(const log_entry *e, line *l) {
    add_time(l);
    add_print(l, " %s%s%s %s ", e->client, e->client[0] ? "@" : "", e->peer, e->trace->id);
    add_escaped(l, e->method);
    add_text(l, " ");
    add_escaped(l, e->target);
    add_text(l, " ");
    add_number(l, (uint64_t)e->status, 1, " ");
    add_number(l, e->bytes, 1, " bytes ");
    add_milliseconds(l, e->trace, " ms\n");
}

/* ---- the queue ---- */

static uint64_t count_lines(const char *bytes, size_t length) {
    uint64_t lines = 0;
    for (size_t i = 0; i < length; i++)
        lines += bytes[i] == '\n';
    return lines;
}

/* As many whole lines as a pipe takes at once or not at all. */
static size_t piece(const char *bytes, size_t length) {
    if (length <= PIPE_BUF)
        return length;
    const char *last = memrchr(bytes, '\n', PIPE_BUF);
    return last ? (size_t)(last + 1 - bytes) : PIPE_BUF;
}

/* False: it is given up. Where poll says that there is room, a piece fits, so write never waits. */
static bool await_room(const log_lines *l) {
    struct pollfd polls[2] = {{.fd = l->fd, .events = POLLOUT},
                              {.fd = l->enough, .events = POLLIN}};
    while (poll(polls, 2, -1) < 0 && errno == EINTR)
        ;
    return polls[1].revents == 0;
}

/* How many bytes the kernel took. */
static size_t write_all(const log_lines *l, const char *bytes, size_t length) {
    size_t done = 0;
    while (done < length && await_room(l)) {
        ssize_t n = write(l->fd, bytes + done, piece(bytes + done, length - done));
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            break;
        done += n > 0 ? (size_t)n : 0;
    }
    return done;
}

/* The lines that were lost. */
static uint64_t write_pile(log_lines *l, const pile *p) {
    if (l->torn && write_all(l, "\n", 1) != 1)
        return count_lines(p->bytes, p->length);
    size_t done = write_all(l, p->bytes, p->length);
    l->torn = done > 0 ? p->bytes[done - 1] != '\n' : false;
    return count_lines(p->bytes + done, p->length - done);
}

static bool is_much(size_t length) {
    return length >= LOG_ROOM / 4;
}

/* With the lock held: until there is much to write, or some time has passed. */
static void gather(log_lines *l) {
    const struct timespec until = clock_after(GATHER_NANOSECONDS);
    int late = 0;
    while (!is_much(l->filling->length) && !l->stopping && late == 0)
        late = pthread_cond_timedwait(&l->work, &l->lock, &until);
}

/* The pile that was filling, now the thread's; NULL at the end. */
static const pile *next_pile(log_lines *l) {
    pthread_mutex_lock(&l->lock);
    l->writing = false;
    pthread_cond_signal(&l->idle);
    gather(
        l); /* by the clock, while lines keep coming: waking it for one costs as much as a write */
    while (l->filling->length == 0 && !l->stopping) {
        l->asleep = true;
        pthread_cond_wait(&l->work, &l->lock);
        l->asleep = false;
        gather(l);
    }
    const pile *p = NULL;
    if (l->filling->length) {
        p = l->filling;
        l->filling = &l->piles[p == l->piles];
        l->filling->length = 0;
        l->writing = true;
    }
    pthread_mutex_unlock(&l->lock);
    return p;
}

static void *run(void *of) {
    log_lines *l = of;
    const pile *p;
    while ((p = next_pile(l))) {
        uint64_t lost = write_pile(l, p);
        pthread_mutex_lock(&l->lock);
        l->dropped += lost;
        pthread_mutex_unlock(&l->lock);
    }
    return NULL;
}

/* A whole line, or none of it. */
static void append(log_lines *l, const char *bytes, size_t length) {
    pthread_mutex_lock(&l->lock);
    pile *p = l->filling;
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

/* What is dropped is no error of the stream's. */
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
    if (l->enough >= 0)
        close(l->enough);
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
    l->filling = l->piles;
    pthread_mutex_init(&l->lock, NULL);
    clock_condition(&l->work);
    clock_condition(&l->idle);
    l->enough = eventfd(0, EFD_CLOEXEC);
    if (l->enough >= 0 && open_messages(l) && pthread_create(&l->thread, NULL, run, l) == 0)
        return l;
    discard(l);
    return NULL;
}

FILE *log_messages(log_lines *l) {
    return l->messages;
}

/* With the lock held. */
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
    eventfd_write(l->enough, 1);
    pthread_join(l->thread, NULL);
    discard(l);
}

size_t log_render(log_kind kind, const log_entry *e, char out[LOG_LINE]) {
    line l = {.bytes = out};
    (kind == LOG_JSON ? render_json : render_text)(e, &l);
    return l.failed ? 0 : l.length;
}

void log_request(log_lines *l, const log_entry *e) {
    char bytes[LOG_LINE]; /* a log needs no memory */
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
