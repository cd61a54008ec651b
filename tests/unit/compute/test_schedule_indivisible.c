#include "scheduled.h"

static task upload_of(double cost, uint64_t client) {
    return (task){.cost = cost,
                  .serial = cost,
                  .window = cost,
                  .width = 1,
                  .client = client,
                  .indivisible = true,
                  .yields = true,
                  .cost_is_guess = true};
}

static void an_indivisible_task_delays_only_its_like(void **state) {
    (void)state;
    schedule s = of(1, 100 * MS);
    task first = upload_of(90 * MS, 1), second = upload_of(90 * MS, 2);
    task third = upload_of(95 * MS, 3), divisible = work_of(95 * MS, 4),
         early = work_of(20 * MS, 5);
    admitted(&s, &first, 1);
    admitted(&s, &second, 1); /* 180 ms until 190 ms */
    assert_int_equal(schedule_admit(&s, &third, 1), REFUSAL_PATIENCE);
    assert_int_equal(schedule_admit(&s, &early, 1), REFUSAL_PATIENCE); /* it runs before them */
    admitted(&s, &divisible, 1);
    s = of(1, 100 * MS);
    task others[2], small = upload_of(10 * MS, 3), another = upload_of(50 * MS, 4);
    others[0] = others[1] = work_of(95 * MS, 1);
    admitted(&s, &others[0], 1);
    admitted(&s, &others[1], 1); /* 190 ms until 195 ms */
    admitted(&s, &small, 1);
    /* Nor are they a reason where they will be late anyway. */
    s.pace = 1.2;
    admitted(&s, &another, 1);
}

static void a_task_yields_from_its_admission_on(void **state) {
    (void)state;
    schedule s = of(1, 100 * MS);
    task t[3], divisible = work_of(95 * MS, 4);
    for (unsigned i = 0; i < 3; i++) {
        t[i] = work_of(90 * MS, i);
        t[i].yields = true; /* a long slice is still to come */
        assert_int_equal(schedule_admit(&s, &t[i], 1), i < 2 ? REFUSAL_NONE : REFUSAL_PATIENCE);
    }
    admitted(&s, &divisible, 1);
}

static void a_task_that_waited_past_its_deadline_refuses_nobody(void **state) {
    (void)state;
    schedule s = of(1, 100 * MS);
    task longer = upload_of(100 * MS, 1), late = upload_of(200 * MS, 1),
         small = upload_of(10 * MS, 2);
    const uint64_t now = (uint64_t)(500 * MS);
    admitted(&s, &longer, 1);
    admitted(&s, &late, 1);
    assert_ptr_equal(schedule_take(&s, true, 1), &longer); /* it still runs at 500 ms */
    admitted(&s, &small, now);
    assert_ptr_equal(schedule_take(&s, true, now), &small);
    assert_ptr_equal(schedule_take(&s, true, now), &late);
    /* Nor is its next deadline a reason: together with others it would be late by a hair. */
    s = of(1, 100 * MS);
    task many[10], another = upload_of(5 * MS, 2);
    for (unsigned i = 0; i < 10; i++) {
        many[i] = upload_of(10 * MS, 1);
        admitted(&s, &many[i], 1);
    }
    s.pace = 2;
    admitted(&s, &another, now);
}

static void a_task_that_is_late_again_runs_next(void **state) {
    (void)state;
    schedule s = of(1, 100 * MS);
    task longer = upload_of(100 * MS, 1), late = upload_of(200 * MS, 1),
         small = upload_of(10 * MS, 2), other = upload_of(10 * MS, 3);
    admitted(&s, &longer, 1);
    admitted(&s, &late, 1);
    assert_ptr_equal(schedule_take(&s, true, 1), &longer);
    admitted(&s, &small, (uint64_t)(500 * MS)); /* the deadline is 880 ms now */
    assert_ptr_equal(schedule_take(&s, true, 1), &small);
    schedule_leave(&s, &small, false);
    schedule_ran(&s, &small, true, (uint64_t)(900 * MS));
    assert_int_equal(schedule_admit(&s, &other, (uint64_t)(900 * MS)), REFUSAL_PATIENCE);
    assert_ptr_equal(schedule_take(&s, true, (uint64_t)(900 * MS)), &late);
}

