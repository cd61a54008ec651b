#include "connection_monitor.h"
#include "base/clock.h"

#include <errno.h>
#include <linux/sockios.h> /* SIOCOUTQ */
#include <linux/tcp.h>     /* tcp_info with tcpi_bytes_acked, which glibc's lacks */
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct entry {
    bool open;
    bool gone;   /* the client has hung up */
    bool late;   /* the monitor has shut the socket down */
    bool waited; /* bytes waited to be acknowledged when the rate was measured last */
    bool fresh;  /* open or expected, and has not begun a request */
    connection_phase phase;
    job *job; /* NULL: the connection does not wait for a job */
    uint32_t generation;
    uint64_t since;        /* milliseconds: begin of the phase, or of a reply's interval */
    uint64_t acknowledged; /* bytes, at that time */
} entry;

struct connection_monitor {
    pthread_mutex_t lock;
    pthread_t thread;
    int poll, stop;
    entry *entries; /* by descriptor */
    size_t room;
    size_t gone;            /* number of open entries that are gone */
    size_t fresh;           /* number of fresh entries */
    pthread_cond_t settled; /* a connection was opened, or has begun a request */
    connection_limits limits;
    uint64_t next_check; /* milliseconds, for `thread` alone */
};

#define NUDGE_MILLISECONDS 50
#define CHECK_MILLISECONDS 500
#define CALLS_MOST         32 /* connections to look at by system calls under one hold of the lock */
#define STOP               UINT64_MAX /* event data that is not a descriptor's */

/* Notes a hang-up, if the connection of the event is still open. Returns a reference to the job to
 * abandon, or NULL. */
static job *note_hang_up(connection_monitor *m, uint64_t data) {
    uint32_t fd = (uint32_t)data, generation = (uint32_t)(data >> 32);
    job *j = NULL;
    pthread_mutex_lock(&m->lock);
    entry *e = fd < m->room ? &m->entries[fd] : NULL;
    if (e && e->open && e->generation == generation) {
        m->gone += !e->gone;
        e->gone = true;
        j = e->job ? job_retain(e->job) : NULL;
    }
    pthread_mutex_unlock(&m->lock);
    return j;
}

/* Raises an edge on connections whose client is gone, from a descriptor on. libmicrohttpd misses an
 * edge that comes while it reads the last bytes, so this repeats until the library has closed the
 * connection; a client that only closed its sending half stays for a whole reply. Every request
 * needs the lock, so only few sockets are shut down at a time. Returns the next descriptor, or 0 at
 * the end. */
static size_t nudge_some(connection_monitor *m, size_t fd, bool *some) {
    pthread_mutex_lock(&m->lock);
    *some = m->gone > 0;
    for (unsigned left = CALLS_MOST; *some && fd < m->room && left > 0; fd++) {
        const entry *e = &m->entries[fd];
        if (!e->open || !e->gone || e->job)
            continue;
        shutdown((int)fd, SHUT_RD);
        left--;
    }
    fd = *some && fd < m->room ? fd : 0;
    pthread_mutex_unlock(&m->lock);
    return fd;
}

/* True: there are connections whose client is gone. */
static bool nudge(connection_monitor *m) {
    size_t fd = 0;
    bool some;
    do {
        fd = nudge_some(m, fd, &some);
    } while (fd);
    return some;
}

/* Returns true if sent bytes wait for acknowledgement, and in *acknowledged the bytes acknowledged.
 * False if the kernel does not tell. */
