#include "served.h"

#include <pthread.h>
#include <time.h>

static void health_and_metrics_answer_while_every_compute_thread_is_blocked(void **state) {
    served *f = *state;
    char text[32768];
    int fds[SERVED_THREADS];
    served_hold(f, fds);
    assert_int_equal(served_get(f, "/livez", text, sizeof text), 200);
    assert_int_equal(served_get(f, "/readyz", text, sizeof text), 200);
    served_await(f, "fmixd_slices_running", SERVED_THREADS);
    assert_int_equal(served_get(f, "/v1/masks?shape=oops", text, sizeof text), 400);
    unit_gate_set(f->gate, false);
    for (int i = 0; i < SERVED_THREADS; i++)
        assert_int_equal(loopback_receive(fds[i], text, sizeof text), 200);
}

/* Of eight bytes, with blanks in its header that make its reading long. */
static int send_upload(const served *f) {
    static const char fields[] =
        "{\"x\":{\"dtype\":\"U8\",\"shape\":[2,4],\"data_offsets\":[0,8]}}";
    enum { HEADER = 4096 };
    char text[HEADER + 512];
    int n = snprintf(text, sizeof text,
                     "POST /v1/mix.npy?method=none HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
                     "Content-Type: application/x-safetensors\r\nContent-Length: %d\r\n\r\n",
                     8 + HEADER + 8);
    char *body = text + n;
    memset(body, 0, 8 + HEADER + 8);
    body[1] = HEADER >> 8;
    memset(body + 8, ' ', HEADER);
    memcpy(body + 8, fields, sizeof fields - 1);
    return served_send(f, text, (size_t)n + 8 + HEADER + 8);
}

static void health_answers_while_uploads_are_handled(void **state) {
    served *f = *state;
    char text[32768];
    int fds[SERVED_THREADS];
    unit_gate_set(f->gate, true);
    for (int i = 0; i < SERVED_THREADS; i++)
        fds[i] = send_upload(f);
    unit_gate_await(f->gate, SERVED_THREADS);
    assert_int_equal(served_get(f, "/livez", text, sizeof text), 200);
    served_await(f, "fmixd_slices_running", SERVED_THREADS);
    double cancelled = served_metric(f, "fmixd_cancelled_total");
    int leaving = send_upload(f);
    served_await(f, "fmixd_queue_jobs", SERVED_THREADS + 1);
    close(leaving);
    served_await(f, "fmixd_queue_jobs", SERVED_THREADS);
    served_await(f, "fmixd_cancelled_total", cancelled + 1);
    unit_gate_set(f->gate, false);
    for (int i = 0; i < SERVED_THREADS; i++) {
        assert_int_equal(loopback_receive(fds[i], text, sizeof text), 200);
        assert_non_null(strstr(text, "Content-Length: 136"));
    }
}

/* Short slices have threads that no upload holds. */
static void masks_are_computed_while_uploads_hold_their_threads(void **state) {
    served *f = *state;
    char text[32768];
    int fds[SERVED_THREADS];
    unit_gate_set(f->gate, true);
    for (int i = 0; i < SERVED_THREADS; i++)
        fds[i] = send_upload(f);
    unit_gate_await(f->gate, SERVED_THREADS);
    int masks = served_ask(f, "/v1/masks.npy?shape=64x64&n=4");
    unit_gate_await(f->gate,
                    SERVED_THREADS + 1); /* begun: a compute thread has come to the gate, too */
    unit_gate_set(f->gate, false);
    loopback_receive(masks, text, sizeof text);
    assert_int_equal(atoi(text + 9), 200);
    for (int i = 0; i < SERVED_THREADS; i++)
        assert_int_equal(loopback_receive(fds[i], text, sizeof text), 200);
}

static void an_upload_that_waits_at_the_deadline_is_cut_off(void **state) {
    served *f = *state;
    char text[4096];
    int fds[SERVED_THREADS + 1];
    unit_gate_set(f->gate, true);
    for (int i = 0; i < SERVED_THREADS; i++)
        fds[i] = send_upload(f);
    unit_gate_await(f->gate, SERVED_THREADS);
    fds[SERVED_THREADS] = send_upload(f);
    served_await(f, "fmixd_queue_jobs", SERVED_THREADS + 1);
    assert_false(fmixd_stop(f->daemon, 0));
    for (int i = 0; i <= SERVED_THREADS; i++)
        assert_int_equal(loopback_receive(fds[i], text, sizeof text), 0);
    unit_gate_set(f->gate, false);
    assert_int_equal(served_start(state), 0);
}