static void a_long_preparation_does_not_use_up_the_estimate_of_rows(void **state) {
    (void)state;
    schedule s = of(1, 0);
    task t = work_of(100 * MS, 1);
    t.serial = 30 * MS;
    t.indivisible = t.yields = true;
    admitted(&s, &t, 1);
    assert_ptr_equal(schedule_take(&s, true, 1), &t);
    assert_true(schedule_demand(&s, 1 + (uint64_t)(20 * MS)) == 80 * MS);
    schedule_set_indivisible(&s, &t, false, 1 + (uint64_t)(300 * MS)); /* it waited for a core */
    assert_true(schedule_demand(&s, 1 + (uint64_t)(300 * MS)) == 70 * MS);
    assert_true(schedule_wake(&s, &t, 1 + (uint64_t)(300 * MS)));
    schedule_ran(&s, &t, true, 1 + (uint64_t)(300 * MS));
    assert_true(schedule_demand(&s, 1 + (uint64_t)(300 * MS)) == 70 * MS);
}

static void no_more_late_tasks_than_some_are_renewed_at_once(void **state) {
    (void)state;
    enum { TASKS = 100 };
    schedule s;
    task t[TASKS], newcomers[2];
    schedule_init(&s, 1, TASKS + 2, 1e3 * S);
    for (unsigned i = 0; i < TASKS; i++) {
        t[i] = upload_of(MS, 1);
        admitted(&s, &t[i], 1);
    }
    for (unsigned i = 0; i < 2; i++) {
        unsigned late = 0;
        newcomers[i] = work_of(MS, 2);
        admitted(&s, &newcomers[i], (uint64_t)(2e3 * S));
        for (unsigned n = 0; n < TASKS; n++)
            late += t[n].late;
        assert_int_equal(late, i == 0 ? 64 : TASKS);
    }
}

/* While others run, such a task waits for a core. */
static void the_pace_is_not_learned_from_indivisible_tasks(void **state) {
    (void)state;
    for (int indivisible = 0; indivisible < 2; indivisible++) {
        schedule s = of(1, 0);
        task t = work_of(10 * MS, 1);
        t.indivisible = t.yields = indivisible;
        admitted(&s, &t, 1);
        assert_ptr_equal(schedule_take(&s, indivisible, 1), &t);
        schedule_set_indivisible(&s, &t, false, 1); /* the next slice is not */
        schedule_leave(&s, &t, false);
        schedule_ran(&s, &t, indivisible, (uint64_t)(100 * MS));
        assert_true((s.pace == 1) == indivisible);
    }
}

static void indivisible_tasks_are_taken_apart_and_guesses_leave_the_pace(void **state) {
    (void)state;
    schedule s;
    schedule_init(&s, 1, 10, 1e9);
    task plain = {.cost = 1e6},
         indivisible = {.cost = 1e6, .indivisible = true, .cost_is_guess = true};
    assert_int_equal(schedule_admit(&s, &indivisible, 0), REFUSAL_NONE);
    assert_int_equal(schedule_admit(&s, &plain, 0), REFUSAL_NONE);
    assert_true(schedule_demand(&s, 0) == 2e6);
    assert_true(schedule_wake(&s, &indivisible, 0));
    assert_null(schedule_take(&s, false, 0));
    assert_true(schedule_wake(&s, &plain, 0));
    assert_ptr_equal(schedule_take(&s, false, 0), &plain);
    assert_null(schedule_take(&s, false, 0));
    assert_ptr_equal(schedule_take(&s, true, 0), &indivisible);
    assert_null(schedule_take(&s, true, 0));
    schedule_leave(&s, &indivisible, false);
    schedule_ran(&s, &indivisible, true, 50000000);
    assert_true(s.pace == 1);
}

static unsigned most_at_once(unsigned threads) {
    return threads > 1 ? threads - 1 : 1;
}

static void lengthy_slices_leave_a_thread_to_others(void **state) {
    (void)state;
    for (unsigned threads = 1; threads <= 3; threads++) {
        const unsigned most = most_at_once(threads);
        schedule s = of(threads, 1e3 * S);
        task lengthy[3], upload = upload_of(MS, 9);
        for (unsigned i = 0; i <= most; i++) {
            lengthy[i] = upload_of(100 * S, i);
            lengthy[i].lengthy = true;
            admitted(&s, &lengthy[i], 1);
        }
        for (unsigned i = 0; i < most; i++)
            assert_ptr_equal(schedule_take(&s, true, 1), &lengthy[i]);
        assert_null(schedule_take(&s, true, 1));
        admitted(&s, &upload, 1);
        assert_ptr_equal(schedule_take(&s, true, 1), &upload);
        schedule_ran(&s, &upload, true, 1);
        assert_null(schedule_take(&s, true, 1));
        schedule_ran(&s, &lengthy[0], true, 1);
        assert_ptr_equal(schedule_take(&s, true, 1), &lengthy[most]);
    }
}