static bool has_unacknowledged(int fd, uint64_t *acknowledged) {
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    int queued = 0;
    if (ioctl(fd, SIOCOUTQ, &queued) != 0 || queued <= 0 ||
        getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
        return false;
    *acknowledged = info.tcpi_bytes_acked;
    return true;
}

/* The interval restarts if no bytes wait (then it is the server's turn), and if the client received
 * enough. */
static bool receives_too_slowly(const connection_limits *l, entry *e, int fd, uint64_t time) {
    uint64_t acknowledged = 0, interval = l->milliseconds[CONNECTION_REPLY];
    bool waiting = has_unacknowledged(fd, &acknowledged);
    if (waiting && e->waited) {
        if (time - e->since < interval)
            return false;
        if (acknowledged - e->acknowledged < l->rate * interval / 1000)
            return true;
    }
    e->waited = waiting;
    e->since = time;
    e->acknowledged = acknowledged;
    return false;
}

static bool is_late(const connection_limits *l, entry *e, int fd, uint64_t time) {
    uint64_t limit = l->milliseconds[e->phase];
    if (!limit)
        return false;
    return e->phase == CONNECTION_REPLY ? receives_too_slowly(l, e, fd, time)
                                        : time - e->since >= limit;
}

/* Shuts down late connections from a descriptor on. Every request needs the lock, so only few are
 * shut down, or asked what their clients received, at a time. Returns the next descriptor, or 0 at
 * the end. The hang-ups that follow are events like any other. */
static size_t shut_down_late(connection_monitor *m, size_t fd) {
    pthread_mutex_lock(&m->lock);
    /* Read with the lock held, so that it is not before the begin of a phase. */
    uint64_t time = clock_milliseconds();
    for (unsigned left = CALLS_MOST; fd < m->room && left > 0; fd++) {
        entry *e = &m->entries[fd];
        if (!e->open || e->late)
            continue;
        bool late = is_late(&m->limits, e, (int)fd, time);
        left -= late || e->phase == CONNECTION_REPLY;
        if (!late)
            continue;
        e->late = true;
        if (m->limits.late)
            m->limits.late(m->limits.user, (int)fd, e->phase);
        shutdown((int)fd, SHUT_RDWR);
    }
    fd = fd < m->room ? fd : 0;
    pthread_mutex_unlock(&m->lock);
    return fd;
}

/* Returns the milliseconds until the next check. */
static int check_deadlines(connection_monitor *m) {
    uint64_t time = clock_milliseconds();
    size_t fd = 0;
    if (time < m->next_check)
        return (int)(m->next_check - time);
    do {
        fd = shut_down_late(m, fd);
    } while (fd);
    m->next_check = time + CHECK_MILLISECONDS;
    return CHECK_MILLISECONDS;
}

static void *run(void *argument) {
    connection_monitor *m = argument;
    struct epoll_event events[64];
    for (;;) {
        int left = check_deadlines(m);
        bool nudged = nudge(m) && NUDGE_MILLISECONDS < left;
        int n = epoll_wait(m->poll, events, 64, nudged ? NUDGE_MILLISECONDS : left);
        if (n < 0 && errno != EINTR)
            return NULL;
        for (int i = 0; i < n; i++) {
            if (events[i].data.u64 == STOP)
                return NULL;
            job *j = note_hang_up(m, events[i].data.u64);
            if (j) {
                job_abandon(j);
                job_release(j);
            }
        }
    }
}

connection_monitor *connection_monitor_new(const connection_limits *limits) {
    connection_monitor *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->limits = *limits;
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = STOP};
    pthread_mutex_init(&m->lock, NULL);
    clock_condition(&m->settled);
    m->poll = epoll_create1(EPOLL_CLOEXEC);
    m->stop = eventfd(0, EFD_CLOEXEC);
    if (m->poll < 0 || m->stop < 0 || epoll_ctl(m->poll, EPOLL_CTL_ADD, m->stop, &event) != 0 ||
        pthread_create(&m->thread, NULL, run, m) != 0) {
        close(m->poll);
        close(m->stop);
        pthread_cond_destroy(&m->settled);
        pthread_mutex_destroy(&m->lock);
        free(m);
        return NULL;
    }
    return m;
}

void connection_monitor_free(connection_monitor *m) {
    if (!m)
        return;
    eventfd_write(m->stop, 1);
    pthread_join(m->thread, NULL);
    close(m->poll);
    close(m->stop);
    pthread_cond_destroy(&m->settled);
    pthread_mutex_destroy(&m->lock);
    free(m->entries);
    free(m);
}

/* With the lock held. */
static bool make_room(connection_monitor *m, size_t fd) {
    if (fd < m->room)
        return true;
    size_t room = m->room ? m->room : 64;
    while (room <= fd)
        room *= 2;
    entry *entries = realloc(m->entries, room * sizeof *entries);
    if (!entries)
        return false;
    memset(entries + m->room, 0, (room - m->room) * sizeof *entries);
    m->entries = entries;
    m->room = room;
    return true;
}

