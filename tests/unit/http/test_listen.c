#include "unit.h"

#include "http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

/* A socket that clients can connect to. */
static int listening(char *address, size_t room) {
    int fd = listen_bind("127.0.0.1:0", address, room, stderr);
    assert_true(fd >= 0);
    assert_true(listen_begin(fd, address, stderr));
    return fd;
}

static void port_0_picks_one_and_says_which(void **state) {
    (void)state;
    char address[80];
    int fd = listen_bind("127.0.0.1:0", address, sizeof address, stderr);
    assert_true(fd >= 0);
    assert_memory_equal(address, "127.0.0.1:", 10);
    assert_in_range(atoi(address + 10), 1, 65535);
    close(fd);
}

/* Returns true if listening fails with a message that names the address. */
static bool fails_with_reason(const char *at) {
    char address[80], said[256] = "";
    FILE *errors = fmemopen(said, sizeof said, "w");
    int fd = listen_bind(at, address, sizeof address, errors);
    fclose(errors);
    return fd < 0 && strstr(said, "cannot listen on ") && strstr(said, at);
}

static void an_address_in_use_is_refused_with_its_name(void **state) {
    (void)state;
    char address[80];
    int fd = listening(address, sizeof address);
    assert_true(fails_with_reason(address));
    close(fd);
}

static void an_address_of_another_machine_is_refused(void **state) {
    (void)state;
    assert_true(fails_with_reason("192.0.2.1:0"));
}

/* A client that does not wait for its connection. */
static int knock(const char *address) {
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atoi(address + 10)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    connect(fd, (struct sockaddr *)&at, sizeof at);
    return fd;
}

static bool is_connected(int fd) {
    struct pollfd client = {.fd = fd, .events = POLLOUT};
    return poll(&client, 1, 0) == 1;
}

static void clients_are_refused_until_it_begins(void **state) {
    (void)state;
    char address[80];
    int fd = listen_bind("127.0.0.1:0", address, sizeof address, stderr), error = 0;
    int early = knock(address), late;
    UNIT_UNTIL(is_connected(early));
    assert_int_equal(getsockopt(early, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error}),
                     0);
    assert_int_equal(error, ECONNREFUSED);
    assert_true(listen_begin(fd, address, stderr));
    late = knock(address);
    UNIT_UNTIL(is_connected(late));
    assert_int_equal(send(late, "x", 1, MSG_NOSIGNAL), 1);
    close(early);
    close(late);
    close(fd);
}

static void one_of_two_that_begin_is_refused_with_the_address(void **state) {
    (void)state;
    char address[80], again[80], said[256] = "";
    int first = listen_bind("127.0.0.1:0", address, sizeof address, stderr);
    int second = listen_bind(address, again, sizeof again, stderr);
    assert_true(first >= 0 && second >= 0);
    assert_true(listen_begin(first, address, stderr));
    FILE *errors = fmemopen(said, sizeof said, "w");
    assert_false(listen_begin(second, again, errors));
    fclose(errors);
    assert_non_null(strstr(said, address));
    close(first);
    close(second);
}

static void a_shut_listener_accepts_its_backlog_and_admits_no_others(void **state) {
    (void)state;
    char address[80];
    struct sockaddr_storage peer;
    socklen_t size;
    int fd = listening(address, sizeof address), in[3], client;
    for (int i = 0; i < 3; i++) {
        in[i] = knock(address);
        UNIT_UNTIL(is_connected(in[i]));
    }
    listen_shut(fd);
    int late = knock(address);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(send(in[i], "x", 1, MSG_NOSIGNAL), 1);
        UNIT_UNTIL((client = listen_accept(fd, &peer, &size)) >= 0);
        assert_int_equal(peer.ss_family, AF_INET);
        char byte = 0;
        UNIT_UNTIL(recv(client, &byte, 1, MSG_DONTWAIT) == 1);
        close(client);
        close(in[i]);
    }
    assert_int_equal(listen_accept(fd, &peer, &size), -1);
    assert_false(is_connected(late));
    close(late);
    close(fd);
}

RUN(T(port_0_picks_one_and_says_which), T(an_address_in_use_is_refused_with_its_name),
    T(an_address_of_another_machine_is_refused), T(clients_are_refused_until_it_begins),
    T(one_of_two_that_begin_is_refused_with_the_address),
    T(a_shut_listener_accepts_its_backlog_and_admits_no_others))