/* Its short slices run on all threads, and do not count. */
static void only_long_slices_of_lengthy_tasks_are_held(void **state) {
    (void)state;
    schedule s = of(2, 1e3 * S);
    task lengthy = upload_of(100 * S, 1), other = upload_of(100 * S, 2);
    lengthy.lengthy = other.lengthy = true;
    lengthy.indivisible = false;
    lengthy.width = 2;
    admitted(&s, &lengthy, 1);
    admitted(&s, &other, 1);
    assert_ptr_equal(schedule_take(&s, false, 1), &lengthy);
    assert_true(schedule_wake(&s, &lengthy, 1));
    assert_ptr_equal(schedule_take(&s, false, 1), &lengthy);
    assert_ptr_equal(schedule_take(&s, true, 1), &other);
    schedule_ran(&s, &lengthy, false, 2);
    schedule_ran(&s, &lengthy, false, 2);
    assert_int_equal(s.lengthy, 1);
}

/* A lengthy task must find room on the threads that lengthy tasks have. */
static void lengthy_tasks_are_admitted_for_the_threads_that_they_have(void **state) {
    (void)state;
    for (unsigned threads = 2; threads <= 4; threads++) {
        schedule s = of(threads, 100 * MS);
        task lengthy[6], short_one = upload_of(10 * MS, 9);
        for (unsigned i = 0; i < 6; i++) { /* until 1.9 times as long as one takes */
            lengthy[i] = upload_of(3 * S, i);
            lengthy[i].lengthy = true;
            assert_int_equal(schedule_admit(&s, &lengthy[i], 1),
                             i + 1 < 1.9 * most_at_once(threads) ? REFUSAL_NONE : REFUSAL_PATIENCE);
        }
        admitted(&s, &short_one, 1);
    }
}

/* Not even where it waits, late, behind another that takes longer than estimated. */
static void a_lengthy_task_that_is_held_refuses_no_upload(void **state) {
    (void)state;
    schedule s = of(2, 100 * MS);
    task longer = upload_of(6 * S, 1), held = upload_of(5 * S, 1), uploads[30];
    longer.lengthy = held.lengthy = true;
    admitted(&s, &longer, 1);
    admitted(&s, &held, 1);
    assert_ptr_equal(schedule_take(&s, true, 1), &held);
    for (unsigned i = 0; i < 30; i++) { /* in a minute, in which `held` does not end */
        const uint64_t now = (uint64_t)((2.0 * i + 1) * S);
        uploads[i] = upload_of(10 * MS, 2);
        admitted(&s, &uploads[i], now);
        assert_ptr_equal(schedule_take(&s, true, now), &uploads[i]);
        schedule_leave(&s, &uploads[i], false);
        schedule_ran(&s, &uploads[i], true, now + (uint64_t)(10 * MS));
    }
}

/* Of three threads a lengthy task has two. */
static void the_deadline_of_a_lengthy_task_allows_for_fewer_threads(void **state) {
    (void)state;
    schedule s = of(3, 0);
    task lengthy = work_of(6 * S, 1);
    lengthy.yields = lengthy.lengthy = true;
    admitted(&s, &lengthy, 0);
    assert_int_equal(lengthy.deadline, (uint64_t)(5.7 * S));
}

RUN(T(an_indivisible_task_delays_only_its_like), T(a_task_yields_from_its_admission_on),
    T(a_task_that_waited_past_its_deadline_refuses_nobody), T(a_task_that_is_late_again_runs_next),
    T(a_long_preparation_does_not_use_up_the_estimate_of_rows),
    T(no_more_late_tasks_than_some_are_renewed_at_once), T(lengthy_slices_leave_a_thread_to_others),
    T(only_long_slices_of_lengthy_tasks_are_held),
    T(lengthy_tasks_are_admitted_for_the_threads_that_they_have),
    T(a_lengthy_task_that_is_held_refuses_no_upload),
    T(the_deadline_of_a_lengthy_task_allows_for_fewer_threads),
    T(the_pace_is_not_learned_from_indivisible_tasks),
    T(indivisible_tasks_are_taken_apart_and_guesses_leave_the_pace))
