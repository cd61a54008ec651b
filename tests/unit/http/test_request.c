/* A request's life: its steps, and how it ends. */
#include "served.h"

#include "base/crash.h"

#include <dlfcn.h>
#include <microhttpd.h>
#include <pthread.h>

#define LIVE_CLOSE "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

/* How many replies there are, by their first lines. */
/* What a crash report would have named while the latest reply was queued. */
static struct {
    pthread_mutex_t lock;
    char text[CRASH_REQUEST];
} work = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The library's, which threads call amid a step of a request. */
enum MHD_Result MHD_queue_response(struct MHD_Connection *connection, unsigned status,
                                   struct MHD_Response *response) {
    enum MHD_Result (*next)(struct MHD_Connection *, unsigned, struct MHD_Response *);
    void *found = dlsym(RTLD_NEXT, "MHD_queue_response");
    memcpy(&next, &found, sizeof next);
    const char *text = crash_work_for(NULL);
    crash_work_for(text);
    pthread_mutex_lock(&work.lock);
    snprintf(work.text, sizeof work.text, "%s", text ? text : "none");
    pthread_mutex_unlock(&work.lock);
    return next(connection, status, response);
}

static unsigned count_replies(const char *text, const char *status) {
    char line[40];
    unsigned count = 0;
    snprintf(line, sizeof line, "HTTP/1.1 %s ", status);
    for (const char *at = text; (at = strstr(at, line)) != NULL; at++)
        count++;
    return count;
}

static void requests_of_one_connection_are_answered_in_order(void **state) {
    char text[16384];
    assert_int_equal(served_exchange(*state, "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n" LIVE_CLOSE,
                                     text, sizeof text),
                     404);
    assert_int_equal(count_replies(text, "404"), 1);
    assert_int_equal(count_replies(text, "200"), 1);
}

/* The refusal was clear before the body came; what follows the body is a request. */
static void the_body_of_a_refused_request_is_dropped(void **state) {
    char text[16384];
    assert_int_equal(served_exchange(*state,
                                     "POST /v1/mix?what=1 HTTP/1.1\r\nHost: x\r\n"
                                     "Content-Length: 12\r\n\r\nGET / HTTP/1" LIVE_CLOSE,
                                     text, sizeof text),
                     400);
    assert_int_equal(count_replies(text, "200"), 1);
}

/* A proxy may see another end of a chunked body than libmicrohttpd. */
static void bytes_after_a_chunked_body_are_not_a_request(void **state) {
    char text[16384];
    assert_int_equal(
        served_exchange(*state,
                        "POST /v1/mix?what=1 HTTP/1.1\r\nHost: x\r\n"
                        "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n" LIVE_CLOSE,
                        text, sizeof text),
        400);
    assert_int_equal(count_replies(text, "200"), 0);
    assert_non_null(strstr(text, "\r\nConnection: close\r\n"));
}

static void a_chunked_body_over_the_cap_is_413_amid_the_body(void **state) {
    enum { CHUNK = 2 << 20 };
    static char request[CHUNK + 300];
    char text[16384];
    int n = snprintf(request, sizeof request,
                     "POST /v1/mix HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n",
                     CHUNK);
    memset(request + n, 'x', CHUNK);
    /* The daemon may refuse it before all of it is sent, so it comes by a non-blocking client. */
    int fd = served_send(*state, request, (size_t)n);
    (void)!send(fd, request + n, CHUNK, MSG_NOSIGNAL);
    assert_int_equal(loopback_receive(fd, text, sizeof text), 413);
    assert_non_null(strstr(text, "\r\nConnection: close\r\n"));
    served_await(*state, "fmixd_requests_in_flight", 1);
}

static void a_page_of_the_library_is_replaced_by_a_problem(void **state) {
    char text[16384];
    assert_int_equal(served_exchange(*state,
                                     "POST /v1/mix HTTP/1.1\r\nHost: x\r\n"
                                     "Transfer-Encoding: chunked\r\n\r\nnot a size\r\n",
                                     text, sizeof text),
                     400);
    assert_non_null(strstr(text, "application/problem+json"));
    assert_null(strstr(text, "<html>"));
}

static double count_of(const served *f, const char *code) {
    static char text[1 << 20];
    char label[40];
    double count = 0;
    assert_int_equal(served_get(f, "/metrics", text, sizeof text), 200);
    snprintf(label, sizeof label, "code=\"%s\"", code);
    for (const char *at = text; (at = strstr(at, "\nfmixd_requests_total{")) != NULL; at++) {
        const char *end = strchr(at + 1, '\n'), *value = strchr(at, '}');
        const char *found = strstr(at, label);
        if (end && value && found && found < value)
            count += atof(value + 1);
    }
    return count;
}

static void a_client_that_leaves_is_counted_as_499(void **state) {
    served *f = *state;
    int fds[SERVED_THREADS];
    char text[32768];
    double before = count_of(f, "499");
    served_hold(f, fds);
    close(served_ask(f, "/v1/masks.npy?shape=64x64&n=5"));
    UNIT_UNTIL(count_of(f, "499") == before + 1);
    unit_gate_set(f->gate, false);
    for (int i = 0; i < SERVED_THREADS; i++)
        assert_int_equal(loopback_receive(fds[i], text, sizeof text), 200);
}

static void a_request_that_ended_is_not_in_flight(void **state) {
    char text[16384];
    assert_int_equal(served_exchange(*state, LIVE_CLOSE, text, sizeof text), 200);
    served_await(*state, "fmixd_requests_in_flight", 1); /* the request for the metrics */
}

static void a_crash_amid_a_request_would_name_it(void **state) {
    char text[16384];
    assert_int_equal(served_exchange(*state, LIVE_CLOSE, text, sizeof text), 200);
    pthread_mutex_lock(&work.lock);
    snprintf(text, sizeof text, "%s", work.text);
    pthread_mutex_unlock(&work.lock);
    assert_memory_equal(text, "GET /livez (", 12); /* and its id */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(a_crash_amid_a_request_would_name_it),
        T(requests_of_one_connection_are_answered_in_order),
        T(the_body_of_a_refused_request_is_dropped),
        T(bytes_after_a_chunked_body_are_not_a_request),
        T(a_chunked_body_over_the_cap_is_413_amid_the_body),
        T(a_page_of_the_library_is_replaced_by_a_problem),
        T(a_client_that_leaves_is_counted_as_499),
        T(a_request_that_ended_is_not_in_flight),
    };
    return cmocka_run_group_tests(tests, served_start, served_stop);
}
