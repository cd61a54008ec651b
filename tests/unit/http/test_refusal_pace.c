#include "unit.h"

#include "http/refusal_pace.h"

/* A mebibyte takes a second, four of them are sent at once, and nobody waits longer than ten. */
#define MIB    (UINT64_C(1) << 20)
#define LEAST  (MIB / 16)
#define SECOND UINT64_C(1000000000)
#define START  (1000 * SECOND)

enum { THREADS = 4, PAYMENTS = 20000 };

static refusal_pace make(void) {
    return (refusal_pace){.least = LEAST, .burst = 4 * MIB, .rate = MIB, .longest = 10 * SECOND};
}

static void a_burst_is_sent_at_once(void **state) {
    (void)state;
    refusal_pace p = make();
    for (unsigned i = 0; i < 5; i++) /* the last uses up the allowance, and more */
        assert_int_equal(refusal_pace_pay(&p, MIB, START), START);
    assert_true(refusal_pace_pay(&p, MIB, START) > START);
}

static void beyond_the_burst_each_waits_for_those_before_it(void **state) {
    (void)state;
    refusal_pace p = make();
    assert_int_equal(refusal_pace_pay(&p, 4 * MIB, START), START);
    assert_int_equal(refusal_pace_pay(&p, MIB, START), START);
    assert_int_equal(refusal_pace_pay(&p, 2 * MIB, START), START + SECOND);
    assert_int_equal(refusal_pace_pay(&p, MIB / 2, START), START + 3 * SECOND);
    assert_int_equal(refusal_pace_pay(&p, MIB, START + SECOND), START + 7 * SECOND / 2);
}

static void time_gives_the_allowance_back_up_to_the_burst(void **state) {
    (void)state;
    refusal_pace p = make();
    refusal_pace_pay(&p, 6 * MIB, START);
    assert_int_equal(refusal_pace_pay(&p, MIB, START), START + 2 * SECOND);
    assert_int_equal(refusal_pace_pay(&p, MIB, START + 3 * SECOND), START + 3 * SECOND);
    const uint64_t later = START + 1000 * SECOND;
    assert_int_equal(refusal_pace_pay(&p, 4 * MIB, later), later);
    assert_int_equal(refusal_pace_pay(&p, MIB, later), later);
    assert_int_equal(refusal_pace_pay(&p, MIB, later), later + SECOND);
}

static void one_mistake_is_told_at_once_however_large(void **state) {
    (void)state;
    refusal_pace p = make();
    assert_int_equal(refusal_pace_pay(&p, UINT64_MAX, START), START);
}

static void nobody_waits_longer_than_the_longest_wait(void **state) {
    (void)state;
    refusal_pace p = make();
    for (unsigned i = 0; i < 1000; i++)
        assert_true(refusal_pace_pay(&p, 100 * MIB, START + i) <= START + i + 10 * SECOND);
    assert_int_equal(refusal_pace_pay(&p, MIB, START + 999), START + 999 + 10 * SECOND);
}

static void a_flood_is_forgotten_after_the_longest_wait(void **state) {
    (void)state;
    refusal_pace p = make();
    for (unsigned i = 0; i < 1000; i++)
        refusal_pace_pay(&p, 100 * MIB, START);
    assert_int_equal(refusal_pace_pay(&p, MIB, START + 11 * SECOND), START + 11 * SECOND);
}

static void small_bodies_cost_nothing(void **state) {
    (void)state;
    refusal_pace p = make();
    for (unsigned i = 0; i < 10000; i++)
        assert_int_equal(refusal_pace_pay(&p, LEAST - 1, START), START);
    assert_int_equal(p.paid, 0);
    refusal_pace_pay(&p, 6 * MIB, START);
    assert_int_equal(refusal_pace_pay(&p, LEAST - 1, START), START);
    assert_int_equal(refusal_pace_pay(&p, LEAST, START), START + 2 * SECOND);
}

static void each_body_costs_more_than_its_bytes(void **state) {
    (void)state;
    refusal_pace p = make();
    p.each = MIB;
    assert_int_equal(refusal_pace_pay(&p, 3 * MIB, START), START);
    assert_int_equal(refusal_pace_pay(&p, MIB / 4, START), START);
    assert_int_equal(refusal_pace_pay(&p, MIB, START), START + 5 * SECOND / 4);
    assert_int_equal(refusal_pace_pay(&p, MIB, START), START + 13 * SECOND / 4);
    assert_int_equal(refusal_pace_pay(&p, 0, START), START);
}

static void *pay_often(void *of) {
    for (unsigned i = 0; i < PAYMENTS; i++)
        refusal_pace_pay(of, MIB, START);
    return NULL;
}

static void no_payment_of_several_threads_is_lost(void **state) {
    (void)state;
    refusal_pace p = make();
    pthread_t threads[THREADS];
    p.longest = UINT64_C(1) << 62;
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, pay_often, &p), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(p.paid, START + THREADS * PAYMENTS * SECOND);
}

RUN(T(a_burst_is_sent_at_once), T(beyond_the_burst_each_waits_for_those_before_it),
    T(time_gives_the_allowance_back_up_to_the_burst), T(one_mistake_is_told_at_once_however_large),
    T(nobody_waits_longer_than_the_longest_wait), T(a_flood_is_forgotten_after_the_longest_wait),
    T(small_bodies_cost_nothing), T(each_body_costs_more_than_its_bytes),
    T(no_payment_of_several_threads_is_lost))
