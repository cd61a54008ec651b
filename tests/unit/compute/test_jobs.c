#include "unit.h"

#include "compute/jobs.h"

enum { LOG = 4096 };

/* What ran, in the order it began. */
typedef struct access_record {
    pthread_mutex_t lock;
    unsigned count;
    unsigned name[LOG];
    uint64_t slice[LOG];
    atomic_uint destroyed;
} access_record;

/* A job of slices that write themselves down. */
typedef struct task {
    job job; /* first */
    jobs *line;
    access_record *record;
    pthread_mutex_t lock;
    unsigned name;
    uint64_t next, slices, done;
    fmix_scratch *scratch; /* of its last slice */
} task;

static bool claim(job *j, job_slice *slice, bool *more) {
    task *t = (task *)j;
    pthread_mutex_lock(&t->lock);
    bool is = t->next < t->slices;
    if (is)
        *slice = (job_slice){JOB_ROWS, t->next++};
    *more = t->next < t->slices;
    pthread_mutex_unlock(&t->lock);
    return is;
}

static void run(job *j, job_slice slice, fmix_scratch *scratch) {
    task *t = (task *)j;
    access_record *r = t->record;
    pthread_mutex_lock(&r->lock);
    r->name[r->count] = t->name;
    r->slice[r->count++] = slice.number;
    pthread_mutex_unlock(&r->lock);
    pthread_mutex_lock(&t->lock);
    t->scratch = scratch;
    bool last = ++t->done == t->slices;
    pthread_mutex_unlock(&t->lock);
    if (last)
        jobs_end(t->line, j, false);
}