static void a_client_that_leaves_while_it_waits_leaves_the_queue(void **state) {
    served *f = *state;
    char text[32768];
    int fds[SERVED_THREADS];
    served_hold(f, fds);
    double cancelled = served_metric(f, "fmixd_cancelled_total");
    int leaving = served_ask(f, "/v1/masks.npy?shape=512x512&n=100");
    served_await(f, "fmixd_queue_jobs", SERVED_THREADS + 1);
    close(leaving);
    served_await(f, "fmixd_queue_jobs", SERVED_THREADS);
    served_await(f, "fmixd_cancelled_total", cancelled + 1);
    served_await(f, "fmixd_queue_waiting", 0);
    unit_gate_set(f->gate, false);
    for (int i = 0; i < SERVED_THREADS; i++)
        assert_int_equal(loopback_receive(fds[i], text, sizeof text), 200);
}

static void clients_that_vanish_at_any_byte_of_a_request_are_forgotten(void **state) {
    served *f = *state;
    static const char request[] = "POST /v1/mix?x_shape=4x8&x_dtype=u8 HTTP/1.1\r\nHost: test\r\n"
                                  "Content-Length: 32\r\n\r\n0123456789abcdef0123456789abcdef";
    for (int round = 0; round < 3; round++)
        for (size_t cut = 1; cut < sizeof request; cut++)
            close(served_send(f, request, cut));
    served_await(f, "fmixd_requests_in_flight", 1);
}

static void a_full_queue_is_503_with_retry_after(void **state) {
    served *f = *state;
    char text[32768];
    int fds[8];
    unit_gate_set(f->gate, true);
    for (int i = 0; i < 8; i++)
        fds[i] = served_ask(f, "/v1/masks.npy?shape=64x64&n=4");
    served_await(f, "fmixd_queue_jobs", 8);
    assert_int_equal(served_get(f, "/v1/masks.npy?shape=64x64&n=4", text, sizeof text), 503);
    assert_non_null(strstr(text, "\r\nRetry-After: "));
    unit_gate_set(f->gate, false);
    for (int i = 0; i < 8; i++)
        assert_int_equal(loopback_receive(fds[i], text, sizeof text), 200);
}

/* The Retry-After of a refusal while eight answers are in the queue and no slice is computed. The
 * daemon is a new one, which has not learned yet how fast this machine is. */
static unsigned retry_after(void **state, const char *target) {
    served *f = *state;
    char text[4096];
    int fds[8];
    fmixd_stop(f->daemon, SERVED_SECONDS);
    assert_int_equal(served_start(state), 0);
    unit_gate_set(f->gate, true);
    for (int i = 0; i < 8; i++)
        fds[i] = served_ask(f, target);
    served_await(f, "fmixd_queue_jobs", 8);
    assert_int_equal(served_get(f, target, text, sizeof text), 503);
    const char *at = strstr(text, "\r\nRetry-After: ");
    assert_non_null(at);
    for (int i = 0; i < 8; i++)
        close(fds[i]);
    served_await(f, "fmixd_queue_jobs", 0);
    unit_gate_set(f->gate, false);
    served_await(f, "fmixd_slices_running", 0);
    return (unsigned)atoi(at + 15);
}

/* Six of the eight answers wait, and their slices do not run, however long the test takes. */
static void retry_after_is_the_run_time_of_the_queue(void **state) {
    const unsigned little = retry_after(state, "/v1/masks.npy?shape=64x64&n=4");
    const unsigned much = retry_after(state, "/v1/masks.npy?shape=512x512&n=3000&dtype=bits");
    assert_int_equal(little, 1);
    assert_true(much > 4 && much <= 60);
}

/* The first answer takes a minute. The second would wait for the first for longer than `patience`.
 */
static void an_answer_that_would_miss_its_deadline_is_503_with_retry_after(void **state) {
    served *f = *state;
    char text[4096];
    int first, second;
    fmixd_stop(f->daemon, SERVED_SECONDS);
    assert_int_equal(served_start_with(state, "100", "8", "0", NULL), 0);
    unit_gate_set(f->gate, true);
    first = served_ask(f, "/v1/masks.npy?shape=512x512&n=50000&dtype=bits&seed=1");
    served_await(f, "fmixd_queue_jobs", 1);
    second = served_ask(f, "/v1/masks.npy?shape=512x512&n=50000&dtype=bits&seed=2");
    assert_int_equal(loopback_receive(second, text, sizeof text), 503);
    assert_non_null(strstr(text, "would miss its deadline"));
    assert_non_null(strstr(text, "\r\nRetry-After: "));
    close(first);
    served_await(f, "fmixd_queue_jobs", 0);
    unit_gate_set(f->gate, false);
    fmixd_stop(f->daemon, SERVED_SECONDS);
    assert_int_equal(served_start(state), 0);
}

