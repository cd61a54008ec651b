#include "unit.h"

#include "compute/jobs.h"

enum { LOG = 4096 };

/* The slices that ran, in the order in which they began. */
typedef struct job_record {
    pthread_mutex_t lock;
    unsigned count;
    unsigned name[LOG];
    uint64_t slice[LOG];
    atomic_uint destroyed;
    pthread_t destroyer; /* the thread that destroyed the last job */
} job_record;

/* A job that records each slice it computes. */
typedef struct logged_job {
    job job; /* first */
    jobs *pool;
    job_record *record;
    pthread_mutex_t lock;
    unsigned name;
    uint64_t next, slices, done;
    unit_gate *hold;       /* its slices pass this gate, if there is one */
    fmix_scratch *scratch; /* that its last slice was given */
} logged_job;

static bool claim(job *j, job_slice *slice, bool *more) {
    logged_job *t = (logged_job *)j;
    pthread_mutex_lock(&t->lock);
    bool is = t->next < t->slices;
    if (is)
        *slice = (job_slice){JOB_ROWS, t->next++, 1e6};
    *more = t->next < t->slices;
    pthread_mutex_unlock(&t->lock);
    return is;
}

static void run(job *j, job_slice slice, fmix_scratch *scratch) {
    logged_job *t = (logged_job *)j;
    job_record *r = t->record;
    if (t->hold)
        unit_gate_pass(t->hold);
    pthread_mutex_lock(&r->lock);
    r->name[r->count] = t->name;
    r->slice[r->count++] = slice.number;
    pthread_mutex_unlock(&r->lock);
    pthread_mutex_lock(&t->lock);
    t->scratch = scratch;
    bool last = ++t->done == t->slices;
    pthread_mutex_unlock(&t->lock);
    if (last)
        jobs_end(t->pool, j, false);
}

