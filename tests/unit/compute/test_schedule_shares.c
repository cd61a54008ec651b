#include "scheduled.h"

/* How many tasks of 10 ms of one client are admitted at once. */
static unsigned crowd(schedule *s, task *t, unsigned n, uint64_t client, uint64_t now) {
    unsigned taken = 0;
    for (unsigned i = 0; i < n; i++) {
        t[i] = work_of(10 * MS, client);
        taken += schedule_admit(s, &t[i], now) == REFUSAL_NONE;
    }
    return taken;
}

static void a_client_that_asks_alone_may_use_all_of_the_capacity(void **state) {
    (void)state;
    schedule s = of(1, 100 * MS);
    task t[12];
    unsigned taken = 0;
    for (unsigned i = 0; i < 12; i++) {
        t[i] = work_of(10 * MS, 7);
        taken += schedule_admit(&s, &t[i], 1) == REFUSAL_NONE;
    }
    assert_int_equal(taken, 11);
}

static void a_client_that_used_much_leaves_capacity_to_others(void **state) {
    (void)state;
    schedule s = of(1, 100 * MS);
    task heavy[12], light[12];
    uint64_t now = 1;
    assert_int_equal(crowd(&s, light, 1, 2, now), 1);
    schedule_leave(&s, &light[0], false);
    for (int i = 0; i < 200;
         i++, now += (uint64_t)(100 * MS)) { /* twenty seconds of the whole capacity */
        crowd(&s, heavy, 12, 1, now);
        for (unsigned n = 0; n < 12; n++)
            schedule_leave(&s, &heavy[n], false);
    }
    assert_int_equal(crowd(&s, heavy, 12, 1, now), 7);
    task more = work_of(10 * MS, 1);
    assert_int_equal(schedule_admit(&s, &more, now), REFUSAL_SHARE);
    assert_int_equal(crowd(&s, light, 12, 2, now), 4);
    assert_int_equal(schedule_admit(&s, &more, now), REFUSAL_SHARE);
    more.client = 3;
    assert_int_equal(schedule_admit(&s, &more, now), REFUSAL_PATIENCE);
}

static void a_client_with_most_of_the_demand_is_refused_by_share(void **state) {
    (void)state;
    schedule s = of(1, 100 * MS);
    task most[11], few[2], half[5], nothing = work_of(0, 2), another = work_of(10 * MS, 1);
    assert_int_equal(crowd(&s, most, 11, 1, 1), 11);
    assert_int_equal(schedule_admit(&s, &another, 1), REFUSAL_PATIENCE); /* it asks alone */
    admitted(&s, &nothing, 1);
    assert_int_equal(schedule_admit(&s, &another, 1), REFUSAL_SHARE);
    schedule_leave(&s, &most[0], false);
    assert_int_equal(crowd(&s, few, 2, 2, 1), 1);
    another.client = 2; /* one task of twelve would be its own */
    assert_int_equal(schedule_admit(&s, &another, 1), REFUSAL_PATIENCE);
    another.client = 3;
    assert_int_equal(schedule_admit(&s, &another, 1), REFUSAL_PATIENCE);
    for (unsigned i = 1; i <= 5; i++)
        schedule_leave(&s, &most[i], false);
    assert_int_equal(crowd(&s, half, 5, 2, 1), 5);
    another.client = 2; /* six of twelve: more than a third, but not most */
    assert_int_equal(schedule_admit(&s, &another, 1), REFUSAL_PATIENCE);
}

static void clients_are_forgotten_after_half_a_minute(void **state) {
    (void)state;
    schedule s = of(1, 100 * MS);
    task heavy[12], other;
    assert_int_equal(crowd(&s, &other, 1, 2, 1), 1);
    schedule_leave(&s, &other, false);
    for (int i = 0; i < 50; i++) {
        crowd(&s, heavy, 12, 1, (uint64_t)(29 * S));
        for (unsigned n = 0; n < 12; n++)
            schedule_leave(&s, &heavy[n], false);
    }
    assert_int_equal(crowd(&s, heavy, 12, 1, (uint64_t)(29 * S)), 6);
    for (unsigned n = 0; n < 12; n++)
        schedule_leave(&s, &heavy[n], false);
    assert_int_equal(crowd(&s, heavy, 12, 1, (uint64_t)(31 * S)), 11);
}

static void others_ask_for_half_a_minute_after_they_asked(void **state) {
    (void)state;
    schedule s = of(1, 100 * MS);
    task t = work_of(MS, 1);
    assert_false(schedule_others_ask(&s, 1, 1));
    admitted(&s, &t, 1);
    run(&s, &t);
    assert_false(schedule_others_ask(&s, 1, 2));
    assert_true(schedule_others_ask(&s, 2, (uint64_t)(29 * S)));
    assert_false(schedule_others_ask(&s, 2, (uint64_t)(31 * S)));
}

static void more_clients_than_are_remembered_are_admitted(void **state) {
    (void)state;
    schedule s = of(1, 100 * MS);
    task t;
    for (unsigned i = 0; i < 10 * SCHEDULE_CLIENTS; i++) {
        t = work_of(MS, i);
        admitted(&s, &t, i + 1);
        run(&s, &t);
    }
}

RUN(T(a_client_that_asks_alone_may_use_all_of_the_capacity),
    T(a_client_that_used_much_leaves_capacity_to_others),
    T(a_client_with_most_of_the_demand_is_refused_by_share),
    T(others_ask_for_half_a_minute_after_they_asked), T(clients_are_forgotten_after_half_a_minute),
    T(more_clients_than_are_remembered_are_admitted))
