#include "loopback.h"

#include "http/connection.h"

typedef struct seen {
    int fd;
    void *session;
    sa_family_t family;
    char peer[CONNECTION_PEER], peer_of_socket[CONNECTION_PEER];
} seen;

static enum MHD_Result look(void *of, struct MHD_Connection *connection) {
    seen *s = of;
    s->fd = connection_socket(connection);
    s->session = connection_session(connection);
    s->family = connection_address(connection)->sa_family;
    connection_peer(connection, s->peer);
    connection_peer_of_socket(s->fd, s->peer_of_socket);
    return loopback_reply_empty(connection);
}

static void the_peer_is_the_same_by_connection_and_by_socket(void **state) {
    (void)state;
    char text[1024];
    seen s = {.fd = -1, .session = &s};
    const loopback l = {.reply = look, .user = &s};
    assert_int_equal(loopback_ask(&l, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                                  text, sizeof text),
                     204);
    assert_true(s.fd >= 0);
    assert_null(s.session);
    assert_int_equal(s.family, AF_INET);
    assert_string_equal(s.peer, "127.0.0.1");
    assert_string_equal(s.peer_of_socket, "127.0.0.1");
}

static void the_peer_of_a_closed_socket_is_a_dash(void **state) {
    (void)state;
    char peer[CONNECTION_PEER] = "";
    connection_peer_of_socket(-1, peer);
    assert_string_equal(peer, "-");
}

RUN(T(the_peer_is_the_same_by_connection_and_by_socket), T(the_peer_of_a_closed_socket_is_a_dash))
