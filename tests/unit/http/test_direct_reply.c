#include "loopback.h"

#include "http/direct_reply.h"

/* All bytes that are written to a socket. */
static void write_reply(const identity *client, const problem *p, bool has_body, char *out,
                        size_t room) {
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    direct_reply_send(fds[0], NULL, client, p, has_body);
    close(fds[0]);
    loopback_receive(fds[1], out, room);
}

static problem too_large(void) {
    problem p = {0};
    problem_add(&p, 413, "body", "the body has 7 bytes");
    return p;
}

static void a_direct_reply_is_a_whole_problem_that_closes(void **state) {
    (void)state;
    char text[4096], length[40];
    const problem p = too_large();
    write_reply(NULL, &p, true, text, sizeof text);
    const char *end = strstr(text, "\r\n\r\n");
    assert_non_null(end);
    assert_memory_equal(text, "HTTP/1.1 413 ", 13);
    assert_non_null(strstr(text, "\r\nConnection: close\r\n"));
    assert_non_null(strstr(text, "\r\nX-Fmix-Stream: 1\r\n"));
    assert_non_null(strstr(text, "\r\nCache-Control: no-store\r\n"));
    assert_non_null(strstr(text, "\r\nContent-Type: application/problem+json\r\n"));
    assert_non_null(strstr(end, "\"the body has 7 bytes\""));
    snprintf(length, sizeof length, "\r\nContent-Length: %zu\r\n", strlen(end + 4));
    assert_non_null(strstr(text, length));
}

static void the_date_is_in_the_form_of_http(void **state) {
    (void)state;
    char text[4096], day[4], month[4], zone[4];
    int date, year, hour, minute, second;
    const problem p = too_large();
    write_reply(NULL, &p, true, text, sizeof text);
    const char *at = strstr(text, "\r\nDate: ");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "\r\nDate: %3s, %2d %3s %4d %2d:%2d:%2d %3s\r\n", day, &date, month,
                            &year, &hour, &minute, &second, zone),
                     8);
    assert_string_equal(zone, "GMT");
    assert_true(year >= 2020 && date >= 1 && date <= 31 && hour < 24);
}

static void a_direct_reply_to_head_has_the_length_alone(void **state) {
    (void)state;
    char whole[4096], head[4096];
    const problem p = too_large();
    write_reply(NULL, &p, true, whole, sizeof whole);
    write_reply(NULL, &p, false, head, sizeof head);
    const char *end = strstr(head, "\r\n\r\n");
    assert_non_null(end);
    assert_string_equal(end, "\r\n\r\n");
    const char *a = strstr(whole, "Content-Length: "), *b = strstr(head, "Content-Length: ");
    assert_int_equal(atoi(a + 16), atoi(b + 16));
    assert_true(atoi(b + 16) > 0);
}

static void a_page_of_another_origin_may_read_a_direct_reply(void **state) {
    (void)state;
    char text[4096];
    const problem p = too_large();
    identity client = {.cors = {.count = 1}};
    client.cors.headers[0].name = "Access-Control-Allow-Origin";
    client.cors.headers[0].value = "https://a.example";
    write_reply(&client, &p, true, text, sizeof text);
    assert_non_null(strstr(text, "\r\nAccess-Control-Allow-Origin: https://a.example\r\n"));
}

/* A client that does not read must not hold the thread that refuses it. */
static void a_full_socket_does_not_hold_a_direct_reply(void **state) {
    (void)state;
    static const char bytes[1 << 16];
    const problem p = too_large();
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    while (send(fds[0], bytes, sizeof bytes, MSG_DONTWAIT) > 0)
        ;
    direct_reply_send(fds[0], NULL, NULL, &p, true);
    close(fds[0]);
    close(fds[1]);
}

RUN(T(a_direct_reply_is_a_whole_problem_that_closes), T(the_date_is_in_the_form_of_http),
    T(a_direct_reply_to_head_has_the_length_alone),
    T(a_page_of_another_origin_may_read_a_direct_reply),
    T(a_full_socket_does_not_hold_a_direct_reply))
