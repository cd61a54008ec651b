#include "loopback.h"

#include "http/http_hooks.h"
#include "http/http_state.h"

/* A daemon without requests, and both ends of a connection that it does not know. */
typedef struct fixture {
    config config;
    http_state http;
    int ours, theirs, log[2];
    char text[4096];
} fixture;

static fixture f;

static void begin(void) {
    int ends[2];
    f = (fixture){.config = {.head = 11, .upload = 22}};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(pipe(f.log), 0);
    f.ours = ends[0];
    f.theirs = ends[1];
    f.http.server.config = &f.config;
    f.http.server.log = log_new(f.log[1], LOG_TEXT);
    metrics_init(&f.http.server.metrics);
    inflight_init(&f.http.inflight);
    f.http.lingering = lingering_close_new(1 << 20, 10000);
    assert_true(f.http.server.log && f.http.lingering);
}

/* The status that the client received, or 0. */
static int end(void) {
    lingering_close_free(f.http.lingering);
    inflight_destroy(&f.http.inflight);
    log_free(f.http.server.log);
    metrics_destroy(&f.http.server.metrics);
    close(f.log[0]);
    close(f.log[1]);
    close(f.ours);
    return loopback_receive(f.theirs, f.text, sizeof f.text);
}

static void a_late_request_is_408_that_names_the_part_and_the_limit(void **state) {
    (void)state;
    begin();
    http_hooks_late(&f.http, f.ours, CONNECTION_HEAD);
    assert_int_equal(end(), 408);
    assert_non_null(strstr(f.text, "head"));
    assert_non_null(strstr(f.text, "11 s"));
    begin();
    http_hooks_late(&f.http, f.ours, CONNECTION_BODY);
    assert_int_equal(end(), 408);
    assert_non_null(strstr(f.text, "body"));
    assert_non_null(strstr(f.text, "22 s"));
}

static void an_idle_connection_and_a_slow_reader_are_not_told(void **state) {
    (void)state;
    begin();
    http_hooks_late(&f.http, f.ours, CONNECTION_IDLE);
    http_hooks_late(&f.http, f.ours, CONNECTION_REPLY);
    assert_int_equal(end(), 0);
    assert_string_equal(f.text, "");
}

static void plain_text_is_not_written_into_an_encrypted_connection(void **state) {
    (void)state;
    begin();
    strcpy(f.config.tls_cert, "cert.pem");
    http_hooks_late(&f.http, f.ours, CONNECTION_HEAD);
    assert_int_equal(end(), 0);
    assert_string_equal(f.text, "");
}

static void a_page_before_any_request_is_replaced_and_logged(void **state) {
    (void)state;
    char line[LOG_LINE] = "";
    const send_page page = {.status = 414, .body = true};
    begin();
    assert_true(http_hooks_replace(&f.http, f.ours, NULL, &page));
    log_flush(f.http.server.log);
    assert_true(read(f.log[0], line, sizeof line - 1) > 0);
    assert_non_null(strstr(line, "414"));
    assert_int_equal(f.http.server.metrics.refused[REFUSAL_GUARD], 1);
    assert_int_equal(end(), 414);
    assert_non_null(strstr(f.text, "application/problem+json"));
}

static void a_page_to_head_is_replaced_without_a_body(void **state) {
    (void)state;
    const send_page page = {.status = 400};
    begin();
    assert_true(http_hooks_replace(&f.http, f.ours, NULL, &page));
    assert_int_equal(end(), 400);
    assert_string_equal(strstr(f.text, "\r\n\r\n"), "\r\n\r\n");
}

static void a_connection_without_a_request_is_not_sent_a_304(void **state) {
    (void)state;
    begin();
    assert_false(http_hooks_shorten(&f.http, f.ours));
    end();
}

RUN(T(a_late_request_is_408_that_names_the_part_and_the_limit),
    T(an_idle_connection_and_a_slow_reader_are_not_told),
    T(plain_text_is_not_written_into_an_encrypted_connection),
    T(a_page_before_any_request_is_replaced_and_logged),
    T(a_page_to_head_is_replaced_without_a_body),
    T(a_connection_without_a_request_is_not_sent_a_304))
