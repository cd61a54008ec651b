#include "unit.h"

#include "http/accept_gate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <unistd.h>

typedef struct bench {
    int listener, client;
} bench;

/* A listener with a client in its backlog. */
static void open_bench(bench *b) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    b->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    b->client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(b->listener, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(b->listener, 1), 0);
    assert_int_equal(getsockname(b->listener, (struct sockaddr *)&at, &size), 0);
    assert_int_equal(connect(b->client, (struct sockaddr *)&at, size), 0);
}

static void close_bench(const bench *b) {
    accept_gate_close(-1);
    close(b->listener);
    close(b->client);
}

static void a_closed_gate_leaves_the_backlog_to_who_closed_it(void **state) {
    (void)state;
    bench b;
    open_bench(&b);
    accept_gate_close(b.listener);
    assert_true(accept4(b.listener, NULL, NULL, 0) == -1 && errno == EAGAIN);
    assert_false(accept_gate_is_passed());
    int accepted = accept_gate_enter(b.listener, NULL, NULL, 0);
    assert_true(accepted >= 0);
    assert_false(accept_gate_is_passed());
    close(accepted);
    close_bench(&b);
}

static void other_listeners_stay_open(void **state) {
    (void)state;
    bench b, other;
    open_bench(&b);
    open_bench(&other);
    accept_gate_close(b.listener);
    int accepted = accept4(other.listener, NULL, NULL, 0);
    assert_true(accepted >= 0);
    accept_gate_opened();
    close(accepted);
    close_bench(&other);
    close_bench(&b);
}

static void *look(void *passed) {
    accept_gate_opened(); /* of another thread, which has accepted nothing */
    *(bool *)passed = accept_gate_is_passed();
    return NULL;
}

static void a_connection_counts_until_its_thread_has_opened_it(void **state) {
    (void)state;
    bench b;
    pthread_t other;
    bool passed = false;
    open_bench(&b);
    int accepted = accept4(b.listener, NULL, NULL, 0);
    assert_true(accepted >= 0);
    assert_int_equal(pthread_create(&other, NULL, look, &passed), 0);
    pthread_join(other, NULL);
    assert_true(passed);
    accept_gate_opened();
    assert_false(accept_gate_is_passed());
    close(accepted);
    close_bench(&b);
}

static void one_that_is_given_up_counts_until_the_next_is_sought(void **state) {
    (void)state;
    bench b;
    open_bench(&b);
    int accepted = accept4(b.listener, NULL, NULL, 0);
    assert_true(accepted >= 0);
    close(accepted);
    assert_true(accept_gate_is_passed());
    assert_true(accept4(b.listener, NULL, NULL, 0) == -1 && errno == EAGAIN); /* there is none */
    assert_false(accept_gate_is_passed());
    close_bench(&b);
}

RUN(T(a_closed_gate_leaves_the_backlog_to_who_closed_it), T(other_listeners_stay_open),
    T(a_connection_counts_until_its_thread_has_opened_it),
    T(one_that_is_given_up_counts_until_the_next_is_sought))
