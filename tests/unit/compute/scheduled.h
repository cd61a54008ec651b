/*
 * scheduled.h - schedules and tasks for tests
 */
#ifndef SCHEDULED_H
#define SCHEDULED_H

#include "unit.h"

#include "compute/schedule.h"

#define MS 1e6
#define S  1e9

static inline schedule of(unsigned threads, double patience) {
    schedule s;
    schedule_init(&s, threads, 64, patience);
    return s;
}

static inline task work_of(double cost, uint64_t client) {
    return (task){.cost = cost, .window = cost, .client = client};
}

static inline void admitted(schedule *s, task *t, uint64_t now) {
    assert_int_equal(schedule_admit(s, t, now), REFUSAL_NONE);
    assert_true(schedule_wake(s, t, now));
}

/* Runs all of the task as one slice. */
static inline void run(schedule *s, task *t) {
    assert_ptr_equal(schedule_take(s, false, 0), t);
    schedule_leave(s, t, false);
    schedule_ran(s, t, false, (uint64_t)t->cost);
}

#endif
