/*
 * load.c - a client that costs little, for loopback
 *
 *   load ADDRESS PORT CONNECTIONS SECONDS TARGET [SOURCE]
 *
 * Keeps CONNECTIONS busy, a request at a time on each, "%" in TARGET standing for a number that is
 * never asked twice. Prints requests, failures (not 200, or cut off), seconds, and of the latencies
 * in microseconds the median, the 99th percentile and the largest.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 4096, HEAD = 4096, LATENCIES = 1 << 22 };

typedef struct client {
    int fd;
    double asked;
    char head[HEAD + 1]; /* of a reply, until it is whole */
    size_t length;
    long long left; /* of its body; -1: the head is not whole */
    bool good;
} client;

static struct {
    const char *target;
    struct sockaddr_in server, source;
    unsigned long long number, done, failed;
    float *latencies;
} load;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void die(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void ask(client *c) {
    char text[1024];
    const char *mark = strchr(load.target, '%');
    int before = mark ? (int)(mark - load.target) : (int)strlen(load.target), n;
    if (mark)
        n = snprintf(text, sizeof text, "GET %.*s%llu%s HTTP/1.1\r\nHost: bench\r\n\r\n", before,
                     load.target, load.number++, mark + 1);
    else
        n = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: bench\r\n\r\n", load.target);
    c->length = 0;
    c->left = -1;
    c->asked = now();
    if (send(c->fd, text, (size_t)n, MSG_NOSIGNAL) != n)
        die("send");
}

static void open_client(client *c) {
    int on = 1;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || bind(c->fd, (struct sockaddr *)&load.source, sizeof load.source) != 0 ||
        connect(c->fd, (struct sockaddr *)&load.server, sizeof load.server) != 0)
        die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* The head is whole: how much of a body follows? */
static void read_head(client *c, const char *end) {
    const char *field = strcasestr(c->head, "\r\ncontent-length:");
    c->good = strncmp(c->head, "HTTP/1.1 200", 12) == 0;
    c->left = field ? strtoll(field + 17, NULL, 10) : 0;
    c->left -= (long long)(c->length - (size_t)(end + 4 - c->head));
}

static void finish(client *c) {
    double took = now() - c->asked;
    if (load.done < LATENCIES)
        load.latencies[load.done] = (float)(took * 1e6);
    load.done++;
    load.failed += !c->good;
}

/* What has come; true: the reply is whole. */
static bool take(client *c) {
    static char dropped[1 << 18];
    bool in_head = c->left < 0;
    char *to = in_head ? c->head + c->length : dropped;
    ssize_t n = recv(c->fd, to, in_head ? HEAD - c->length : sizeof dropped, 0);
    if (n <= 0)
        die("the connection was cut off");
    if (in_head) {
        c->length += (size_t)n;
        c->head[c->length] = 0;
        const char *end = strstr(c->head, "\r\n\r\n");
        if (!end)
            return false;
        read_head(c, end);
    } else {
        c->left -= n;
    }
    return c->left <= 0;
}

static int ascending(const void *a, const void *b) {
    const float *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void report(double seconds) {
    size_t n = load.done < LATENCIES ? (size_t)load.done : LATENCIES;
    qsort(load.latencies, n, sizeof *load.latencies, ascending);
    printf("%llu %llu %.6f %.1f %.1f %.1f\n", load.done, load.failed, seconds,
           n ? (double)load.latencies[n / 2] : 0, n ? (double)load.latencies[n - 1 - n / 100] : 0,
           n ? (double)load.latencies[n - 1] : 0);
}

/* As many descriptors as may be. */
static void allow_descriptors(void) {
    struct rlimit most;
    if (getrlimit(RLIMIT_NOFILE, &most) == 0) {
        most.rlim_cur = most.rlim_max;
        setrlimit(RLIMIT_NOFILE, &most);
    }
}

int main(int argc, char **argv) {
    static client clients[MOST];
    struct epoll_event events[MOST];
    if (argc < 6)
        return 2;
    int count = atoi(argv[3]), poll = epoll_create1(0);
    double seconds = atof(argv[4]);
    load.target = argv[5];
    load.latencies = malloc(LATENCIES * sizeof *load.latencies);
    load.server = (struct sockaddr_in){.sin_family = AF_INET,
                                       .sin_port = htons((unsigned short)atoi(argv[2]))};
    load.source = (struct sockaddr_in){.sin_family = AF_INET};
    if (count < 1 || count > MOST || !load.latencies ||
        inet_pton(AF_INET, argv[1], &load.server.sin_addr) != 1 ||
        inet_pton(AF_INET, argc > 6 ? argv[6] : "127.0.0.1", &load.source.sin_addr) != 1)
        return 2;
    allow_descriptors();
    for (int i = 0; i < count; i++) {
        open_client(&clients[i]);
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = &clients[i]};
        epoll_ctl(poll, EPOLL_CTL_ADD, clients[i].fd, &e);
        ask(&clients[i]);
    }
    double start = now(), end = start + seconds;
    for (int busy = count; busy > 0;) {
        int ready = epoll_wait(poll, events, MOST, -1);
        for (int i = 0; i < ready; i++) {
            client *c = events[i].data.ptr;
            if (!take(c))
                continue;
            finish(c);
            if (now() < end)
                ask(c);
            else
                busy--;
        }
    }
    report(now() - start);
    return 0;
}
