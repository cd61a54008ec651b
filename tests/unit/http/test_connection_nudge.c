#include "unit.h"

#include "http/connection_monitor.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Waits for edges of a socket of which nothing is read, as libmicrohttpd does. */
static void await_edges(int fd, int edges) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    int poll = epoll_create1(0);
    assert_int_equal(epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event), 0);
    while (edges--)
        assert_int_equal(epoll_wait(poll, &event, 1, 120000), 1);
    close(poll);
}

/* The monitor shuts down few sockets under one hold of its lock; the last of these comes after all
 * others. One edge is the hang-up's, one may be the first nudge's. */
static void edges_come_also_behind_many_clients_that_left(void **state) {
    (void)state;
    enum { CLIENTS = 200 };
    const connection_limits limits = {0};
    connection_monitor *m = connection_monitor_new(&limits);
    int ends[CLIENTS][2];
    assert_non_null(m);
    for (int i = 0; i < CLIENTS; i++) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends[i]), 0);
        connection_monitor_open(m, ends[i][0]);
        shutdown(ends[i][1], SHUT_WR);
    }
    await_edges(ends[0][0], 4);
    await_edges(ends[CLIENTS - 1][0], 4);
    for (int i = 0; i < CLIENTS; i++) {
        connection_monitor_close(m, ends[i][0]);
        close(ends[i][0]);
        close(ends[i][1]);
    }
    connection_monitor_free(m);
}

RUN(T(edges_come_also_behind_many_clients_that_left))
