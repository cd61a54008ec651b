#include "unit.h"

#include "compute/schedule.h"

#define MS 1e6
#define S  1e9

static schedule of(unsigned threads, double patience) {
    schedule s;
    schedule_init(&s, threads, 64, patience);
    return s;
}

static turn work_of(double cost, uint64_t client) {
    return (turn){.cost = cost, .window = cost, .client = client};
}

static void admitted(schedule *s, turn *t, uint64_t now) {
    assert_int_equal(schedule_admit(s, t, now), REFUSAL_NONE);
    assert_true(schedule_wake(s, t, now));
}

/* All of it, at once. */
static void run(schedule *s, turn *t) {
    assert_ptr_equal(schedule_take(s, 0), t);
    schedule_leave(s, t, false);
    schedule_ran(s, t, (uint64_t)t->cost);
}

static void an_idle_machine_takes_any_job(void **state) {
    (void)state;
    static const double costs[] = {0, 1, MS, S, 1e4 * S, 1e30};
    for (unsigned i = 0; i < sizeof costs / sizeof *costs; i++) {
        schedule s = of(2, 0);
        turn t = work_of(costs[i], 1);
        admitted(&s, &t, 1000);
    }
}

static void small_jobs_overtake_large_ones(void **state) {
    (void)state;
    schedule s = of(1, 0);
    turn large = work_of(100 * MS, 1), small = work_of(MS, 1), tiny = work_of(MS / 2, 1);
    admitted(&s, &large, 1);
    admitted(&s, &small, 2);
    admitted(&s, &tiny, 3);
    run(&s, &tiny);
    run(&s, &small);
    run(&s, &large);
    assert_null(schedule_take(&s, 0));
}

static void equals_go_in_the_order_they_came(void **state) {
    (void)state;
    schedule s = of(1, S);
    turn t[5];
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
    turn t[3] = {work_of(1, 1), work_of(1, 1), work_of(1, 1)};
    admitted(&s, &t[0], 1);
    admitted(&s, &t[1], 1);
    assert_int_equal(schedule_admit(&s, &t[2], 1), REFUSAL_QUEUE);
    run(&s, &t[0]);
    admitted(&s, &t[2], 1);
}

static void what_would_come_too_late_is_refused(void **state) {
    (void)state;
    schedule s = of(1, 0);
    turn first = work_of(10 * MS, 1), second = work_of(10 * MS, 2), third = work_of(10 * MS, 3);
    admitted(&s, &first, 1);
    assert_int_equal(schedule_admit(&s, &second, 1),
                     REFUSAL_PATIENCE); /* twice its time: not quite */
    assert_ptr_equal(schedule_take(&s, 1), &first);
    assert_true(schedule_wake(&s, &first, 1));
    const uint64_t now = (uint64_t)(2 * MS);
    admitted(&s, &second, now); /* for as much of the first is done by then */
    assert_int_equal(schedule_admit(&s, &third, now), REFUSAL_PATIENCE);
}

static void what_would_make_others_late_is_refused(void **state) {
    (void)state;
    schedule s = of(1, 0);
    turn large = work_of(100 * MS, 1), other = work_of(85 * MS, 2), small = work_of(9 * MS, 3);
    admitted(&s, &large, 1);
    admitted(&s, &other, 1);
    /* By itself it would be on time, before both. */
    assert_int_equal(schedule_admit(&s, &small, 1), REFUSAL_PATIENCE);
    small.cost = small.window = 4 * MS;
    admitted(&s, &small, 1);
}

static void a_promise_that_is_lost_anyway_refuses_nobody(void **state) {
    (void)state;
    schedule s = of(1, 0);
    turn large = work_of(S, 1), small = work_of(MS, 2);
    admitted(&s, &large, 1);
    s.pace = 4; /* the machine turns out to be slow, and two seconds were promised */
    admitted(&s, &small, 2);
    run(&s, &small);
}

static void patience_lets_more_wait(void **state) {
    (void)state;
    schedule s = of(2, 100 * MS);
    turn t[40];
    unsigned taken = 0;
    for (unsigned i = 0; i < 40; i++) {
        t[i] = work_of(10 * MS, i);
        taken += schedule_admit(&s, &t[i], 1) == REFUSAL_NONE;
    }
    assert_int_equal(taken, 21); /* (5 + 100) ms of two cores; width: any */
}