/* With the lock held. Asks for one event, which comes at once if the client is gone already. */
static void arm(connection_monitor *m, int operation, int fd) {
    struct epoll_event event = {.events = EPOLLRDHUP | EPOLLONESHOT,
                                .data.u64 =
                                    (uint64_t)m->entries[fd].generation << 32 | (uint32_t)fd};
    epoll_ctl(m->poll, operation, fd, &event);
}

/* With the lock held. */
static void set_fresh(connection_monitor *m, entry *e, bool fresh) {
    if (e->fresh == fresh)
        return;
    e->fresh = fresh;
    m->fresh += fresh ? 1 : (size_t)-1;
    pthread_cond_broadcast(&m->settled);
}

void connection_monitor_expect(connection_monitor *m, int fd) {
    pthread_mutex_lock(&m->lock);
    if (make_room(m, (size_t)fd))
        set_fresh(m, &m->entries[fd], true);
    pthread_mutex_unlock(&m->lock);
}

/* With the lock held. True: it is expected, and not open yet. */
static bool is_awaited(const connection_monitor *m, int fd) {
    return (size_t)fd < m->room && m->entries[fd].fresh && !m->entries[fd].open;
}

bool connection_monitor_arrived(connection_monitor *m, int fd, unsigned milliseconds) {
    const struct timespec until = clock_after(CLOCK_MILLISECOND * milliseconds);
    int code = 0;
    pthread_mutex_lock(&m->lock);
    while (is_awaited(m, fd) && code == 0)
        code = pthread_cond_timedwait(&m->settled, &m->lock, &until);
    bool arrived = !is_awaited(m, fd);
    pthread_mutex_unlock(&m->lock);
    return arrived;
}

void connection_monitor_settle(connection_monitor *m, unsigned milliseconds) {
    const struct timespec until = clock_after(CLOCK_MILLISECOND * milliseconds);
    int code = 0;
    pthread_mutex_lock(&m->lock);
    while (m->fresh && code == 0)
        code = pthread_cond_timedwait(&m->settled, &m->lock, &until);
    pthread_mutex_unlock(&m->lock);
}

void connection_monitor_open(connection_monitor *m, int fd) {
    pthread_mutex_lock(&m->lock);
    if (make_room(m, (size_t)fd)) {
        entry *e = &m->entries[fd];
        set_fresh(m, e, true);
        *e = (entry){.open = true,
                     .fresh = true,
                     .generation = e->generation + 1,
                     .since = clock_milliseconds()};
        arm(m, EPOLL_CTL_ADD, fd);
        pthread_cond_broadcast(&m->settled);
    }
    pthread_mutex_unlock(&m->lock);
}

void connection_monitor_enter(connection_monitor *m, int fd, connection_phase phase) {
    pthread_mutex_lock(&m->lock);
    if ((size_t)fd < m->room) {
        entry *e = &m->entries[fd];
        set_fresh(m, e, false);
        e->phase = phase;
        e->since = clock_milliseconds();
        e->waited = false;
    }
    pthread_mutex_unlock(&m->lock);
}

bool connection_monitor_was_late(connection_monitor *m, int fd) {
    pthread_mutex_lock(&m->lock);
    bool late = (size_t)fd < m->room && m->entries[fd].late;
    pthread_mutex_unlock(&m->lock);
    return late;
}

void connection_monitor_close(connection_monitor *m, int fd) {
    pthread_mutex_lock(&m->lock);
    if ((size_t)fd < m->room)
        set_fresh(m, &m->entries[fd], false);
    if ((size_t)fd < m->room && m->entries[fd].open) {
        m->gone -= m->entries[fd].gone;
        m->entries[fd].open = false;
        epoll_ctl(m->poll, EPOLL_CTL_DEL, fd, NULL);
    }
    pthread_mutex_unlock(&m->lock);
}

/* The caller holds the job's lock, so the job of a client that is gone is left to the thread. */
void connection_monitor_add(connection_monitor *m, int fd, job *j) {
    pthread_mutex_lock(&m->lock);
    if ((size_t)fd < m->room && m->entries[fd].open) {
        m->entries[fd].job = j;
        if (m->entries[fd].gone)
            arm(m, EPOLL_CTL_MOD, fd);
    }
    pthread_mutex_unlock(&m->lock);
}

void connection_monitor_remove(connection_monitor *m, int fd) {
    pthread_mutex_lock(&m->lock);
    if ((size_t)fd < m->room)
        m->entries[fd].job = NULL;
    pthread_mutex_unlock(&m->lock);
}
