#include "unit.h"

#include "ops/healthcheck.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* A server for one connection: it takes the request, then sends `answer` in pieces. */
typedef struct server {
    const char *answer; /* NULL: nothing, the connection stays open */
    size_t piece;       /* bytes at a time; 0: all at once */
    long pause;         /* nanoseconds after each piece */
    int listener;
    char request[512], address[32];
    pthread_t thread;
} server;

static void send_pieces(const server *s, int fd) {
    const struct timespec pause = {.tv_nsec = s->pause};
    size_t left = strlen(s->answer), piece = s->piece ? s->piece : left;
    for (const char *at = s->answer; left; at += piece, left -= piece) {
        piece = piece < left ? piece : left;
        if (send(fd, at, piece, MSG_NOSIGNAL) < 0)
            return;
        nanosleep(&pause, NULL);
    }
}

/* To the empty line, or the end of the connection. */
static void receive_request(server *s, int fd) {
    size_t got = 0;
    ssize_t n = 1;
    while (n > 0 && got + 1 < sizeof s->request && !strstr(s->request, "\r\n\r\n")) {
        n = recv(fd, s->request + got, sizeof s->request - 1 - got, 0);
        got += n > 0 ? (size_t)n : 0;
    }
}

static void *serve(void *of) {
    server *s = of;
    char rest;
    int fd = accept(s->listener, NULL, NULL);
    receive_request(s, fd);
    if (s->answer)
        send_pieces(s, fd);
    else
        recv(fd, &rest, 1, 0); /* until the check gives up */
    close(fd);
    return NULL;
}

/* Binds to a port that the system picks. */
static void open_listener(server *s, const char *ip, const char *asked) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    inet_pton(AF_INET, ip, &address.sin_addr);
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(s->listener, 1), 0);
    getsockname(s->listener, (struct sockaddr *)&address, &size);
    snprintf(s->address, sizeof s->address, "%s:%u", asked, ntohs(address.sin_port));
}

static void start(server *s, const char *asked) {
    open_listener(s, "127.0.0.1", asked);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void stop(server *s) {
    pthread_join(s->thread, NULL);
    close(s->listener);
}

/* The result of the check, its message, and how long it took. */
typedef struct finding {
    bool alive;
    char said[200];
    double seconds;
} finding;

static finding check(const char *address) {
    finding f = {.said = ""};
    struct timespec before, after;
    FILE *errors = fmemopen(f.said, sizeof f.said, "w");
    clock_gettime(CLOCK_MONOTONIC, &before);
    f.alive = healthcheck_run(address, false, errors);
    clock_gettime(CLOCK_MONOTONIC, &after);
    fclose(errors);
    f.seconds =
        (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) * 1e-9;
    return f;
}

static finding check_answer(server *s, const char *answer) {
    s->answer = answer;
    start(s, "127.0.0.1");
    finding f = check(s->address);
    stop(s);
    return f;
}

/* The check has two seconds, in which a busy machine need not come to the server's answer. */
static finding check_until_alive(server *s, const server *like, const char *asked) {
    finding f;
    for (int left = 60; left; left--) {
        *s = *like;
        start(s, asked);
        f = check(s->address);
        stop(s);
        if (f.alive)
            break;
    }
    assert_true(f.alive);
    return f;
}

static void a_200_of_livez_is_alive(void **state) {
    (void)state;
    server s;
    const server like = {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nalive\n"};
    finding f = check_until_alive(&s, &like, "127.0.0.1");
    assert_string_equal(f.said, "");
    assert_memory_equal(s.request, "GET /livez HTTP/1.1\r\nHost: ", 27);
    assert_non_null(strstr(s.request, "\r\n\r\n"));
}

static void a_200_in_pieces_is_alive(void **state) {
    (void)state;
    server s;
    const server like = {.answer = "HTTP/1.1 200 OK\r\n\r\n", .piece = 1, .pause = 1000000};
    check_until_alive(&s, &like, "127.0.0.1");
}

static void anything_else_is_not(void **state) {
    (void)state;
    static const char *const answers[] = {
        "HTTP/1.1 503 Service Unavailable\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 20",
        "HTTP/1.1 200",
        "garbage that is long enough to be a status line\r\n",
        "HTTP/1.1 503 HTTP/1.1 200 \r\n",
        "",
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        server s = {0};
        finding f = check_answer(&s, answers[i]);
        assert_false(f.alive);
        assert_non_null(strstr(f.said, s.address));
    }
}

static void a_port_without_a_listener_is_not_alive(void **state) {
    (void)state;
    server s = {0};
    open_listener(&s, "127.0.0.1", "127.0.0.1");
    close(s.listener);
    finding f = check(s.address);
    assert_false(f.alive);
    assert_non_null(strstr(f.said, "cannot connect"));
    assert_false(check("no address").alive);
}

static void the_wildcard_means_this_machine(void **state) {
    (void)state;
    server s;
    const server like = {.answer = "HTTP/1.1 200 OK\r\n\r\n"};
    check_until_alive(&s, &like, "0.0.0.0");
}

static void *check_on_its_own(void *of) {
    server *s = of;
    finding *f = malloc(sizeof *f);
    *f = check(s->address);
    return f;
}

/* One server does not answer, and one sends 200 too slowly. The check waits two seconds for each,
 * and fails. */
static void the_check_gives_up_after_two_seconds(void **state) {
    (void)state;
    server slow[2] = {{.answer = NULL},
                      {.answer = "HTTP/1.1 200 OK\r\n\r\n", .piece = 1, .pause = 225000000}};
    pthread_t checks[2];
    finding *found[2];
    for (int i = 0; i < 2; i++) {
        start(&slow[i], "127.0.0.1");
        assert_int_equal(pthread_create(&checks[i], NULL, check_on_its_own, &slow[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(checks[i], (void **)&found[i]);
        stop(&slow[i]);
    }
    for (int i = 0; i < 2; i++) {
        assert_false(found[i]->alive);
        assert_true(found[i]->seconds > 1.9);
        free(found[i]);
    }
}

RUN(T(a_200_of_livez_is_alive), T(a_200_in_pieces_is_alive), T(anything_else_is_not),
    T(a_port_without_a_listener_is_not_alive), T(the_wildcard_means_this_machine),
    T(the_check_gives_up_after_two_seconds))
