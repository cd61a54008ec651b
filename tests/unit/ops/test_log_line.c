#include "unit.h"

#include "ops/log_line.h"

#include <stdio.h>
#include <time.h>

static size_t render(log_kind kind, const log_entry *changed, char out[LOG_LINE + 1]) {
    trace t = {.id = "me"};
    log_entry e = *changed;
    if (e.trace)
        t = *e.trace;
    clock_gettime(CLOCK_MONOTONIC, &t.begun);
    e.trace = &t;
    e.method = "GET";
    e.route = "/v1/masks";
    e.peer = e.peer ? e.peer : "::1";
    e.format = "npy";
    size_t length = log_render(kind, &e, out);
    out[length] = 0;
    return length;
}

static void a_json_line_has_every_field_in_order(void **state) {
    (void)state;
    char line[LOG_LINE + 1];
    render(LOG_JSON,
           &(log_entry){
               .target = "/", .client = "alice", .reason = "queue", .status = 503, .bytes = 12},
           line);
    static const char *const fields[] = {"{\"time\":\"20",
                                         "\"id\":\"me\"",
                                         "\"peer\":\"::1\"",
                                         "\"client\":\"alice\"",
                                         "\"method\":\"GET\"",
                                         "\"target\":\"/\"",
                                         "\"route\":\"/v1/masks\"",
                                         "\"format\":\"npy\"",
                                         "\"reason\":\"queue\"",
                                         "\"status\":503,\"bytes\":12,\"ms\":",
                                         "}\n"};
    const char *at = line;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        at = strstr(at, fields[i]);
        assert_non_null(at);
    }
}

/* Threads keep the text of a second, so lines of two seconds at least are looked at. */
static void a_line_has_the_time_at_which_it_is_rendered(void **state) {
    (void)state;
    const time_t first = time(NULL);
    for (unsigned lines = 0; lines < 2 || time(NULL) < first + 2; lines++) {
        char line[LOG_LINE + 1];
        struct timespec before, after;
        struct tm t = {0};
        unsigned milliseconds;
        clock_gettime(CLOCK_REALTIME, &before);
        render(LOG_TEXT, &(log_entry){.target = "/", .client = ""}, line);
        clock_gettime(CLOCK_REALTIME, &after);
        const char *rest = strptime(line, "%Y-%m-%dT%H:%M:%S", &t);
        assert_non_null(rest);
        assert_int_equal(sscanf(rest, ".%3uZ ", &milliseconds), 1);
        int64_t told = 1000 * (int64_t)timegm(&t) + milliseconds;
        assert_true(told >= 1000 * (int64_t)before.tv_sec + before.tv_nsec / 1000000);
        assert_true(told <= 1000 * (int64_t)after.tv_sec + after.tv_nsec / 1000000);
    }
}

static void a_line_of_text_names_client_and_peer(void **state) {
    (void)state;
    char line[LOG_LINE + 1];
    render(LOG_TEXT, &(log_entry){.target = "/a b", .client = "alice", .status = 200}, line);
    assert_non_null(strstr(line, "Z alice@::1 me GET /a b 200 0 bytes "));
    render(LOG_TEXT, &(log_entry){.target = "/", .client = "", .status = 200}, line);
    assert_non_null(strstr(line, "Z ::1 me GET / 200 0 bytes "));
}

/* Of 63, 45 and 64 characters: else a client could keep its requests out of the log. */
static void the_longest_client_peer_and_id_are_logged(void **state) {
    (void)state;
    char line[LOG_LINE + 1], client[64] = "", expected[256];
    const char *peer = "1111:2222:3333:4444:5555:6666:111.122.133.144";
    trace t;
    memset(client, 'c', 63);
    memset(t.id, 'i', TRACE_ID);
    t.id[TRACE_ID] = t.parent[0] = 0;
    const log_entry e = {.trace = &t, .target = "/", .client = client, .peer = peer, .status = 200};
    for (log_kind kind = LOG_JSON; kind <= LOG_TEXT; kind++)
        assert_true(render(kind, &e, line) > 172);
    snprintf(expected, sizeof expected, "Z %s@%s %s GET / 200 0 bytes ", client, peer, t.id);
    assert_non_null(strstr(line, expected));
}

static void a_request_cannot_forge_a_line(void **state) {
    (void)state;
    char line[LOG_LINE + 1];
    for (log_kind kind = LOG_JSON; kind <= LOG_TEXT; kind++) {
        render(kind, &(log_entry){.target = "/\n\"\x1b\\\xff", .client = "", .status = 200}, line);
        assert_non_null(strstr(line, "/\\u000a\\u0022\\u001b\\u005c\\u00ff"));
        assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
    }
}

static void a_line_that_does_not_fit_is_empty(void **state) {
    (void)state;
    char line[LOG_LINE + 1], target[LOG_LINE + 1];
    memset(target, 'a', LOG_LINE);
    target[LOG_LINE] = 0;
    assert_int_equal(render(LOG_JSON, &(log_entry){.target = target, .client = ""}, line), 0);
    target[LOG_LINE - 400] = 0;
    assert_true(render(LOG_JSON, &(log_entry){.target = target, .client = ""}, line) > 0);
}

RUN(T(a_json_line_has_every_field_in_order), T(a_line_has_the_time_at_which_it_is_rendered),
    T(a_line_of_text_names_client_and_peer), T(the_longest_client_peer_and_id_are_logged),
    T(a_request_cannot_forge_a_line), T(a_line_that_does_not_fit_is_empty))
