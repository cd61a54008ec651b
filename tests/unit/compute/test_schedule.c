#include "scheduled.h"

static void an_idle_schedule_admits_any_task(void **state) {
    (void)state;
    static const double costs[] = {0, 1, MS, S, 1e4 * S, 1e30};
    for (unsigned i = 0; i < sizeof costs / sizeof *costs; i++) {
        schedule s = of(2, 0);
        task t = work_of(costs[i], 1);
        admitted(&s, &t, 1000);
    }
}

static void small_tasks_overtake_large_ones(void **state) {
    (void)state;
    schedule s = of(1, 0);
    task large = work_of(100 * MS, 1), small = work_of(MS, 1), tiny = work_of(MS / 2, 1);
    admitted(&s, &large, 1);
    admitted(&s, &small, 2);
    admitted(&s, &tiny, 3);
    run(&s, &tiny);
    run(&s, &small);
    run(&s, &large);
    assert_null(schedule_take(&s, false, 0));
}

static void equal_tasks_run_in_the_order_they_came(void **state) {
    (void)state;
    schedule s = of(1, S);
    task t[5];
    for (unsigned i = 0; i < 5; i++) {
        t[i] = work_of(MS, 1);
        admitted(&s, &t[i], i);
    }
    for (unsigned i = 0; i < 5; i++)
        run(&s, &t[i]);
}

static void no_more_than_the_limit_are_admitted(void **state) {
    (void)state;
    schedule s;
    schedule_init(&s, 1, 2, 1e3 * S);
    task t[3] = {work_of(1, 1), work_of(1, 1), work_of(1, 1)};
    admitted(&s, &t[0], 1);
    admitted(&s, &t[1], 1);
    assert_int_equal(schedule_admit(&s, &t[2], 1), REFUSAL_QUEUE);
    run(&s, &t[0]);
    admitted(&s, &t[2], 1);
}

static void a_task_that_would_miss_its_deadline_is_refused(void **state) {
    (void)state;
    schedule s = of(1, 0);
    task first = work_of(10 * MS, 1), second = work_of(10 * MS, 2), third = work_of(10 * MS, 3);
    admitted(&s, &first, 1);
    assert_int_equal(schedule_admit(&s, &second, 1),
                     REFUSAL_PATIENCE); /* the first leaves too little time */
    assert_ptr_equal(schedule_take(&s, false, 1), &first);
    assert_true(schedule_wake(&s, &first, 1));
    const uint64_t now = (uint64_t)(2 * MS);
    admitted(&s, &second, now); /* the first has run for so long by then */
    assert_int_equal(schedule_admit(&s, &third, now), REFUSAL_PATIENCE);
}

static void a_task_that_would_make_others_miss_theirs_is_refused(void **state) {
    (void)state;
    schedule s = of(1, 0);
    task large = work_of(100 * MS, 1), other = work_of(85 * MS, 2), small = work_of(9 * MS, 3);
    admitted(&s, &large, 1);
    admitted(&s, &other, 1);
    /* It would meet its own deadline, which is before both others. */
    assert_int_equal(schedule_admit(&s, &small, 1), REFUSAL_PATIENCE);
    small.cost = small.window = 4 * MS;
    admitted(&s, &small, 1);
}

static void a_deadline_that_is_missed_anyway_refuses_nobody(void **state) {
    (void)state;
    schedule s = of(1, 0);
    task large = work_of(S, 1), small = work_of(MS, 2);
    admitted(&s, &large, 1);
    s.pace = 4; /* the machine turns out to be slow: the large task's deadline is lost */
    admitted(&s, &small, 2);
    run(&s, &small);
}

static void patience_lets_more_tasks_wait(void **state) {
    (void)state;
    schedule s = of(2, 100 * MS);
    task t[40];
    unsigned taken = 0;
    for (unsigned i = 0; i < 40; i++) {
        t[i] = work_of(10 * MS, i);
        taken += schedule_admit(&s, &t[i], 1) == REFUSAL_NONE;
    }
    assert_int_equal(taken, 21); /* (5 + 100) ms of two cores */
}

static void serial_work_has_a_later_deadline(void **state) {
    (void)state;
    schedule s = of(4, 0);
    task wide = work_of(80 * MS, 1), serial = work_of(80 * MS, 1), narrow = work_of(80 * MS, 1);
    serial.serial = 80 * MS;
    narrow.width = 2;
    admitted(&s, &wide, 0);
    admitted(&s, &serial, 0);
    admitted(&s, &narrow, 0);
    assert_true(wide.deadline == (uint64_t)(38 * MS));
    assert_true(narrow.deadline == (uint64_t)(76 * MS));
    assert_true(serial.deadline == (uint64_t)(152 * MS));
}

