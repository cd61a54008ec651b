/* Which work a request needs. */
#include "served.h"

#define MASKS "/v1/masks.npy?shape=64x64&n=4"

static void tag_of(const served *f, const char *target, char *out, size_t room) {
    static char text[200000];
    assert_int_equal(served_get(f, target, text, sizeof text), 200);
    const char *at = strstr(text, "\r\nETag: ");
    assert_non_null(at);
    snprintf(out, room, "%.*s", (int)strcspn(at + 8, "\r"), at + 8);
}

/* Eight jobs are in the queue, which has room for eight, and none of them ends. */
static void fill_queue(served *f, int fds[8]) {
    unit_gate_set(f->gate, true);
    for (int i = 0; i < 8; i++)
        fds[i] = served_ask(f, MASKS);
    served_await(f, "fmixd_queue_jobs", 8);
}

static void empty_queue(served *f, const int fds[8]) {
    static char text[200000];
    unit_gate_set(f->gate, false);
    for (int i = 0; i < 8; i++)
        assert_int_equal(loopback_receive(fds[i], text, sizeof text), 200);
}

static void a_304_needs_no_place_in_the_queue(void **state) {
    served *f = *state;
    char tag[100], request[400], text[8192];
    int fds[8];
    tag_of(f, MASKS, tag, sizeof tag);
    fill_queue(f, fds);
    snprintf(request, sizeof request,
             "GET " MASKS " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nIf-None-Match: %s\r\n\r\n",
             tag);
    assert_int_equal(served_exchange(f, request, text, sizeof text), 304);
    empty_queue(f, fds);
}

static void head_needs_no_place_in_the_queue(void **state) {
    served *f = *state;
    char text[8192];
    int fds[8];
    fill_queue(f, fds);
    assert_int_equal(
        served_exchange(f, "HEAD " MASKS " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", text,
                        sizeof text),
        200);
    empty_queue(f, fds);
}

static void a_failed_condition_needs_no_place_in_the_queue(void **state) {
    served *f = *state;
    char text[8192];
    int fds[8];
    fill_queue(f, fds);
    assert_int_equal(served_exchange(f,
                                     "GET " MASKS " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                     "If-Match: \"other\"\r\n\r\n",
                                     text, sizeof text),
                     412);
    empty_queue(f, fds);
}

/* Eight bytes whose header is small, so that to read them takes next to no time. */
static void a_quick_handler_runs_while_every_compute_thread_is_held(void **state) {
    static const char request[] =
        "POST /v1/mix.npy?method=none&x_shape=2x4&x_dtype=f16 HTTP/1.1\r\nHost: x\r\n"
        "Connection: close\r\nContent-Type: application/octet-stream\r\nContent-Length: 8\r\n\r\n"
        "01234567";
    served *f = *state;
    char text[200000];
    int fds[SERVED_THREADS];
    served_hold(f, fds);
    /* x_shape asks for 16 bytes: the handler finds that out here, without a thread. */
    assert_int_equal(served_exchange(f, request, text, sizeof text), 400);
    unit_gate_set(f->gate, false);
    for (int i = 0; i < SERVED_THREADS; i++)
        assert_int_equal(loopback_receive(fds[i], text, sizeof text), 200);
}

/* The same refusal, of a header so long that to read it is work. */
static void a_slow_handler_waits_for_a_compute_thread(void **state) {
    enum { HEADER = 300000 };
    served *f = *state;
    static char request[HEADER + 1000];
    char text[8192];
    int n = snprintf(request, sizeof request,
                     "POST /v1/mix.npy?method=none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                     "Content-Type: application/x-safetensors\r\nContent-Length: %d\r\n\r\n",
                     8 + HEADER);
    memset(request + n, ' ', 8 + HEADER);
    memset(request + n, 0, 8);
    request[n] = (char)(HEADER & 0xff);
    request[n + 1] = (char)(HEADER >> 8 & 0xff);
    request[n + 2] = (char)(HEADER >> 16);
    request[n + 8] = '{';
    request[n + 9] = '}';
    unit_gate_set(f->gate, true);
    int fd = served_send(f, request, (size_t)n + 8 + HEADER);
    unit_gate_await(f->gate, 1);
    served_await(f, "fmixd_queue_jobs", 1);
    unit_gate_set(f->gate, false);
    assert_int_equal(loopback_receive(fd, text, sizeof text), 400);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(a_304_needs_no_place_in_the_queue),
        T(head_needs_no_place_in_the_queue),
        T(a_failed_condition_needs_no_place_in_the_queue),
        T(a_quick_handler_runs_while_every_compute_thread_is_held),
        T(a_slow_handler_waits_for_a_compute_thread),
    };
    return cmocka_run_group_tests(tests, served_start, served_stop);
}
