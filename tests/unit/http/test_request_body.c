#include "unit.h"

#include "http/request_body.h"

#include <stdbool.h>
#include <stdio.h>

enum { MOST = 1000 };

typedef struct fixture {
    config config;
    server_state server;
    resource_request request;
    problem problem;
} fixture;

/* A request whose server takes bodies of MOST bytes, and has so much memory. */
static void begin(fixture *f, uint64_t memory) {
    *f = (fixture){.config.body = MOST};
    f->server.config = &f->config;
    budget_init(&f->server.budget, memory, 1);
    buffer_pool_init(&f->server.buffer_pool, 0);
    f->request.server = &f->server;
    request_body_begin(&f->request);
}

static void end(fixture *f) {
    request_body_drop(&f->request);
    assert_int_equal(budget_held(&f->server.budget), 0);
    buffer_pool_destroy(&f->server.buffer_pool);
    budget_destroy(&f->server.budget);
}

static void an_announced_body_over_the_cap_is_413(void **state) {
    (void)state;
    fixture f;
    begin(&f, 1 << 20);
    assert_true(request_body_announce(&f.request, "1000", &f.problem));
    assert_false(request_body_announce(&f.request, "1001", &f.problem));
    assert_int_equal(f.problem.status, 413);
    assert_string_equal(f.problem.errors[0].parameter, "body");
    assert_non_null(strstr(f.problem.errors[0].detail, "1000"));
    end(&f);
}

static void an_announced_body_over_all_memory_is_413(void **state) {
    (void)state;
    fixture f;
    begin(&f, 10);
    assert_true(request_body_announce(&f.request, "10", &f.problem));
    assert_false(request_body_announce(&f.request, "11", &f.problem));
    assert_int_equal(f.problem.status, 413);
    end(&f);
}

static void a_body_that_grows_over_the_cap_is_413(void **state) {
    (void)state;
    fixture f;
    begin(&f, 1 << 20);
    assert_false(request_body_is_too_much(&f.request, MOST, &f.problem));
    assert_int_equal(f.problem.status, 0);
    assert_true(request_body_is_too_much(&f.request, MOST + 1, &f.problem));
    assert_int_equal(f.problem.status, 413);
    end(&f);
}

static void pieces_are_joined_in_order_and_paid_for(void **state) {
    (void)state;
    fixture f;
    begin(&f, 1 << 20);
    assert_true(request_body_add(&f.request, "abc", 3, false));
    assert_true(request_body_add(&f.request, "defg", 4, false));
    assert_int_equal(f.request.body.length, 7);
    assert_memory_equal(f.request.body.bytes, "abcdefg", 7);
    assert_true(budget_held(&f.server.budget) >= 7);
    end(&f);
}

/* Twice as much would be held where a body grows by doubling. */
static void an_announced_body_has_room_for_its_length_alone(void **state) {
    (void)state;
    fixture f;
    char piece[600] = "";
    begin(&f, 1 << 20);
    assert_true(request_body_announce(&f.request, "700", &f.problem));
    assert_true(request_body_add(&f.request, piece, sizeof piece, true));
    assert_true(request_body_add(&f.request, piece, 100, true));
    assert_int_equal(f.request.body.room, 700);
    end(&f);
}

static void a_body_without_memory_is_refused(void **state) {
    (void)state;
    fixture f;
    char piece[600] = "";
    begin(&f, 1000);
    assert_true(budget_take((budget_payer){.from = &f.server.budget}, 500));
    assert_false(request_body_add(&f.request, piece, sizeof piece, false));
    assert_true(f.request.body.starved);
    assert_int_equal(budget_held(&f.server.budget), 500);
    budget_give((budget_payer){.from = &f.server.budget}, 500);
    end(&f);
}

/* Only the compute thread's own end waits for what it frees. */
static void a_large_body_is_freed_by_a_compute_thread(void **state) {
    (void)state;
    fixture f;
    const jobs_settings settings = {.threads = 1, .limit = 4, .patience = 1e12};
    begin(&f, 1 << 30);
    f.config.body = 2 * JOB_LARGE;
    f.server.jobs = jobs_new(&settings);
    request_body_begin(&f.request);
    char *large = calloc(1, 2 * JOB_LARGE);
    assert_true(f.server.jobs && large);
    assert_true(request_body_add(&f.request, large, 2 * JOB_LARGE, false));
    free(large);
    request_body_drop(&f.request);
    assert_null(f.request.body.bytes);
    UNIT_UNTIL(budget_held(&f.server.budget) == 0);
    jobs_free(f.server.jobs);
    end(&f);
}

RUN(T(an_announced_body_over_the_cap_is_413), T(an_announced_body_over_all_memory_is_413),
    T(a_body_that_grows_over_the_cap_is_413), T(pieces_are_joined_in_order_and_paid_for),
    T(an_announced_body_has_room_for_its_length_alone), T(a_body_without_memory_is_refused),
    T(a_large_body_is_freed_by_a_compute_thread))
