/* Refusals by the head alone, and their order. */
#include "served.h"

#include "access/auth.h"

/* The status of the reply to a request of these lines, and the reply. */
static int ask(const served *f, const char *head, char *out, size_t room) {
    char text[4096];
    snprintf(text, sizeof text, "%s\r\nHost: x\r\n\r\n", head);
    return served_exchange(f, text, out, room);
}

/* Each of these is wrong in several ways, and is refused for the first of them. */
static void the_first_thing_wrong_decides_the_status(void **state) {
    static const struct {
        const char *head;
        int status;
    } table[] = {
        {"POST /v1/nothing HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1", 400},
        {"POST /v1/nothing HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 9999999", 404},
        {"PUT /v1/mix?what=1 HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 9999999", 405},
        {"POST /v1/mix?what=1 HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 9999999", 400},
        {"POST /v1/mix HTTP/1.1\r\nAccept: text/html\r\nExpect: 100-continue\r\n"
         "Content-Length: 9999999",
         406},
        {"POST /v1/mix HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 9999999", 413},
        {"POST /v1/mix HTTP/1.1\r\nContent-Encoding: gzip\r\nExpect: 100-continue\r\n"
         "Content-Length: 9",
         415},
    };
    char text[8192];
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_int_equal(ask(*state, table[i].head, text, sizeof text), table[i].status);
}

/* 100 Continue would be the first reply. */
static void a_client_that_waits_for_100_is_refused_before_its_body(void **state) {
    char text[8192];
    assert_int_equal(ask(*state,
                         "POST /v1/mix?what=1 HTTP/1.1\r\nExpect: 100-continue\r\n"
                         "Content-Length: 32",
                         text, sizeof text),
                     400);
    assert_non_null(strstr(text, "\r\nConnection: close\r\n"));
    assert_null(strstr(text, " 100 "));
}

static void a_body_is_not_waited_for_while_the_queue_is_full(void **state) {
    served *f = *state;
    char text[8192];
    int fds[8];
    unit_gate_set(f->gate, true);
    for (int i = 0; i < 8; i++)
        fds[i] = served_ask(f, "/v1/masks.npy?shape=64x64&n=4");
    served_await(f, "fmixd_queue_jobs", 8);
    assert_int_equal(ask(f, "POST /v1/mix HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 9",
                         text, sizeof text),
                     503);
    assert_non_null(strstr(text, "\r\nRetry-After: "));
    unit_gate_set(f->gate, false);
    for (int i = 0; i < 8; i++)
        assert_int_equal(loopback_receive(fds[i], text, sizeof text), 200);
}

static void an_encoded_nul_or_slash_in_a_path_is_not_decoded(void **state) {
    char text[8192];
    assert_int_equal(ask(*state, "GET /livez%00 HTTP/1.1\r\nConnection: close", text, sizeof text),
                     400);
    assert_int_equal(
        ask(*state, "GET /v1%2Fmasks HTTP/1.1\r\nConnection: close", text, sizeof text), 404);
}

static void a_target_with_a_bad_escape_is_400_that_names_the_parameter(void **state) {
    char text[8192];
    assert_int_equal(
        ask(*state, "GET /v1/masks?n=%zz HTTP/1.1\r\nConnection: close", text, sizeof text), 400);
    assert_non_null(strstr(text, "\"parameter\": \"n\""));
}

/* Else a client without a token could tell what exists by the status. */
static void without_a_token_every_path_is_401(void **state) {
    static const char *const heads[] = {
        "GET /v1/masks HTTP/1.1\r\nConnection: close",
        "GET /v1/nothing HTTP/1.1\r\nConnection: close",
        "GET /v1/masks?n=%zz HTTP/1.1\r\nConnection: close",
        "PUT /v1/masks HTTP/1.1\r\nConnection: close",
        "POST /v1/mix HTTP/1.1\r\nContent-Length: 9999999",
    };
    char path[] = "/tmp/fmixd-tokens-XXXXXX", text[8192];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    assert_non_null(file);
    assert_true(auth_make("alice", file, stderr));
    assert_int_equal(fclose(file), 0);
    assert_int_equal(served_stop(state), 0);
    /* The token itself stands in the first line; in the file it is a comment. */
    file = fopen(path, "r+");
    fputc('#', file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(served_start_with(state, "100", "8", "600000", path), 0);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        assert_int_equal(ask(*state, heads[i], text, sizeof text), 401);
        assert_non_null(strstr(text, "\r\nWWW-Authenticate: Bearer"));
    }
    assert_int_equal(ask(*state, "GET /livez HTTP/1.1\r\nConnection: close", text, sizeof text),
                     200);
    unlink(path);
    assert_int_equal(served_stop(state), 0);
    assert_int_equal(served_start(state), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(the_first_thing_wrong_decides_the_status),
        T(a_client_that_waits_for_100_is_refused_before_its_body),
        T(a_body_is_not_waited_for_while_the_queue_is_full),
        T(an_encoded_nul_or_slash_in_a_path_is_not_decoded),
        T(a_target_with_a_bad_escape_is_400_that_names_the_parameter),
        T(without_a_token_every_path_is_401),
    };
    return cmocka_run_group_tests(tests, served_start, served_stop);
}
