#include "loopback.h"

#include "http/connection.h"

#include <arpa/inet.h>
#include <unistd.h>

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

static void an_ipv4_peer_is_printed_as_inet_ntop_does(void **state) {
    (void)state;
    static const uint32_t sources[] = {0x7f000001, 0x7f0a63ff, 0x7f6409c8, 0x7fff0a64, 0x7f01fe0b};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        char peer[CONNECTION_PEER], expected[INET_ADDRSTRLEN];
        struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(sources[i])};
        int client = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(bind(client, (struct sockaddr *)&source, sizeof source), 0);
        assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
        int accepted = accept(listener, NULL, NULL);
        connection_peer_of_socket(accepted, peer);
        assert_non_null(inet_ntop(AF_INET, &source.sin_addr, expected, sizeof expected));
        assert_string_equal(peer, expected);
        close(client);
        close(accepted);
    }
    close(listener);
}

static void the_peer_of_a_closed_socket_is_a_dash(void **state) {
    (void)state;
    char peer[CONNECTION_PEER] = "";
    connection_peer_of_socket(-1, peer);
    assert_string_equal(peer, "-");
}

RUN(T(the_peer_is_the_same_by_connection_and_by_socket),
    T(an_ipv4_peer_is_printed_as_inet_ntop_does), T(the_peer_of_a_closed_socket_is_a_dash))
