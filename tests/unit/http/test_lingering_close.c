#include "unit.h"

#include "http/lingering_close.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MUCH = 16 << 20, SECONDS = 60000 };

/* Two ends of a TCP connection. */
static void connect_pair(int ends[2]) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(ends[0], (struct sockaddr *)&address, sizeof address), 0);
    ends[1] = accept(listener, NULL, NULL);
    assert_true(ends[1] >= 0);
    close(listener);
}

/* A client whose server has refused the request and closed, without reading a byte. */
static int refused(lingering_close *d) {
    int ends[2];
    connect_pair(ends);
    assert_int_equal(send(ends[0], "x", 1, 0), 1);
    lingering_close_take(d, ends[1]);
    assert_int_equal(send(ends[1], "no", 2, 0), 2);
    shutdown(ends[1], SHUT_WR);
    close(ends[1]);
    return ends[0];
}

/* Returns true if so many bytes can be sent. */
static bool sends(int fd, size_t much) {
    static char bytes[1 << 16];
    while (much > 0) {
        ssize_t n = send(fd, bytes, much < sizeof bytes ? much : sizeof bytes, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        much -= (size_t)n;
    }
    return true;
}

/* A refused client whose bytes are read and dropped; -1: the client is cut off. */
static int heard(lingering_close *d) {
    int fd = refused(d);
    if (sends(fd, MUCH))
        return fd;
    close(fd);
    return -1;
}

static void a_client_that_sends_to_the_end_sees_the_refusal(void **state) {
    (void)state;
    lingering_close *d = lingering_close_new(2 * MUCH, SECONDS);
    char text[8] = "";
    int fd = refused(d);
    assert_true(sends(fd, MUCH));
    assert_int_equal(recv(fd, text, sizeof text, 0), 2);
    assert_string_equal(text, "no");
    assert_int_equal(recv(fd, text, sizeof text, 0), 0);
    close(fd);
    lingering_close_free(d);
}

static void a_client_that_sends_without_end_is_cut_off(void **state) {
    (void)state;
    lingering_close *d = lingering_close_new(1 << 20, SECONDS);
    int fd = refused(d);
    assert_false(sends(fd, (size_t)4 * MUCH)); /* more than the kernel buffers */
    close(fd);
    lingering_close_free(d);
}

static void a_client_that_does_not_close_is_cut_off(void **state) {
    (void)state;
    lingering_close *d = lingering_close_new(MUCH, 50);
    int fd = refused(d);
    UNIT_UNTIL(!sends(fd, 1));
    close(fd);
    lingering_close_free(d);
}

static void a_client_that_leaves_makes_room_for_another(void **state) {
    (void)state;
    lingering_close *d = lingering_close_new(2 * MUCH, SECONDS);
    int fds[LINGERING_CLOSE_PLACES];
    for (unsigned i = 0; i < LINGERING_CLOSE_PLACES; i++)
        fds[i] = refused(d);
    int late = refused(d);
    assert_false(sends(late, MUCH)); /* all places are taken */
    close(late);
    close(fds[0]);
    UNIT_UNTIL((fds[0] = heard(d)) >= 0);
    for (unsigned i = 0; i < LINGERING_CLOSE_PLACES; i++) {
        assert_true(sends(fds[i], 1));
        close(fds[i]);
    }
    lingering_close_free(d);
}

static void connections_that_are_open_at_the_end_are_closed(void **state) {
    (void)state;
    lingering_close *d = lingering_close_new(2 * MUCH, SECONDS);
    int fd = refused(d);
    lingering_close_free(d);
    UNIT_UNTIL(!sends(fd, 1));
    close(fd);
}

RUN(T(a_client_that_sends_to_the_end_sees_the_refusal),
    T(a_client_that_sends_without_end_is_cut_off), T(a_client_that_does_not_close_is_cut_off),
    T(a_client_that_leaves_makes_room_for_another),
    T(connections_that_are_open_at_the_end_are_closed))