static void what_one_thread_must_do_alone_has_longer(void **state) {
    (void)state;
    schedule s = of(4, 0);
    turn wide = work_of(80 * MS, 1), serial = work_of(80 * MS, 1), narrow = work_of(80 * MS, 1);
    serial.serial = 80 * MS;
    narrow.width = 2;
    admitted(&s, &wide, 0);
    admitted(&s, &serial, 0);
    admitted(&s, &narrow, 0);
    assert_true(wide.deadline == (uint64_t)(38 * MS));
    assert_true(narrow.deadline == (uint64_t)(76 * MS));
    assert_true(serial.deadline == (uint64_t)(152 * MS));
}

static void a_client_may_have_all_while_nobody_else_asks(void **state) {
    (void)state;
    schedule s = of(1, 100 * MS);
    turn t[12];
    unsigned taken = 0;
    for (unsigned i = 0; i < 12; i++) {
        t[i] = work_of(10 * MS, 7);
        taken += schedule_admit(&s, &t[i], 1) == REFUSAL_NONE;
    }
    assert_int_equal(taken, 11);
}

/* Of one client: how many jobs of 10 ms are taken at once. */
static unsigned crowd(schedule *s, turn *t, unsigned n, uint64_t client, uint64_t now) {
    unsigned taken = 0;
    for (unsigned i = 0; i < n; i++) {
        t[i] = work_of(10 * MS, client);
        taken += schedule_admit(s, &t[i], now) == REFUSAL_NONE;
    }
    return taken;
}

static void a_client_that_had_much_leaves_room_to_who_had_little(void **state) {
    (void)state;
    schedule s = of(1, 100 * MS);
    turn heavy[12], light[12];
    uint64_t now = 1;
    assert_int_equal(crowd(&s, light, 1, 2, now), 1);
    schedule_leave(&s, &light[0], false);
    for (int i = 0; i < 200;
         i++, now += (uint64_t)(100 * MS)) { /* twenty seconds of all there is */
        crowd(&s, heavy, 12, 1, now);
        for (unsigned n = 0; n < 12; n++)
            schedule_leave(&s, &heavy[n], false);
    }
    assert_int_equal(crowd(&s, heavy, 12, 1, now), 7);
    turn more = work_of(10 * MS, 1);
    assert_int_equal(schedule_admit(&s, &more, now), REFUSAL_SHARE);
    assert_int_equal(crowd(&s, light, 12, 2, now), 4);
    assert_int_equal(schedule_admit(&s, &more, now), REFUSAL_PATIENCE);
}

