/*
 * served.h - a daemon in the test's own process, so that a test can hold its compute threads
 */
#ifndef SERVED_H
#define SERVED_H

#include "loopback.h"

#include "http/daemon.h"

enum { SERVED_THREADS = 2, SERVED_SECONDS = 120 };

typedef struct served {
    unit_gate *gate; /* while closed, every compute thread stops before its next slice */
    fmixd *daemon;
    uint16_t port;
} served;

/* FMIX_IO_THREADS: so many threads talk HTTP, not two. tokens: a file, or NULL. */
static inline int served_start_with(void **state, char *connections, char *queue, char *patience,
                                    char *tokens) {
    static unit_gate gates[16]; /* a slice of an earlier daemon may still stand at an earlier one */
    static unsigned starts;
    static served f;
    char *io = getenv("FMIX_IO_THREADS");
    char *flags[] = {"fmixd",
                     "--listen",
                     "127.0.0.1:0",
                     "--threads",
                     "2",
                     "--queue",
                     queue,
                     "--patience",
                     patience,
                     "--connections",
                     connections,
                     "--io-threads",
                     io ? io : "2",
                     "--body",
                     "1M",
                     "--tokens",
                     tokens ? tokens : ""};
    config c;
    f = (served){.gate = &gates[starts++ % 16]};
    *f.gate = (unit_gate)UNIT_GATE;
    const jobs_hooks hooks = {unit_gate_pass, f.gate};
    if (config_load(sizeof flags / sizeof *flags, flags, 1, &c, stderr) != CONFIG_OK)
        return -1;
    f.daemon = fmixd_start(&c, &hooks, stderr);
    if (!f.daemon)
        return -1;
    f.port = (uint16_t)atoi(strrchr(fmixd_address(f.daemon), ':') + 1);
    *state = &f;
    return 0;
}

static inline int served_start(void **state) {
    return served_start_with(state, "100", "8", "600000", NULL);
}

static inline int served_stop(void **state) {
    served *f = *state;
    unit_gate_set(f->gate, false);
    return fmixd_stop(f->daemon, SERVED_SECONDS) ? 0 : -1;
}

static inline int served_send(const served *f, const char *text, size_t length) {
    return loopback_send(f->port, text, length);
}

/* A socket that has sent a GET for a target. */
static inline int served_ask(const served *f, const char *target) {
    char text[512];
    int n = snprintf(text, sizeof text,
                     "GET %s HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n", target);
    return served_send(f, text, (size_t)n);
}

static inline int served_get(const served *f, const char *target, char *out, size_t room) {
    return loopback_receive(served_ask(f, target), out, room);
}

/* All that is replied to a request, or to several. */
static inline int served_exchange(const served *f, const char *requests, char *out, size_t room) {
    return loopback_receive(served_send(f, requests, strlen(requests)), out, room);
}

static inline double served_metric(const served *f, const char *name) {
    static char text[1 << 20];
    char line[120];
    assert_int_equal(served_get(f, "/metrics", text, sizeof text), 200);
    snprintf(line, sizeof line, "\n%s ", name);
    const char *at = strstr(text, line);
    assert_non_null(at);
    return atof(at + strlen(line));
}

static inline void served_await(const served *f, const char *name, double value) {
    UNIT_UNTIL(served_metric(f, name) == value);
}

/* Bytes that two jobs need at least: both compute threads are held, and stay so. */
static inline void served_hold(served *f, int fds[SERVED_THREADS]) {
    unit_gate_set(f->gate, true);
    for (int i = 0; i < SERVED_THREADS; i++)
        fds[i] = served_ask(f, "/v1/masks.npy?shape=64x64&n=4");
    unit_gate_await(f->gate, SERVED_THREADS);
}

#endif
