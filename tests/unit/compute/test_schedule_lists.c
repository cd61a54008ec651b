#include "unit.h"

#include "compute/schedule.h"

/* What the schedule's lists and counts must be, by all of its tasks. */
static void assert_consistent(const schedule *s, const task *tasks, const unsigned *running_long,
                              unsigned n) {
    unsigned admitted = 0, listed = 0, found = 0, lengthy = 0, waiting[2] = {0};
    for (unsigned i = 0; i < n; i++) {
        admitted += tasks[i].admitted;
        listed += tasks[i].admitted && tasks[i].deadline != SCHEDULE_IDLE;
        waiting[tasks[i].indivisible] += tasks[i].waiting;
        lengthy += tasks[i].lengthy ? running_long[i] : 0;
    }
    const task *last = NULL;
    for (const task *t = s->first; t && found <= n; last = t, t = t->next, found++) {
        assert_true(t->admitted && t->deadline != SCHEDULE_IDLE && t->previous == last);
        assert_true(!last || last->deadline <= t->deadline);
    }
    assert_ptr_equal(s->last, last);
    assert_int_equal(found, listed);
    assert_int_equal(s->admitted, admitted);
    assert_int_equal(s->lengthy, lengthy);
    assert_true(lengthy < s->threads);
    assert_memory_equal(s->waiting, waiting, sizeof waiting);
}

static void lists_and_counts_are_right_whatever_happens_in_whatever_order(void **state) {
    (void)state;
    enum { TASKS = 40, STEPS = 20000 };
    task tasks[TASKS] = {0};
    schedule s;
    uint64_t random = 11, now = 1;
    unsigned taken = 0, refused = 0, running_long[TASKS] = {0};
    schedule_init(&s, 3, TASKS, 0.5e6);
    for (unsigned step = 0; step < STEPS; step++) {
        uint64_t drawn = unit_random(&random);
        size_t i = drawn % TASKS;
        task *t = &tasks[i];
        now += drawn >> 40; /* 8 ms on average */
        if (!t->admitted && !t->running) {
            double cost = (double)(drawn >> 44);
            *t = (task){.cost = cost,
                        .window = cost,
                        .client = drawn >> 8 & 3,
                        .indivisible = drawn >> 10 & 1,
                        .yields = drawn >> 10 & 3,
                        .lengthy = (drawn >> 10 & 3) == 3};
            refused += schedule_admit(&s, t, now) != REFUSAL_NONE;
        } else if (t->running && !t->waiting && (drawn >> 17 & 3) == 0) {
            schedule_set_indivisible(&s, t, drawn >> 16 & 1, now); /* another stage begins */
        } else if (t->running) {
            bool indivisible = running_long[i] > 0;
            running_long[i] -= indivisible;
            schedule_ran(&s, t, indivisible, now);
        } else if (drawn >> 11 & 1) {
            schedule_wake(&s, t, now);
        } else if ((drawn >> 12 & 7) == 1 && !t->waiting) {
            schedule_set_indivisible(&s, t, drawn >> 16 & 1, now);
        } else if ((drawn >> 12 & 7) == 0) {
            schedule_leave(&s, t, drawn >> 15 & 1);
        } else {
            bool indivisible = drawn >> 16 & 1;
            t = schedule_take(&s, indivisible, now);
            if (t)
                running_long[t - tasks] += indivisible;
            taken += t != NULL;
        }
        assert_consistent(&s, tasks, running_long, TASKS);
    }
    assert_true(taken > STEPS / 100 && refused > 0);
}

RUN(T(lists_and_counts_are_right_whatever_happens_in_whatever_order))
