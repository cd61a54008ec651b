#include "unit.h"

#include "http/inflight.h"

static unsigned abandoned;

static void count(job *j) {
    (void)j;
    abandoned++;
}

static const job_class counting = {.abandon = count};
static job work = {.class = &counting};

static void a_request_is_found_by_its_descriptor_until_it_ends(void **state) {
    (void)state;
    inflight all = {0};
    int first, second;
    inflight_entry a = {.request = &first, .fd = 3}, b = {.request = &second, .fd = 1000};
    inflight_init(&all);
    assert_null(inflight_find(&all, 3));
    inflight_add(&all, &a);
    inflight_add(&all, &b);
    assert_ptr_equal(inflight_find(&all, 3), &first);
    assert_ptr_equal(inflight_find(&all, 1000), &second);
    assert_null(inflight_find(&all, 4));
    assert_null(inflight_find(&all, 1 << 20));
    inflight_remove(&all, &a);
    assert_null(inflight_find(&all, 3));
    assert_ptr_equal(inflight_find(&all, 1000), &second);
    inflight_remove(&all, &b);
    inflight_destroy(&all);
}

static void waiting_ends_with_the_last_request(void **state) {
    (void)state;
    inflight all = {0};
    inflight_entry a = {.fd = 3}, b = {.fd = 4}, c = {.fd = 5};
    inflight_init(&all);
    inflight_add(&all, &a);
    inflight_add(&all, &b);
    inflight_add(&all, &c);
    inflight_remove(&all, &b);
    inflight_remove(&all, &c);
    assert_false(inflight_wait(&all, 0));
    assert_true(inflight_set_work(&all, &a, &work));
    inflight_remove(&all, &a);
    assert_true(inflight_wait(&all, 0));
    inflight_add(&all, &a);
    assert_false(inflight_set_work(&all, &a, &work));
    assert_true(inflight_set_work(&all, &a, NULL));
    inflight_remove(&all, &a);
    inflight_destroy(&all);
}

static void new_work_is_refused_once_all_is_abandoned(void **state) {
    (void)state;
    inflight all = {0};
    inflight_entry a = {.fd = 3};
    inflight_init(&all);
    inflight_add(&all, &a);
    assert_true(inflight_set_work(&all, &a, &work));
    inflight_abandon(&all);
    assert_int_equal(abandoned, 1);
    assert_false(inflight_set_work(&all, &a, &work));
    inflight_abandon(&all);
    assert_int_equal(abandoned, 1);
    inflight_remove(&all, &a);
    inflight_destroy(&all);
}

RUN(T(a_request_is_found_by_its_descriptor_until_it_ends), T(waiting_ends_with_the_last_request),
    T(new_work_is_refused_once_all_is_abandoned))
