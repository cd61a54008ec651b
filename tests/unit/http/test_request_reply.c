/* Which reply a request gets, once its work is done. */
#include "served.h"

#define MASKS "/v1/masks.npy?shape=8x8&n=1&dtype=u8"

static int ask(const served *f, const char *method, const char *target, const char *fields,
               char *out, size_t room) {
    char request[1024];
    snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n",
             method, target, fields);
    return served_exchange(f, request, out, room);
}

static unsigned long length_of(const char *reply) {
    const char *at = strstr(reply, "\r\nContent-Length: ");
    assert_non_null(at);
    return strtoul(at + 18, NULL, 10);
}

static void head_has_the_fields_of_get_and_no_body(void **state) {
    char get[8192], head[8192];
    assert_int_equal(ask(*state, "GET", MASKS, "", get, sizeof get), 200);
    assert_int_equal(ask(*state, "HEAD", MASKS, "", head, sizeof head), 200);
    assert_true(length_of(get) > 64 && length_of(head) == length_of(get));
    assert_string_equal(strstr(head, "\r\n\r\n"), "\r\n\r\n");
}

static void options_is_204_with_the_methods_of_the_path(void **state) {
    char text[8192];
    assert_int_equal(ask(*state, "OPTIONS", MASKS, "", text, sizeof text), 204);
    assert_non_null(strstr(text, "\r\nAllow: GET, HEAD"));
    assert_int_equal(ask(*state, "OPTIONS", "/v1/mix", "", text, sizeof text), 204);
    assert_non_null(strstr(text, "\r\nAllow: POST"));
    assert_int_equal(ask(*state, "OPTIONS", "/v1/nothing", "", text, sizeof text), 404);
}

static void a_part_is_206_and_past_the_end_416(void **state) {
    char text[8192];
    assert_int_equal(ask(*state, "GET", MASKS, "Range: bytes=1-5\r\n", text, sizeof text), 206);
    assert_non_null(strstr(text, "\r\n\r\nNUMPY"));
    assert_int_equal(ask(*state, "GET", MASKS, "Range: bytes=99999-\r\n", text, sizeof text), 416);
    assert_non_null(strstr(text, "\r\nContent-Range: bytes */"));
}

static void a_failed_if_match_is_412_that_tells_the_etag(void **state) {
    char text[8192], tag[100];
    assert_int_equal(ask(*state, "HEAD", MASKS, "", text, sizeof text), 200);
    const char *at = strstr(text, "\r\nETag: \"");
    assert_non_null(at);
    snprintf(tag, sizeof tag, "%.*s", (int)strcspn(at + 9, "\""), at + 9);
    assert_int_equal(ask(*state, "GET", MASKS, "If-Match: \"other\"\r\n", text, sizeof text), 412);
    assert_non_null(strstr(strstr(text, "\r\n\r\n"), tag));
}

/* RFC 9110 §13.2.1. */
static void a_condition_does_not_hide_an_error(void **state) {
    char text[8192];
    assert_int_equal(
        ask(*state, "GET", "/v1/masks?n=x", "If-Match: \"other\"\r\n", text, sizeof text), 400);
    assert_int_equal(ask(*state, "GET", "/livez", "If-Match: \"other\"\r\n", text, sizeof text),
                     412);
}

static void the_format_of_accept_is_in_vary_and_of_a_suffix_not(void **state) {
    char text[8192];
    assert_int_equal(ask(*state, "GET", "/v1/masks?shape=8x8&n=1", "", text, sizeof text), 200);
    assert_non_null(strstr(text, "\r\nVary: Accept\r\n"));
    assert_int_equal(ask(*state, "GET", MASKS, "", text, sizeof text), 200);
    assert_null(strstr(text, "\r\nVary:"));
}

static void a_draining_daemon_closes_after_each_reply(void **state) {
    served *f = *state;
    char text[8192];
    fmixd_drain(f->daemon);
    assert_int_equal(
        served_exchange(f, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", text, sizeof text), 200);
    assert_non_null(strstr(text, "\r\nConnection: close\r\n"));
    assert_int_equal(served_stop(state), 0);
    assert_int_equal(served_start(state), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(head_has_the_fields_of_get_and_no_body),
        T(options_is_204_with_the_methods_of_the_path),
        T(a_part_is_206_and_past_the_end_416),
        T(a_failed_if_match_is_412_that_tells_the_etag),
        T(a_condition_does_not_hide_an_error),
        T(the_format_of_accept_is_in_vary_and_of_a_suffix_not),
        T(a_draining_daemon_closes_after_each_reply),
    };
    return cmocka_run_group_tests(tests, served_start, served_stop);
}
