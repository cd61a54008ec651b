/*
 * loopback.h - a client on the loopback interface, and libmicrohttpd in the test's own process
 */
#ifndef LOOPBACK_H
#define LOOPBACK_H

#include "unit.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOOPBACK_SECONDS 120 /* that only a test that fails waits for */

/* A socket that has sent these bytes to a port. */
static inline int loopback_send(uint16_t port, const char *bytes, size_t length) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval limit = {.tv_sec = LOOPBACK_SECONDS};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(send(fd, bytes, length, MSG_NOSIGNAL), length);
    return fd;
}

/* Everything up to the end of the connection, as text; the status of the first reply, or 0. */
static inline int loopback_receive(int fd, char *out, size_t room) {
    size_t got = 0;
    ssize_t n;
    while (got + 1 < room && (n = recv(fd, out + got, room - got - 1, 0)) > 0)
        got += (size_t)n;
    out[got] = 0;
    close(fd);
    return got > 12 ? atoi(out + 9) : 0;
}

typedef struct loopback_line {
    const char *method, *path, *version; /* where the library has put them */
} loopback_line;

/* What a test does with a request whose head and body have come. The reply is called on the
 * library's thread, where cmocka must not fail: it notes what it sees, and the test asserts after
 * loopback_ask. */
typedef struct loopback {
    enum MHD_Result (*reply)(void *user, struct MHD_Connection *connection);
    /* NULL: nothing is done. */
    void (*head)(void *user, struct MHD_Connection *connection, const loopback_line *line);
    void *user;
} loopback;

static inline enum MHD_Result loopback_handle(void *of, struct MHD_Connection *connection,
                                              const char *path, const char *method,
                                              const char *version, const char *body, size_t *length,
                                              void **state) {
    const loopback *l = of;
    const loopback_line line = {method, path, version};
    (void)body;
    if (!*state) {
        *state = of;
        if (l->head)
            l->head(l->user, connection, &line);
        return MHD_YES;
    }
    if (*length) {
        *length = 0;
        return MHD_YES;
    }
    return l->reply(l->user, connection);
}

/* Sends one request, which must ask for Connection: close. The reply's status. */
static inline int loopback_ask(const loopback *l, const char *request, char *out, size_t room) {
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_Daemon *d = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, loopback_handle, (void *)(uintptr_t)l,
        MHD_OPTION_SOCK_ADDR, (const struct sockaddr *)&address, MHD_OPTION_END);
    assert_non_null(d);
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT);
    int status = loopback_receive(loopback_send(info->port, request, strlen(request)), out, room);
    MHD_stop_daemon(d);
    return status;
}

/* A reply that says nothing, for tests of what a request holds. */
static inline enum MHD_Result loopback_reply_empty(struct MHD_Connection *connection) {
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result = MHD_queue_response(connection, 204, response);
    MHD_destroy_response(response);
    return result;
}

#endif