static void destroy(job *j) {
    logged_job *t = (logged_job *)j;
    pthread_mutex_lock(&t->record->lock);
    t->record->destroyer = pthread_self();
    pthread_mutex_unlock(&t->record->lock);
    atomic_fetch_add(&t->record->destroyed, 1);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static const job_class logged_job_class = {claim, run, NULL, destroy};

static logged_job *logged_job_of(jobs *pool, job_record *r, unsigned name, uint64_t slices,
                                 double cost) {
    logged_job *t = calloc(1, sizeof *t);
    assert_non_null(t);
    job_init(&t->job, &logged_job_class);
    t->job.task.cost = cost;
    pthread_mutex_init(&t->lock, NULL);
    t->pool = pool;
    t->record = r;
    t->name = name;
    t->slices = slices;
    return t;
}

/* With so much patience that admission never refuses a job; test_schedule.c tests that. */
static jobs *pool_of(unsigned threads, unsigned limit, unit_gate *gate) {
    const jobs_settings settings = {.threads = threads,
                                    .limit = limit,
                                    .patience = 1e12,
                                    .hooks = {gate ? unit_gate_pass : NULL, gate}};
    jobs *pool = jobs_new(&settings);
    assert_non_null(pool);
    return pool;
}

/* Hands the job to the pool, which keeps the only reference. */
static void submit(jobs *pool, job_record *r, unsigned name, uint64_t slices) {
    logged_job *t = logged_job_of(pool, r, name, slices, 0);
    assert_int_equal(jobs_admit(pool, &t->job), REFUSAL_NONE);
    jobs_wake(pool, &t->job);
    job_release(&t->job);
}

static jobs_counters count(jobs *pool) {
    jobs_counters c;
    jobs_count(pool, &c);
    return c;
}

#define RECORD                                                                                     \
    { .lock = PTHREAD_MUTEX_INITIALIZER }

/* A pool whose one thread is held before the slice of a first job, named 0. */
static jobs *held_pool(unit_gate *gate, job_record *r, unsigned limit) {
    unit_gate_set(gate, true);
    jobs *pool = pool_of(1, limit, gate);
    assert_non_null(pool);
    submit(pool, r, 0, 1);
    unit_gate_await(gate, 1);
    return pool;
}

static void the_nearest_deadline_runs_first_slice_by_slice(void **state) {
    (void)state;
    unit_gate gate = UNIT_GATE;
    job_record r = RECORD;
    jobs *pool = held_pool(&gate, &r, 8);
    logged_job *large = logged_job_of(pool, &r, 1, 3, 1.1e12),
               *small = logged_job_of(pool, &r, 2, 2, 0);
    assert_int_equal(jobs_admit(pool, &large->job), REFUSAL_NONE);
    jobs_wake(pool, &large->job);
    submit(pool, &r, 3, 1);
    assert_int_equal(jobs_admit(pool, &small->job), REFUSAL_NONE);
    jobs_wake(pool, &small->job);
    assert_int_equal(count(pool).waiting, 3);
    job_release(&large->job);
    job_release(&small->job);
    unit_gate_set(&gate, false);
    jobs_free(pool);
    static const unsigned names[] = {0, 3, 2, 2, 1, 1, 1};
    assert_int_equal(r.count, 7);
    for (unsigned i = 0; i < 7; i++)
        assert_int_equal(r.name[i], names[i]);
    assert_int_equal(atomic_load(&r.destroyed), 4);
}

static void one_job_uses_every_thread(void **state) {
    (void)state;
    unit_gate gate = UNIT_GATE;
    job_record r = RECORD;
    unit_gate_set(&gate, true);
    jobs *pool = pool_of(4, 1, &gate);
    submit(pool, &r, 1, 6);
    unit_gate_await(&gate, 4);
    assert_int_equal(count(pool).running, 4);
    unit_gate_set(&gate, false);
    jobs_free(pool);
    assert_int_equal(r.count, 6);
}

static void every_slice_runs_exactly_once(void **state) {
    (void)state;
    enum { JOBS = 30, SLICES = 40 };
    job_record r = RECORD;
    unsigned seen[JOBS][SLICES] = {{0}};
    jobs *pool = pool_of(4, JOBS, NULL);
    for (unsigned i = 0; i < JOBS; i++)
        submit(pool, &r, i, SLICES);
    UNIT_UNTIL(count(pool).slices == JOBS * SLICES);
    jobs_counters c = count(pool);
    assert_true(c.admitted == 0 && c.waiting == 0 && c.running == 0 && c.cancelled == 0);
    jobs_free(pool);
    for (unsigned i = 0; i < r.count; i++)
        seen[r.name[i]][r.slice[i]]++;
    for (unsigned i = 0; i < JOBS; i++)
        for (unsigned s = 0; s < SLICES; s++)
            assert_int_equal(seen[i][s], 1);
    assert_int_equal(atomic_load(&r.destroyed), JOBS);
}

static void no_more_are_admitted_than_the_limit(void **state) {
    (void)state;
    job_record r = RECORD;
    jobs *pool = pool_of(1, 2, NULL);
    logged_job *logged[3];
    for (unsigned i = 0; i < 3; i++) {
        logged[i] = logged_job_of(pool, &r, i, 1, 0);
        assert_int_equal(jobs_admit(pool, &logged[i]->job), i < 2 ? REFUSAL_NONE : REFUSAL_QUEUE);
    }
    assert_true(count(pool).admitted == 2 && count(pool).limit == 2);
    jobs_end(pool, &logged[0]->job, true);
    jobs_end(pool, &logged[0]->job, true); /* does nothing */
    assert_true(count(pool).admitted == 1 && count(pool).cancelled == 1);
    assert_int_equal(jobs_would_admit(pool, 1), REFUSAL_NONE);
    assert_int_equal(count(pool).admitted, 1);
    assert_int_equal(jobs_admit(pool, &logged[2]->job), REFUSAL_NONE);
    assert_int_equal(jobs_would_admit(pool, 1), REFUSAL_QUEUE);
    for (unsigned i = 0; i < 3; i++) {
        jobs_end(pool, &logged[i]->job, false);
        job_release(&logged[i]->job);
    }
    jobs_free(pool);
    assert_int_equal(atomic_load(&r.destroyed), 3);
}

static void a_job_that_ends_in_the_queue_leaves_it_and_is_freed(void **state) {
    (void)state;
    unit_gate gate = UNIT_GATE;
    job_record r = RECORD;
    jobs *pool = held_pool(&gate, &r, 8);
    submit(pool, &r, 1, 2);
    logged_job *t = logged_job_of(pool, &r, 2, 2, 0);
    assert_int_equal(jobs_admit(pool, &t->job), REFUSAL_NONE);
    jobs_wake(pool, &t->job);
    jobs_wake(pool, &t->job); /* the queue holds it once */
    submit(pool, &r, 3, 2);
    assert_int_equal(count(pool).waiting, 3);
    job_release(&t->job);
    assert_int_equal(atomic_load(&r.destroyed), 0);
    jobs_end(pool, &t->job, true);
    assert_int_equal(atomic_load(&r.destroyed), 1);
    assert_true(count(pool).waiting == 2 && count(pool).cancelled == 1);
    unit_gate_set(&gate, false);
    jobs_free(pool);
    static const unsigned names[] = {0, 1, 1, 3, 3};
    assert_int_equal(r.count, 5);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(r.name[i], names[i]);
}

static void a_job_that_is_not_admitted_is_not_woken(void **state) {
    (void)state;
    job_record r = RECORD;
    jobs *pool = pool_of(1, 1, NULL);
    logged_job *t = logged_job_of(pool, &r, 1, 1, 0);
    jobs_wake(pool, &t->job);
    assert_int_equal(jobs_admit(pool, &t->job), REFUSAL_NONE);
    jobs_end(pool, &t->job, true);
    jobs_wake(pool, &t->job);
    jobs_free(pool);
    assert_int_equal(r.count, 0);
    job_release(&t->job);
    assert_int_equal(atomic_load(&r.destroyed), 1);
}

static void queued_jobs_run_before_the_pool_is_freed(void **state) {
    (void)state;
    unit_gate gate = UNIT_GATE;
    job_record r = RECORD;
    jobs *pool = held_pool(&gate, &r, 64);
    for (unsigned i = 1; i <= 50; i++)
        submit(pool, &r, i, 3);
    unit_gate_set(&gate, false);
    jobs_free(pool);
    assert_int_equal(r.count, 151);
    assert_int_equal(atomic_load(&r.destroyed), 51);
}

/* Several rounds, because in the first a thread may take its job before it falls asleep. */
static void a_long_slice_does_not_keep_the_threads_of_other_jobs(void **state) {
    (void)state;
    unit_gate hold = UNIT_GATE;
    job_record r = RECORD;
    jobs *pool = pool_of(1, 4, NULL);
    for (unsigned round = 0; round < 5; round++) {
        logged_job *t = logged_job_of(pool, &r, 1, 1, 0);
        t->job.task.indivisible = true;
        t->hold = &hold;
        unit_gate_set(&hold, true);
        assert_int_equal(jobs_admit(pool, &t->job), REFUSAL_NONE);
        jobs_wake(pool, &t->job);
        UNIT_UNTIL(count(pool).running == 1);
        submit(pool, &r, 2, 3);
        UNIT_UNTIL(count(pool).slices == 4 * round + 3);
        unit_gate_set(&hold, false);
        UNIT_UNTIL(count(pool).slices == 4 * round + 4);
        assert_non_null(t->scratch);
        job_release(&t->job);
    }
    jobs_free(pool);
    for (unsigned i = 0; i < r.count; i++)
        assert_int_equal(r.name[i], i % 4 == 3 ? 1 : 2);
}

static void a_job_with_a_destroyer_is_destroyed_by_a_thread_of_that_pool(void **state) {
    (void)state;
    job_record r = RECORD;
    jobs *pool = pool_of(1, 1, NULL);
    for (int large = 0; large < 2; large++) {
        logged_job *t = logged_job_of(pool, &r, 1, 1, 0);
        t->job.destroyer = large ? pool : NULL;
        job_release(&t->job);
        UNIT_UNTIL(atomic_load(&r.destroyed) == (unsigned)large + 1);
        assert_int_equal(pthread_equal(r.destroyer, pthread_self()) != 0, !large);
    }
    jobs_free(pool);
}

/* The pool is used until the slice ends, so the pool is never freed. */
static void a_slice_that_does_not_end_does_not_hold_the_stop(void **state) {
    (void)state;
    static unit_gate gate = UNIT_GATE;
    static job_record r = RECORD;
    static jobs *volatile pool; /* kept, so that the pool counts as in use */
    pool = held_pool(&gate, &r, 64);
    assert_false(jobs_stop(pool, 1));
    assert_int_equal(r.count, 0);
    unit_gate_set(&gate, false);
    UNIT_UNTIL(atomic_load(&r.destroyed) == 1);
}

static void a_stop_waits_for_slices_that_end_in_time(void **state) {
    (void)state;
    unit_gate gate = UNIT_GATE;
    job_record r = RECORD;
    jobs *pool = held_pool(&gate, &r, 64);
    unit_gate_set(&gate, false);
    assert_true(jobs_stop(pool, 120000));
    assert_int_equal(r.count, 1);
    jobs_free(pool);
}

static void retry_after_is_the_backlog_in_seconds_of_all_threads(void **state) {
    (void)state;
    static const struct {
        double cost;
        unsigned seconds;
    } table[] = {{0, 1}, {1.9e9, 1}, {1e9, 2}, {1.2e9, 3}, {10e9, 8}, {1e9, 8}, {1e12, 60}};
    enum { JOBS = sizeof table / sizeof *table };
    job_record r = RECORD;
    jobs *pool = pool_of(2, JOBS, NULL);
    logged_job *logged[JOBS];
    assert_int_equal(jobs_retry_after(pool), 1);
    for (unsigned i = 0; i < JOBS; i++) {
        logged[i] = logged_job_of(pool, &r, i, 1, table[i].cost);
        assert_int_equal(jobs_admit(pool, &logged[i]->job), REFUSAL_NONE);
        assert_int_equal(jobs_retry_after(pool), table[i].seconds);
    }
    for (unsigned i = 0; i < JOBS; i++) {
        jobs_end(pool, &logged[i]->job, false);
        job_release(&logged[i]->job);
    }
    assert_int_equal(jobs_retry_after(pool), 1);
    assert_true(count(pool).backlog == 0);
    jobs_free(pool);
}

static void a_client_that_holds_most_of_the_memory_is_starved_by_its_share(void **state) {
    (void)state;
    budget b;
    budget_init(&b, 1000, 1);
    const jobs_settings settings = {.threads = 1, .limit = 1, .patience = 1e12, .payer = &b};
    jobs *pool = jobs_new(&settings);
    const budget_holder most = {1, 1}, little = {2, 2};
    assert_true(budget_take(jobs_payer(pool, most), 600));
    assert_true(budget_take(jobs_payer(pool, little), 10));
    assert_int_equal(jobs_starved(pool, most), REFUSAL_MEMORY); /* it asks alone */
    assert_int_equal(jobs_starved(pool, little), REFUSAL_MEMORY);
    assert_int_equal(jobs_starved(pool, most), REFUSAL_SHARE);
    jobs_free(pool);
    budget_destroy(&b);
}

static void run_inline_keeps_one_scratch_for_each_thread(void **state) {
    (void)state;
    job_record r = RECORD;
    jobs *pool = pool_of(1, 1, NULL);
    logged_job *t = logged_job_of(pool, &r, 1, 3, 0);
    jobs_run_inline(pool, &t->job, (job_slice){JOB_ROWS, 0, 1e9});
    assert_int_equal(r.count, 1);
    fmix_scratch *scratch = t->scratch;
    assert_non_null(scratch);
    jobs_run_inline(pool, &t->job, (job_slice){JOB_ENCODE, 1, 2e9});
    assert_ptr_equal(t->scratch, scratch);
    assert_true(count(pool).inlined == 2 && count(pool).slices == 0);
    const jobs_counters all = count(pool);
    assert_true(all.estimated[JOB_ROWS] == 1 && all.estimated[JOB_ENCODE] == 2);
    job_release(&t->job);
    jobs_free(pool);
}

static bool inlines(jobs *pool, double cost, uint64_t working, const void *key) {
    const job j = {.working = working, .task = {.cost = cost}};
    return jobs_better_inline(pool, &j, key);
}

static void quick_jobs_are_better_inline_for_any_key(void **state) {
    (void)state;
    jobs *pool = pool_of(1, 4, NULL);
    const char keys[20] = {0};
    for (int i = 0; i < 20; i++) {
        assert_true(inlines(pool, 2e4, 0, &keys[i]));
        assert_false(inlines(pool, 4e5, 0, &keys[i]));
    }
    jobs_free(pool);
}

static void a_thread_computes_inline_for_the_only_key_it_serves(void **state) {
    (void)state;
    jobs *pool = pool_of(1, 4, NULL);
    const char one = 0, other = 0;
    for (int i = 0; i < 8; i++)
        assert_false(inlines(pool, 4e5, 0, &one));
    assert_true(inlines(pool, 4e5, 0, &one));
    assert_false(inlines(pool, 4e6, 0, &one));
    assert_false(inlines(pool, 4e5, 8u << 20, &one));
    assert_true(inlines(pool, 4e5, 0, &one));
    assert_false(inlines(pool, 4e5, 0, &other));
    assert_false(inlines(pool, 4e5, 0, &one));
    jobs_free(pool);
}

static void only_quick_jobs_are_better_inline_while_another_is_admitted(void **state) {
    (void)state;
    unit_gate gate = UNIT_GATE;
    job_record r = RECORD;
    jobs *pool = held_pool(&gate, &r, 4);
    const char one = 0;
    for (int i = 0; i < 20; i++)
        assert_false(inlines(pool, 4e5, 0, &one));
    unit_gate_set(&gate, false);
    UNIT_UNTIL(count(pool).admitted == 0);
    assert_true(inlines(pool, 4e5, 0, &one));
    jobs_free(pool);
}

RUN(T(quick_jobs_are_better_inline_for_any_key),
    T(a_thread_computes_inline_for_the_only_key_it_serves),
    T(only_quick_jobs_are_better_inline_while_another_is_admitted),
    T(the_nearest_deadline_runs_first_slice_by_slice), T(one_job_uses_every_thread),
    T(every_slice_runs_exactly_once), T(no_more_are_admitted_than_the_limit),
    T(a_job_that_ends_in_the_queue_leaves_it_and_is_freed),
    T(a_job_that_is_not_admitted_is_not_woken), T(queued_jobs_run_before_the_pool_is_freed),
    T(a_long_slice_does_not_keep_the_threads_of_other_jobs),
    T(a_job_with_a_destroyer_is_destroyed_by_a_thread_of_that_pool),
    T(a_slice_that_does_not_end_does_not_hold_the_stop),
    T(a_stop_waits_for_slices_that_end_in_time),
    T(a_client_that_holds_most_of_the_memory_is_starved_by_its_share),
    T(retry_after_is_the_backlog_in_seconds_of_all_threads),
    T(run_inline_keeps_one_scratch_for_each_thread))