static void a_task_that_waits_for_its_reader_demands_nothing(void **state) {
    (void)state;
    schedule s = of(1, 0);
    task stream = work_of(1e3 * S, 1), small = work_of(MS, 2);
    stream.window = 10 * MS;
    admitted(&s, &stream, 1);
    assert_true(schedule_demand(&s, 1) == 1e3 * S);
    assert_ptr_equal(schedule_take(&s, false, 1), &stream);
    schedule_ran(&s, &stream, false, 1 + (uint64_t)(10 * MS)); /* the window is full */
    assert_true(schedule_demand(&s, (uint64_t)S) == 0);
    assert_null(schedule_take(&s, false, (uint64_t)S));
    admitted(&s, &small, (uint64_t)S);
    run(&s, &small);
    /* A reader that reads on demands one window. */
    assert_true(schedule_wake(&s, &stream, (uint64_t)S));
    assert_true(schedule_demand(&s, (uint64_t)S) == 10 * MS);
    assert_ptr_equal(schedule_take(&s, false, (uint64_t)S), &stream);
}

static void a_task_past_its_estimate_locks_nobody_out(void **state) {
    (void)state;
    schedule s = of(1, 0);
    task wrong = work_of(100 * MS, 1), small = work_of(MS, 2);
    uint64_t now = (uint64_t)(300 * MS);
    admitted(&s, &wrong, 0);
    assert_ptr_equal(schedule_take(&s, false, now - (uint64_t)(30 * MS)), &wrong);
    assert_true(schedule_wake(&s, &wrong, now)); /* it is late, and little of it is done */
    schedule_ran(&s, &wrong, false, now);
    admitted(&s, &small, now);
    run(&s, &small);
    /* The same holds once the estimate is used up, and nobody knows how much is left. */
    assert_ptr_equal(schedule_take(&s, false, now), &wrong);
    now = (uint64_t)(900 * MS);
    assert_true(schedule_wake(&s, &wrong, now));
    schedule_ran(&s, &wrong, false, now);
    small = work_of(MS, 2);
    admitted(&s, &small, now);
    run(&s, &small);
    assert_ptr_equal(schedule_take(&s, false, now), &wrong);
}

static void a_task_that_is_a_little_late_runs_before_newcomers(void **state) {
    (void)state;
    static const double done[] = {
        95, 104}; /* of 100 ms: a little is left, or nothing by the estimate */
    for (unsigned i = 0; i < 2; i++) {
        schedule s = of(1, 0);
        task late = work_of(100 * MS, 1), newcomer = work_of(100 * MS, 2);
        const uint64_t now = (uint64_t)(191 * MS);
        admitted(&s, &late, 0); /* its deadline is at 190 ms */
        assert_ptr_equal(schedule_take(&s, false, now - (uint64_t)(done[i] * MS)), &late);
        assert_true(schedule_wake(&s, &late, now));
        schedule_ran(&s, &late, false, now);
        admitted(&s, &newcomer, now);
        assert_ptr_equal(schedule_take(&s, false, now), &late);
    }
}

static void run_time_of_a_running_slice_is_not_demanded_again(void **state) {
    (void)state;
    schedule s = of(1, 0);
    task whole = work_of(S, 1), small = work_of(MS, 2);
    admitted(&s, &whole, 1);
    assert_ptr_equal(schedule_take(&s, false, 1), &whole);
    /* The running slice is almost done. Were its time not counted, the task would be late. */
    admitted(&s, &small, (uint64_t)(0.95 * S));
    assert_true(schedule_demand(&s, (uint64_t)(0.95 * S)) < 60 * MS);
}

static void the_pace_follows_measured_times(void **state) {
    (void)state;
    schedule s = of(1, 0);
    for (int i = 0; i < 200; i++) {
        task t = work_of(MS, 1);
        admitted(&s, &t, 1);
        assert_ptr_equal(schedule_take(&s, false, 1), &t);
        schedule_leave(&s, &t, false);
        schedule_ran(&s, &t, false, 1 + (uint64_t)(3 * MS));
    }
    assert_true(s.pace > 2.9 && s.pace < 3.1);
    task t = work_of(MS, 1);
    admitted(&s, &t, 1);
    assert_true(schedule_demand(&s, 1) > 2.9 * MS);
    schedule_leave(&s, &t, true);
    /* A cancelled task leaves the pace. */
    task cut = work_of(MS, 1);
    double pace = s.pace;
    admitted(&s, &cut, 1);
    assert_ptr_equal(schedule_take(&s, false, 1), &cut);
    schedule_leave(&s, &cut, true);
    schedule_ran(&s, &cut, false, (uint64_t)(900 * MS));
    assert_true(s.pace == pace);
}

static void a_task_that_left_is_not_woken(void **state) {
    (void)state;
    schedule s = of(1, S);
    task t = work_of(MS, 1);
    assert_false(schedule_wake(&s, &t, 1));
    admitted(&s, &t, 1);
    assert_false(schedule_wake(&s, &t, 1)); /* it waits already */
    assert_true(schedule_leave(&s, &t, true));
    assert_false(schedule_leave(&s, &t, true));
    assert_false(schedule_wake(&s, &t, 1));
    assert_null(schedule_take(&s, false, 0));
}