static void *stop_at_once(void *of) {
    served *f = of;
    fmixd_stop(f->daemon, 0);
    return NULL;
}

/* The status of a request that arrives after others have been cut off. 0: the request arrived more
 * than a second later, when the connection was closed. */
static int ask_while_it_stops(void **state) {
    served *f = *state;
    static const char get_masks[] =
        "GET /v1/masks?shape=512x512 HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
    char text[4096];
    pthread_t stopper;
    unit_gate_set(f->gate, true);
    int held = served_ask(f, "/v1/masks.npy?shape=64x64&n=4");
    int open = served_send(f, "\r\n", 2); /* accepted before the listener closes */
    unit_gate_await(f->gate, 1);
    served_await(f, "fmixd_connections", 3);
    assert_int_equal(pthread_create(&stopper, NULL, stop_at_once, f), 0);
    assert_int_equal(loopback_receive(held, text, sizeof text), 0);
    send(open, get_masks, sizeof get_masks - 1, MSG_NOSIGNAL);
    int status = loopback_receive(open, text, sizeof text);
    unit_gate_set(f->gate, false);
    pthread_join(stopper, NULL);
    assert_int_equal(served_start(state), 0);
    assert_true(status == 503 || status == 0);
    return status;
}

static void a_request_that_comes_while_the_daemon_stops_is_503(void **state) {
    UNIT_UNTIL(ask_while_it_stops(state) == 503);
}

static void requests_in_flight_at_the_end_are_finished(void **state) {
    served *f = *state;
    static char text[300000];
    int fds[SERVED_THREADS];
    served_hold(f, fds);
    fmixd_drain(f->daemon);
    assert_int_equal(served_get(f, "/readyz", text, sizeof text), 503);
    unit_gate_set(f->gate, false);
    assert_true(fmixd_stop(f->daemon, SERVED_SECONDS));
    for (int i = 0; i < SERVED_THREADS; i++)
        assert_int_equal(loopback_receive(fds[i], text, sizeof text), 200);
    assert_int_equal(served_start(state), 0);
}

static void *stop_kindly(void *of) {
    served *f = of;
    return fmixd_stop(f->daemon, SERVED_SECONDS) ? f : NULL;
}

/* The status of a short reply over a connection that is kept. */
static int ask_over(int fd, const char *request) {
    char text[4096] = "";
    const char *body, *length;
    size_t got = 0;
    ssize_t n;
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    while ((n = recv(fd, text + got, sizeof text - 1 - got, 0)) > 0) {
        got += (size_t)n;
        body = strstr(text, "\r\n\r\n");
        length = strstr(text, "Content-Length: ");
        if (body && length && strlen(body + 4) >= strtoul(length + 16, NULL, 10))
            break;
    }
    return atoi(text + 9);
}

/* All connections but one have a request in progress, and that one asks /readyz. Further clients
 * wait in the listener's backlog. */
static void requests_in_the_backlog_at_the_end_are_answered(void **state) {
    served *f = *state;
    enum { MOST = 16, ALL = 24 };
    static const char ready[] = "GET /readyz HTTP/1.1\r\nHost: test\r\n\r\n";
    static char text[300000];
    int fds[ALL];
    pthread_t stopper;
    void *finished;
    fmixd_stop(f->daemon, SERVED_SECONDS);
    assert_int_equal(served_start_with(state, "16", "32", "600000", NULL), 0);
    unit_gate_set(f->gate, true);
    int asker = served_send(f, "\r\n", 2);
    assert_int_equal(ask_over(asker, ready), 200);
    for (int i = 0; i < ALL; i++) {
        fds[i] = served_ask(f, "/v1/masks.npy?shape=64x64&n=4");
        if (i + 2 == MOST)
            unit_gate_await(f->gate, SERVED_THREADS);
    }
    assert_int_equal(pthread_create(&stopper, NULL, stop_kindly, f), 0);
    UNIT_UNTIL(ask_over(asker, ready) == 503);
    unit_gate_set(f->gate, false);
    for (int i = 0; i < ALL; i++)
        assert_int_equal(loopback_receive(fds[i], text, sizeof text), 200);
    pthread_join(stopper, &finished);
    assert_non_null(finished);
    close(asker);
    assert_int_equal(served_start(state), 0);
}

