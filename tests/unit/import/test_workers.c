/* Jobs come back in the order they were given, whoever is done first, in bounded memory. */
#include "unit.h"

#include "import/workers.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

/* Jobs that hold memory: from its reservation until they are taken back. */
static atomic_uint holding, most_holding, done;
static uint64_t memory;

static void spin(void) {
    for (volatile unsigned i = 0; i < 2000; i++)
        ;
}

static void run(workers *w, void *job) {
    unsigned *number = job;
    if (memory)
        workers_reserve(w, job, memory);
    unsigned now = atomic_fetch_add(&holding, 1) + 1;
    unsigned most = atomic_load(&most_holding);
    while (now > most && !atomic_compare_exchange_weak(&most_holding, &most, now))
        ;
    for (unsigned i = 0; i < 1 + *number % 7; i++)
        spin();
    *number += 1000;
    done++;
}

/* Gives 500 jobs as an import does, and takes them back. */
static void give_and_take(unsigned threads) {
    static unsigned numbers[500];
    workers *w = workers_new(threads, run);
    unsigned given = 0;
    assert_non_null(w);
    atomic_store(&most_holding, 0);
    for (unsigned taken = 0; taken < 500; taken++) {
        while (given < 500 && !workers_is_full(w)) {
            numbers[given] = given;
            workers_give(w, &numbers[given++]);
        }
        unsigned *job = workers_take(w);
        atomic_fetch_sub(&holding, 1);
        assert_ptr_equal(job, &numbers[taken]);
        assert_int_equal(*job, 1000 + taken);
    }
    assert_null(workers_take(w));
    workers_free(w);
}

static void jobs_come_back_in_order(void **state) {
    (void)state;
    memory = 0;
    for (unsigned threads = 0; threads <= 8; threads += 2)
        give_and_take(threads);
}

/* Of jobs that need more than half of the memory one holds its own, and the oldest, which never
 * waits. A third was taken back, and is not counted as such yet. */
static void the_memory_of_all_jobs_is_bounded(void **state) {
    (void)state;
    memory = WORKERS_MEMORY / 2 + 1;
    give_and_take(4);
    assert_in_range(atomic_load(&most_holding), 1, 3);
    memory = 2 * WORKERS_MEMORY; /* the oldest alone may have more */
    give_and_take(4);
    assert_in_range(atomic_load(&most_holding), 1, 3);
}

/* Job 1 is done once the oldest, which is done, was taken. */
static atomic_bool oldest_taken;

static void await_oldest(workers *w, void *job) {
    (void)w;
    while (*(unsigned *)job == 1 && !oldest_taken)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void a_job_that_is_done_is_not_held_back_for_others(void **state) {
    (void)state;
    unsigned numbers[3] = {0, 1, 2};
    workers *w = workers_new(1, await_oldest);
    for (unsigned i = 0; i < 3; i++)
        workers_give(w, &numbers[i]);
    assert_ptr_equal(workers_take(w), &numbers[0]);
    atomic_store(&oldest_taken, true);
    assert_ptr_equal(workers_take(w), &numbers[1]);
    assert_ptr_equal(workers_take(w), &numbers[2]);
    assert_null(workers_take(w));
    workers_free(w);
}

static void jobs_that_nobody_takes_are_done_too(void **state) {
    (void)state;
    unsigned numbers[WORKERS_AHEAD];
    workers *w = workers_new(3, run);
    memory = 0;
    atomic_store(&done, 0);
    for (unsigned i = 0; i < WORKERS_AHEAD; i++) {
        assert_false(workers_is_full(w));
        numbers[i] = i;
        workers_give(w, &numbers[i]);
    }
    assert_true(workers_is_full(w));
    workers_free(w);
    assert_int_equal(atomic_load(&done), WORKERS_AHEAD);
    workers_free(NULL);
}

RUN(T(jobs_come_back_in_order), T(the_memory_of_all_jobs_is_bounded),
    T(a_job_that_is_done_is_not_held_back_for_others), T(jobs_that_nobody_takes_are_done_too))