static void destroy(job *j) {
    task *t = (task *)j;
    atomic_fetch_add(&t->record->destroyed, 1);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static const job_class task_class = {claim, run, NULL, destroy};

static task *task_of(jobs *line, access_record *r, unsigned name, uint64_t slices, double cost) {
    task *t = calloc(1, sizeof *t);
    assert_non_null(t);
    job_init(&t->job, &task_class);
    t->job.turn.cost = cost;
    pthread_mutex_init(&t->lock, NULL);
    t->line = line;
    t->record = r;
    t->name = name;
    t->slices = slices;
    return t;
}

/* Patient: what is admitted is schedule.c's affair, and test_schedule.c's. */
static jobs *line_of(unsigned threads, unsigned limit, unit_gate *gate) {
    const jobs_settings settings = {.threads = threads,
                                    .limit = limit,
                                    .patience = 1e12,
                                    .hooks = {gate ? unit_gate_pass : NULL, gate}};
    jobs *line = jobs_new(&settings);
    assert_non_null(line);
    return line;
}

/* Into the line, which keeps the only reference. */
static void submit(jobs *line, access_record *r, unsigned name, uint64_t slices) {
    task *t = task_of(line, r, name, slices, 0);
    assert_int_equal(jobs_admit(line, &t->job), REFUSAL_NONE);
    jobs_wake(line, &t->job);
    job_release(&t->job);
}

static jobs_counters count(jobs *line) {
    jobs_counters c;
    jobs_count(line, &c);
    return c;
}

#define RECORD                                                                                     \
    { .lock = PTHREAD_MUTEX_INITIALIZER }

/* A line whose one thread is held before the slice of a first job, named 0. */
static jobs *held_line(unit_gate *gate, access_record *r, unsigned limit) {
    unit_gate_set(gate, true);
    jobs *line = line_of(1, limit, gate);
    assert_non_null(line);
    submit(line, r, 0, 1);
    unit_gate_await(gate, 1);
    return line;
}

static void the_nearest_promise_goes_first_slice_by_slice(void **state) {
    (void)state;
    unit_gate gate = UNIT_GATE;
    access_record r = RECORD;
    jobs *line = held_line(&gate, &r, 8);
    task *large = task_of(line, &r, 1, 3, 1.1e12), *small = task_of(line, &r, 2, 2, 0);
    assert_int_equal(jobs_admit(line, &large->job), REFUSAL_NONE);
    jobs_wake(line, &large->job);
    submit(line, &r, 3, 1);
    assert_int_equal(jobs_admit(line, &small->job), REFUSAL_NONE);
    jobs_wake(line, &small->job);
    assert_int_equal(count(line).waiting, 3);
    job_release(&large->job);
    job_release(&small->job);
    unit_gate_set(&gate, false);
    jobs_free(line);
    static const unsigned names[] = {0, 3, 2, 2, 1, 1, 1};
    assert_int_equal(r.count, 7);
    for (unsigned i = 0; i < 7; i++)
        assert_int_equal(r.name[i], names[i]);
    assert_int_equal(atomic_load(&r.destroyed), 4);
}

static void one_job_uses_every_thread(void **state) {
    (void)state;
    unit_gate gate = UNIT_GATE;
    access_record r = RECORD;
    unit_gate_set(&gate, true);
    jobs *line = line_of(4, 1, &gate);
    submit(line, &r, 1, 6);
    unit_gate_await(&gate, 4);
    assert_int_equal(count(line).running, 4);
    unit_gate_set(&gate, false);
    jobs_free(line);
    assert_int_equal(r.count, 6);
}

static void every_slice_runs_exactly_once(void **state) {
    (void)state;
    enum { TASKS = 30, SLICES = 40 };
    access_record r = RECORD;
    unsigned seen[TASKS][SLICES] = {{0}};
    jobs *line = line_of(4, TASKS, NULL);
    for (unsigned i = 0; i < TASKS; i++)
        submit(line, &r, i, SLICES);
    UNIT_UNTIL(count(line).slices == TASKS * SLICES);
    jobs_counters c = count(line);
    assert_true(c.admitted == 0 && c.waiting == 0 && c.running == 0 && c.cancelled == 0);
    jobs_free(line);
    for (unsigned i = 0; i < r.count; i++)
        seen[r.name[i]][r.slice[i]]++;
    for (unsigned i = 0; i < TASKS; i++)
        for (unsigned s = 0; s < SLICES; s++)
            assert_int_equal(seen[i][s], 1);
    assert_int_equal(atomic_load(&r.destroyed), TASKS);
}

static void no_more_are_admitted_than_the_limit(void **state) {
    (void)state;
    access_record r = RECORD;
    jobs *line = line_of(1, 2, NULL);
    task *tasks[3];
    for (unsigned i = 0; i < 3; i++) {
        tasks[i] = task_of(line, &r, i, 1, 0);
        assert_int_equal(jobs_admit(line, &tasks[i]->job), i < 2 ? REFUSAL_NONE : REFUSAL_QUEUE);
    }
    assert_true(count(line).admitted == 2 && count(line).limit == 2);
    jobs_end(line, &tasks[0]->job, true);
    jobs_end(line, &tasks[0]->job, true); /* harmless */
    assert_true(count(line).admitted == 1 && count(line).cancelled == 1);
    assert_int_equal(jobs_would_admit(line, 1), REFUSAL_NONE);
    assert_int_equal(count(line).admitted, 1);
    assert_int_equal(jobs_admit(line, &tasks[2]->job), REFUSAL_NONE);
    assert_int_equal(jobs_would_admit(line, 1), REFUSAL_QUEUE);
    for (unsigned i = 0; i < 3; i++) {
        jobs_end(line, &tasks[i]->job, false);
        job_release(&tasks[i]->job);
    }
    jobs_free(line);
    assert_int_equal(atomic_load(&r.destroyed), 3);
}

static void a_job_that_ends_in_line_leaves_it_and_is_freed(void **state) {
    (void)state;
    unit_gate gate = UNIT_GATE;
    access_record r = RECORD;
    jobs *line = held_line(&gate, &r, 8);
    submit(line, &r, 1, 2);
    task *t = task_of(line, &r, 2, 2, 0);
    assert_int_equal(jobs_admit(line, &t->job), REFUSAL_NONE);
    jobs_wake(line, &t->job);
    jobs_wake(line, &t->job); /* it stands there once */
    submit(line, &r, 3, 2);
    assert_int_equal(count(line).waiting, 3);
    job_release(&t->job);
    assert_int_equal(atomic_load(&r.destroyed), 0);
    jobs_end(line, &t->job, true);
    assert_int_equal(atomic_load(&r.destroyed), 1);
    assert_true(count(line).waiting == 2 && count(line).cancelled == 1);
    unit_gate_set(&gate, false);
    jobs_free(line);
    static const unsigned names[] = {0, 1, 1, 3, 3};
    assert_int_equal(r.count, 5);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(r.name[i], names[i]);
}

static void only_what_was_admitted_can_be_woken(void **state) {
    (void)state;
    access_record r = RECORD;
    jobs *line = line_of(1, 1, NULL);
    task *t = task_of(line, &r, 1, 1, 0);
    jobs_wake(line, &t->job);
    assert_int_equal(jobs_admit(line, &t->job), REFUSAL_NONE);
    jobs_end(line, &t->job, true);
    jobs_wake(line, &t->job);
    jobs_free(line);
    assert_int_equal(r.count, 0);
    job_release(&t->job);
    assert_int_equal(atomic_load(&r.destroyed), 1);
}

static void what_stands_in_line_at_the_end_is_still_done(void **state) {
    (void)state;
    unit_gate gate = UNIT_GATE;
    access_record r = RECORD;
    jobs *line = held_line(&gate, &r, 64);
    for (unsigned i = 1; i <= 50; i++)
        submit(line, &r, i, 3);
    unit_gate_set(&gate, false);
    jobs_free(line);
    assert_int_equal(r.count, 151);
    assert_int_equal(atomic_load(&r.destroyed), 51);
}

/* What is left of the pool is used until the slice ends, so it is never freed. */
static void a_slice_that_does_not_end_does_not_hold_the_stop(void **state) {
    (void)state;
    static unit_gate gate = UNIT_GATE;
    static access_record r = RECORD;
    static jobs *line;
    line = held_line(&gate, &r, 64);
    assert_false(jobs_stop(line, 1));
    assert_int_equal(r.count, 0);
    unit_gate_set(&gate, false);
    UNIT_UNTIL(atomic_load(&r.destroyed) == 1);
}

static void a_stop_waits_for_slices_that_end_in_time(void **state) {
    (void)state;
    unit_gate gate = UNIT_GATE;
    access_record r = RECORD;
    jobs *line = held_line(&gate, &r, 64);
    unit_gate_set(&gate, false);
    assert_true(jobs_stop(line, 120000));
    assert_int_equal(r.count, 1);
    jobs_free(line);
}

static void retry_after_is_the_backlog_in_seconds_of_all_threads(void **state) {
    (void)state;
    static const struct {
        double cost;
        unsigned seconds;
    } table[] = {{0, 1}, {1.9e9, 1}, {1e9, 2}, {1.2e9, 3}, {10e9, 8}, {1e9, 8}, {1e12, 60}};
    enum { TASKS = sizeof table / sizeof *table };
    access_record r = RECORD;
    jobs *line = line_of(2, TASKS, NULL);
    task *tasks[TASKS];
    assert_int_equal(jobs_retry_after(line), 1);
    for (unsigned i = 0; i < TASKS; i++) {
        tasks[i] = task_of(line, &r, i, 1, table[i].cost);
        assert_int_equal(jobs_admit(line, &tasks[i]->job), REFUSAL_NONE);
        assert_int_equal(jobs_retry_after(line), table[i].seconds);
    }
    for (unsigned i = 0; i < TASKS; i++) {
        jobs_end(line, &tasks[i]->job, false);
        job_release(&tasks[i]->job);
    }
    assert_int_equal(jobs_retry_after(line), 1);
    assert_true(count(line).backlog == 0);
    jobs_free(line);
}

static void run_inline_keeps_one_scratch_for_each_thread(void **state) {
    (void)state;
    access_record r = RECORD;
    jobs *line = line_of(1, 1, NULL);
    task *t = task_of(line, &r, 1, 3, 0);
    jobs_run_inline(line, &t->job, (job_slice){JOB_ROWS, 0});
    assert_int_equal(r.count, 1);
    fmix_scratch *scratch = t->scratch;
    assert_non_null(scratch);
    jobs_run_inline(line, &t->job, (job_slice){JOB_ENCODE, 1});
    assert_ptr_equal(t->scratch, scratch);
    assert_true(count(line).inlined == 2 && count(line).slices == 0);
    job_release(&t->job);
    jobs_free(line);
}

static bool inlines(jobs *line, double cost, uint64_t working, const void *connection) {
    const job j = {.working = working, .turn = {.cost = cost}};
    return jobs_better_inline(line, &j, connection);
}

static void what_is_quick_is_done_by_whoever_asks(void **state) {
    (void)state;
    jobs *line = line_of(1, 4, NULL);
    const char connections[20] = {0};
    for (int i = 0; i < 20; i++) {
        assert_true(inlines(line, 2e4, 0, &connections[i]));
        assert_false(inlines(line, 4e5, 0, &connections[i]));
    }
    jobs_free(line);
}

static void a_connection_alone_has_its_thread_compute_for_it(void **state) {
    (void)state;
    jobs *line = line_of(1, 4, NULL);
    const char one = 0, other = 0;
    for (int i = 0; i < 8; i++)
        assert_false(inlines(line, 4e5, 0, &one));
    assert_true(inlines(line, 4e5, 0, &one));
    assert_false(inlines(line, 4e6, 0, &one));
    assert_false(inlines(line, 4e5, 8u << 20, &one));
    assert_true(inlines(line, 4e5, 0, &one));
    assert_false(inlines(line, 4e5, 0, &other)); /* which waited */
    assert_false(inlines(line, 4e5, 0, &one));
    jobs_free(line);
}

static void nobody_computes_inline_for_long_while_others_are_in_work(void **state) {
    (void)state;
    unit_gate gate = UNIT_GATE;
    access_record r = RECORD;
    jobs *line = held_line(&gate, &r, 4);
    const char one = 0;
    for (int i = 0; i < 20; i++)
        assert_false(inlines(line, 4e5, 0, &one));
    unit_gate_set(&gate, false);
    UNIT_UNTIL(count(line).admitted == 0);
    assert_true(inlines(line, 4e5, 0, &one));
    jobs_free(line);
}

RUN(T(what_is_quick_is_done_by_whoever_asks), T(a_connection_alone_has_its_thread_compute_for_it),
    T(nobody_computes_inline_for_long_while_others_are_in_work),
    T(the_nearest_promise_goes_first_slice_by_slice), T(one_job_uses_every_thread),
    T(every_slice_runs_exactly_once), T(no_more_are_admitted_than_the_limit),
    T(a_job_that_ends_in_line_leaves_it_and_is_freed), T(only_what_was_admitted_can_be_woken),
    T(what_stands_in_line_at_the_end_is_still_done),
    T(a_slice_that_does_not_end_does_not_hold_the_stop),
    T(a_stop_waits_for_slices_that_end_in_time),
    T(retry_after_is_the_backlog_in_seconds_of_all_threads),
    T(run_inline_keeps_one_scratch_for_each_thread))