typedef struct slicing_part {
    unit_gate *gate;
    int held, waiting;
    int statuses[2];
} slicing_part;

static void *open_when_they_are_cut_off(void *of) {
    slicing_part *c = of;
    char text[1024];
    c->statuses[0] = loopback_receive(c->held, text, sizeof text);
    c->statuses[1] = loopback_receive(c->waiting, text, sizeof text);
    unit_gate_set(c->gate, false);
    return NULL;
}

/* A slice that runs cannot be cut off, so the gate is opened as soon as the clients are cut off. */
static void unfinished_requests_are_cut_off_at_the_deadline(void **state) {
    served *f = *state;
    slicing_part c = {.gate = f->gate};
    pthread_t opener;
    unit_gate_set(f->gate, true);
    c.held = served_ask(f, "/v1/masks.npy?shape=64x64&n=4");
    unit_gate_await(f->gate, 1);
    c.waiting = served_ask(f, "/v1/masks.npy?shape=64x64&n=5");
    served_await(f, "fmixd_queue_jobs", 2);
    assert_int_equal(pthread_create(&opener, NULL, open_when_they_are_cut_off, &c), 0);
    assert_false(fmixd_stop(f->daemon, 0));
    pthread_join(opener, NULL);
    assert_int_equal(c.statuses[0], 0);
    assert_int_equal(c.statuses[1], 0);
    assert_int_equal(served_start(state), 0);
}

/* The log of a daemon whose slice does not end is kept, with its thread. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void) {
    return "report_thread_leaks=0";
}

static bool is_empty(unit_gate *g) {
    pthread_mutex_lock(&g->lock);
    bool empty = g->held == 0;
    pthread_mutex_unlock(&g->lock);
    return empty;
}

/* The gate opens only after the daemon has stopped. */
static void a_handler_that_does_not_end_does_not_hold_the_stop(void **state) {
    served *f = *state;
    char text[4096];
    unit_gate_set(f->gate, true);
    int fd = send_upload(f);
    unit_gate_await(f->gate, 1);
    assert_false(fmixd_stop(f->daemon, 0));
    assert_false(is_empty(f->gate));
    assert_int_equal(loopback_receive(fd, text, sizeof text), 0);
    unit_gate_set(f->gate, false);
    UNIT_UNTIL(is_empty(f->gate));
    assert_int_equal(served_start(state), 0);
}

/* The client of a handler has left, so that no request is in flight. */
static void a_handler_without_a_client_does_not_hold_the_stop(void **state) {
    served *f = *state;
    unit_gate_set(f->gate, true);
    int fd = send_upload(f);
    unit_gate_await(f->gate, 1);
    close(fd);
    served_await(f, "fmixd_requests_in_flight", 1);
    assert_true(fmixd_stop(f->daemon, SERVED_SECONDS));
    assert_false(is_empty(f->gate));
    unit_gate_set(f->gate, false);
    UNIT_UNTIL(is_empty(f->gate));
    assert_int_equal(served_start(state), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(health_and_metrics_answer_while_every_compute_thread_is_blocked),
        T(health_answers_while_uploads_are_handled),
        T(masks_are_computed_while_uploads_hold_their_threads),
        T(an_upload_that_waits_at_the_deadline_is_cut_off),
        T(a_client_that_leaves_while_it_waits_leaves_the_queue),
        T(clients_that_vanish_at_any_byte_of_a_request_are_forgotten),
        T(a_full_queue_is_503_with_retry_after),
        T(retry_after_is_the_run_time_of_the_queue),
        T(an_answer_that_would_miss_its_deadline_is_503_with_retry_after),
        T(a_request_that_comes_while_the_daemon_stops_is_503),
        T(requests_in_flight_at_the_end_are_finished),
        T(requests_in_the_backlog_at_the_end_are_answered),
        T(unfinished_requests_are_cut_off_at_the_deadline),
        T(a_handler_that_does_not_end_does_not_hold_the_stop),
        T(a_handler_without_a_client_does_not_hold_the_stop),
    };
    return cmocka_run_group_tests(tests, served_start, served_stop);
}