static void others_are_forgotten_after_half_a_minute(void **state) {
    (void)state;
    schedule s = of(1, 100 * MS);
    turn heavy[12], other;
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

static void more_clients_than_are_remembered_do_no_harm(void **state) {
    (void)state;
    schedule s = of(1, 100 * MS);
    turn t;
    for (unsigned i = 0; i < 10 * SCHEDULE_CLIENTS; i++) {
        t = work_of(MS, i);
        admitted(&s, &t, i + 1);
        run(&s, &t);
    }
}

static void who_waits_for_its_reader_demands_nothing(void **state) {
    (void)state;
    schedule s = of(1, 0);
    turn stream = work_of(1e3 * S, 1), small = work_of(MS, 2);
    stream.window = 10 * MS;
    admitted(&s, &stream, 1);
    assert_true(schedule_demand(&s, 1) == 1e3 * S);
    assert_ptr_equal(schedule_take(&s, 1), &stream);
    schedule_ran(&s, &stream, 1 + (uint64_t)(10 * MS)); /* and no more to do until it is read */
    assert_true(schedule_demand(&s, (uint64_t)S) == 0);
    assert_null(schedule_take(&s, (uint64_t)S));
    admitted(&s, &small, (uint64_t)S);
    run(&s, &small);
    /* When it is read, a window of it is promised. */
    assert_true(schedule_wake(&s, &stream, (uint64_t)S));
    assert_true(schedule_demand(&s, (uint64_t)S) == 10 * MS);
    assert_ptr_equal(schedule_take(&s, (uint64_t)S), &stream);
}

static void a_job_that_takes_longer_than_promised_locks_nobody_out(void **state) {
    (void)state;
    schedule s = of(1, 0);
    turn wrong = work_of(100 * MS, 1), small = work_of(MS, 2);
    uint64_t now = (uint64_t)(300 * MS);
    admitted(&s, &wrong, 0);
    assert_ptr_equal(schedule_take(&s, now - (uint64_t)(30 * MS)), &wrong);
    assert_true(schedule_wake(&s, &wrong, now)); /* late, and little of it is done */
    schedule_ran(&s, &wrong, now);
    admitted(&s, &small, now);
    run(&s, &small);
    /* Nor where it has taken all that was estimated, and nobody knows how much more. */
    assert_ptr_equal(schedule_take(&s, now), &wrong);
    now = (uint64_t)(900 * MS);
    assert_true(schedule_wake(&s, &wrong, now));
    schedule_ran(&s, &wrong, now);
    small = work_of(MS, 2);
    admitted(&s, &small, now);
    run(&s, &small);
    assert_ptr_equal(schedule_take(&s, now), &wrong);
}

static void a_job_that_is_a_little_late_comes_before_newcomers(void **state) {
    (void)state;
    static const double done[] = {95, 104}; /* of 100: less than estimated is left, or nothing */
    for (unsigned i = 0; i < 2; i++) {
        schedule s = of(1, 0);
        turn late = work_of(100 * MS, 1), newcomer = work_of(100 * MS, 2);
        const uint64_t now = (uint64_t)(191 * MS);
        admitted(&s, &late, 0); /* until 190 */
        assert_ptr_equal(schedule_take(&s, now - (uint64_t)(done[i] * MS)), &late);
        assert_true(schedule_wake(&s, &late, now));
        schedule_ran(&s, &late, now);
        admitted(&s, &newcomer, now);
        assert_ptr_equal(schedule_take(&s, now), &late);
    }
}

static void a_long_slice_is_not_waited_for_twice(void **state) {
    (void)state;
    schedule s = of(1, 0);
    turn whole = work_of(S, 1), small = work_of(MS, 2);
    admitted(&s, &whole, 1);
    assert_ptr_equal(schedule_take(&s, 1), &whole);
    /* Almost done; as if nothing of it were, it would be late by now. */
    admitted(&s, &small, (uint64_t)(0.95 * S));
    assert_true(schedule_demand(&s, (uint64_t)(0.95 * S)) < 60 * MS);
}

static void a_line_learns_how_fast_the_machine_is(void **state) {
    (void)state;
    schedule s = of(1, 0);
    for (int i = 0; i < 200; i++) {
        turn t = work_of(MS, 1);
        admitted(&s, &t, 1);
        assert_ptr_equal(schedule_take(&s, 1), &t);
        schedule_leave(&s, &t, false);
        schedule_ran(&s, &t, 1 + (uint64_t)(3 * MS));
    }
    assert_true(s.pace > 2.9 && s.pace < 3.1);
    turn t = work_of(MS, 1);
    admitted(&s, &t, 1);
    assert_true(schedule_demand(&s, 1) > 2.9 * MS);
    schedule_leave(&s, &t, true);
    /* What was cut off says nothing. */
    turn cut = work_of(MS, 1);
    double pace = s.pace;
    admitted(&s, &cut, 1);
    assert_ptr_equal(schedule_take(&s, 1), &cut);
    schedule_leave(&s, &cut, true);
    schedule_ran(&s, &cut, (uint64_t)(900 * MS));
    assert_true(s.pace == pace);
}

static void who_left_is_not_woken(void **state) {
    (void)state;
    schedule s = of(1, S);
    turn t = work_of(MS, 1);
    assert_false(schedule_wake(&s, &t, 1));
    admitted(&s, &t, 1);
    assert_false(schedule_wake(&s, &t, 1)); /* it waits already */
    assert_true(schedule_leave(&s, &t, true));
    assert_false(schedule_leave(&s, &t, true));
    assert_false(schedule_wake(&s, &t, 1));
    assert_null(schedule_take(&s, 0));
}

/* ---- a machine whose clock is a number, and ten times as much to do as it can ---- */

enum { THREADS = 4, JOBS = 40000, CLIENTS = 6 };

typedef struct sim {
    schedule line;
    turn turns[JOBS];
    double left[JOBS]; /* of the slices not begun */
    uint64_t promised[JOBS], until[THREADS];
    turn *busy[THREADS];
    double slice[THREADS];
    uint64_t latest; /* that anything passed its promise by */
    double done[CLIENTS], asked[CLIENTS];
} sim;

#define SLICE MS

/* What ends by `now`, and what then begins. */
static void advance(sim *m, uint64_t now) {
    for (;;) {
        unsigned first = 0;
        for (unsigned i = 1; i < THREADS; i++)
            first = m->until[i] < m->until[first] ? i : first;
        uint64_t at = m->until[first];
        if (at > now)
            return;
        turn *t = m->busy[first];
        if (t) {
            size_t j = (size_t)(t - m->turns);
            bool last = m->left[j] <= 0 && t->running == 1 && !t->waiting;
            if (last) {
                schedule_leave(&m->line, t, false);
                m->done[t->client] += t->cost;
                uint64_t over = at > m->promised[j] ? at - m->promised[j] : 0;
                m->latest = over > m->latest ? over : m->latest;
            }
            schedule_ran(&m->line, t, at);
            m->busy[first] = NULL;
        }
        t = schedule_take(&m->line, at);
        m->until[first] = now;
        if (!t) {
            m->until[first] = now + 1;
            continue;
        }
        size_t j = (size_t)(t - m->turns);
        m->busy[first] = t;
        m->slice[first] = m->left[j] < SLICE ? m->left[j] : SLICE;
        m->left[j] -= m->slice[first];
        m->until[first] = at + (uint64_t)m->slice[first];
        if (m->left[j] > 0)
            schedule_wake(&m->line, t, at);
    }
}

/* Client 0 asks for a twentieth of the machine, the others for ten machines. */
static void arrive(sim *m, unsigned j, uint64_t now, uint64_t *random) {
    double draw = (double)(unit_random(random) >> 11) * 0x1p-53;
    unsigned client = j % 40 == 0 ? 0 : 1 + j % (CLIENTS - 1);
    double cost = client == 0 ? 4 * MS : draw < 0.9 ? 10 * MS * draw : 400 * MS * draw;
    turn *t = &m->turns[j];
    *t = work_of(cost, client);
    m->left[j] = cost;
    m->asked[client] += cost;
    if (schedule_admit(&m->line, t, now) == REFUSAL_NONE) {
        m->promised[j] = t->deadline;
        schedule_wake(&m->line, t, now);
    }
}

static void at_ten_times_capacity_every_promise_is_kept_and_the_modest_are_served(void **state) {
    (void)state;
    static sim m;
    uint64_t random = 7, now = 1;
    m = (sim){.line = of(THREADS, 20 * MS)};
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
    assert_true(done > 0.8 * machine);            /* nothing idles */
    assert_true(m.latest <= 2 * (uint64_t)SLICE); /* a slice that runs is not interrupted */
    assert_true(m.done[0] > 0.9 * m.asked[0]);
    for (unsigned i = 2; i < CLIENTS; i++)
        assert_true(m.done[i] > 0.5 * m.done[1] && m.done[i] < 2 * m.done[1]);
}

/* Who takes short slices never takes a long one, and the other way round; both count. */
static void what_is_uncut_is_taken_apart_and_teaches_no_pace(void **state) {
    (void)state;
    schedule s;
    schedule_init(&s, 1, 10, 1e9);
    turn plain = {.cost = 1e6}, uncut = {.cost = 1e6, .uncut = true, .vague = true};
    assert_int_equal(schedule_admit(&s, &uncut, 0), REFUSAL_NONE);
    assert_int_equal(schedule_admit(&s, &plain, 0), REFUSAL_NONE);
    assert_true(schedule_demand(&s, 0) == 2e6);
    assert_true(schedule_wake(&s, &uncut, 0));
    assert_null(schedule_take(&s, 0));
    assert_true(schedule_wake(&s, &plain, 0));
    assert_ptr_equal(schedule_take(&s, 0), &plain);
    assert_null(schedule_take(&s, 0));
    assert_ptr_equal(schedule_take_uncut(&s, 0), &uncut);
    assert_null(schedule_take_uncut(&s, 0));
    schedule_leave(&s, &uncut, false);
    schedule_ran(&s, &uncut, 50000000);
    assert_true(s.pace == 1);
}

RUN(T(what_is_uncut_is_taken_apart_and_teaches_no_pace), T(an_idle_machine_takes_any_job),
    T(small_jobs_overtake_large_ones), T(equals_go_in_the_order_they_came),
    T(no_more_than_the_limit_are_admitted), T(what_would_come_too_late_is_refused),
    T(what_would_make_others_late_is_refused), T(a_promise_that_is_lost_anyway_refuses_nobody),
    T(patience_lets_more_wait), T(what_one_thread_must_do_alone_has_longer),
    T(a_client_may_have_all_while_nobody_else_asks),
    T(a_client_that_had_much_leaves_room_to_who_had_little),
    T(more_clients_than_are_remembered_do_no_harm), T(others_are_forgotten_after_half_a_minute),
    T(who_waits_for_its_reader_demands_nothing),
    T(a_job_that_takes_longer_than_promised_locks_nobody_out),
    T(a_job_that_is_a_little_late_comes_before_newcomers), T(a_long_slice_is_not_waited_for_twice),
    T(a_line_learns_how_fast_the_machine_is), T(who_left_is_not_woken),
    T(at_ten_times_capacity_every_promise_is_kept_and_the_modest_are_served))