/* ---- a simulated machine with ten times as much work as it has capacity for ---- */

enum { THREADS = 4, JOBS = 40000, CLIENTS = 6 };

typedef struct sim {
    schedule schedule;
    task tasks[JOBS];
    double left[JOBS]; /* cost of the slices that have not begun */
    uint64_t deadlines[JOBS], until[THREADS];
    task *busy[THREADS];
    double slice[THREADS];
    uint64_t latest; /* the most that a task missed its deadline by */
    double done[CLIENTS], asked[CLIENTS];
} sim;

#define SLICE MS

/* Ends the slices that end by `now`, and begins those that follow. */
static void advance(sim *m, uint64_t now) {
    for (;;) {
        unsigned first = 0;
        for (unsigned i = 1; i < THREADS; i++)
            first = m->until[i] < m->until[first] ? i : first;
        uint64_t at = m->until[first];
        if (at > now)
            return;
        task *t = m->busy[first];
        if (t) {
            size_t j = (size_t)(t - m->tasks);
            bool last = m->left[j] <= 0 && t->running == 1 && !t->waiting;
            if (last) {
                schedule_leave(&m->schedule, t, false);
                m->done[t->client] += t->cost;
                uint64_t over = at > m->deadlines[j] ? at - m->deadlines[j] : 0;
                m->latest = over > m->latest ? over : m->latest;
            }
            schedule_ran(&m->schedule, t, false, at);
            m->busy[first] = NULL;
        }
        t = schedule_take(&m->schedule, false, at);
        m->until[first] = now;
        if (!t) {
            m->until[first] = now + 1;
            continue;
        }
        size_t j = (size_t)(t - m->tasks);
        m->busy[first] = t;
        m->slice[first] = m->left[j] < SLICE ? m->left[j] : SLICE;
        m->left[j] -= m->slice[first];
        m->until[first] = at + (uint64_t)m->slice[first];
        if (m->left[j] > 0)
            schedule_wake(&m->schedule, t, at);
    }
}

/* Client 0 asks for a twentieth of the capacity, the others for ten times the capacity. */
static void arrive(sim *m, unsigned j, uint64_t now, uint64_t *random) {
    double draw = (double)(unit_random(random) >> 11) * 0x1p-53;
    unsigned client = j % 40 == 0 ? 0 : 1 + j % (CLIENTS - 1);
    double cost = client == 0 ? 4 * MS : draw < 0.9 ? 10 * MS * draw : 400 * MS * draw;
    task *t = &m->tasks[j];
    *t = work_of(cost, client);
    m->left[j] = cost;
    m->asked[client] += cost;
    if (schedule_admit(&m->schedule, t, now) == REFUSAL_NONE) {
        m->deadlines[j] = t->deadline;
        schedule_wake(&m->schedule, t, now);
    }
}

static void at_ten_times_capacity_deadlines_are_met_and_modest_clients_served(void **state) {
    (void)state;
    static sim m;
    uint64_t random = 7, now = 1;
    m = (sim){.schedule = of(THREADS, 20 * MS)};
    for (unsigned j = 0; j < JOBS; j++) {
        now += (uint64_t)(1.1 * MS);
        advance(&m, now);
        arrive(&m, j, now, &random);
    }
    double asked = 0, done = 0;
    for (unsigned i = 0; i < CLIENTS; i++) {
        asked += m.asked[i];
        done += m.done[i];
    }
    double machine = THREADS * (double)now;
    assert_true(asked > 9 * machine);
    assert_true(done > 0.8 * machine);            /* the threads do not idle */
    assert_true(m.latest <= 2 * (uint64_t)SLICE); /* a slice that runs is not interrupted */
    assert_true(m.done[0] > 0.9 * m.asked[0]);
    for (unsigned i = 2; i < CLIENTS; i++)
        assert_true(m.done[i] > 0.5 * m.done[1] && m.done[i] < 2 * m.done[1]);
}

RUN(T(an_idle_schedule_admits_any_task), T(small_tasks_overtake_large_ones),
    T(equal_tasks_run_in_the_order_they_came), T(no_more_than_the_limit_are_admitted),
    T(a_task_that_would_miss_its_deadline_is_refused),
    T(a_task_that_would_make_others_miss_theirs_is_refused),
    T(a_deadline_that_is_missed_anyway_refuses_nobody), T(patience_lets_more_tasks_wait),
    T(serial_work_has_a_later_deadline), T(a_task_that_waits_for_its_reader_demands_nothing),
    T(a_task_past_its_estimate_locks_nobody_out),
    T(a_task_that_is_a_little_late_runs_before_newcomers),
    T(run_time_of_a_running_slice_is_not_demanded_again), T(the_pace_follows_measured_times),
    T(a_task_that_left_is_not_woken),
    T(at_ten_times_capacity_deadlines_are_met_and_modest_clients_served))
