#include "unit.h"

#include "api/resource_job.h"
#include "base/crash.h"

#include <sys/resource.h>

/* What the handler saw, beside what to do to it. */
static struct {
    unit_gate hold;
    atomic_uint calls, released;
    char captured[32], type[32], work[32];
    size_t length;
    int nice;
} seen = {.hold = UNIT_GATE};

static void released(void *of) {
    (void)of;
    atomic_fetch_add(&seen.released, 1);
}

static void handler(resource_request *c, resource_result *out) {
    const char *work = crash_work_for(NULL);
    crash_work_for(work);
    snprintf(seen.work, sizeof seen.work, "%s", work ? work : "none");
    unit_gate_pass(&seen.hold);
    snprintf(seen.captured, sizeof seen.captured, "%s", c->captured[0]);
    snprintf(seen.type, sizeof seen.type, "%s", c->content_type);
    seen.length = c->body.length;
    seen.nice = getpriority(PRIO_PROCESS, 0); /* of this thread */
    out->status = 200;
    out->shared = (view){"made", 4, released, NULL};
    atomic_fetch_add(&seen.calls, 1);
}

/* Who asks, and must be suspended and resumed in turn. */
typedef struct bench {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool suspended, out_of_turn;
    budget budget;
    jobs *pool;
    resource_job *job;
} bench;

static void move(bench *b, bool suspended) {
    pthread_mutex_lock(&b->lock);
    b->out_of_turn |= b->suspended == suspended;
    b->suspended = suspended;
    pthread_cond_broadcast(&b->moved);
    pthread_mutex_unlock(&b->lock);
}

static void suspend(void *of) {
    move(of, true);
}

static void resume(void *of) {
    move(of, false);
}

static bool is_suspended(bench *b) {
    pthread_mutex_lock(&b->lock);
    bool is = b->suspended;
    pthread_mutex_unlock(&b->lock);
    return is;
}

#define LIMIT (1u << 20)

/* With a body of so many bytes, which the call has no more. */
static void make(bench *b, size_t bytes, const weight *w) {
    const job_waiter waiter = {suspend, resume, b, {1, 0}, NULL};
    char name[] = "name", type[] = "a/type";
    resource_request c = {.captured = {name},
                          .content_type = type,
                          .body = buffer_paid(LIMIT, (budget_payer){.from = &b->budget})};
    assert_true(buffer_reserve(&c.body, bytes));
    c.body.length = bytes;
    b->job = resource_job_new(b->pool, handler, &c, w, &waiter, "POST /of-the-job");
    assert_non_null(b->job);
    assert_null(c.body.bytes);
    memset(name, 'x', sizeof name - 1); /* as a connection's memory that is used for the next */
    memset(type, 'x', sizeof type - 1);
}

static void begin(bench *b, unsigned limit) {
    *b = (bench){.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};
    budget_init(&b->budget, LIMIT, 1);
    const jobs_settings settings = {
        .threads = 1, .limit = limit, .patience = 1e12, .payer = &b->budget};
    b->pool = jobs_new(&settings);
    assert_non_null(b->pool);
    unit_gate_set(&seen.hold, false);
    seen.calls = seen.released = 0;
}

static void end(bench *b) {
    unit_gate_set(&seen.hold, false);
    resource_job_release(b->job);
    assert_false(b->out_of_turn);
    jobs_free(b->pool); /* waits for what runs */
    assert_true(budget_held(&b->budget) == 0);
    budget_destroy(&b->budget);
}

static resource_job_state ask(bench *b, refusal *why) {
    return resource_job_start(b->job, why);
}

static unsigned waiting(const bench *b) {
    jobs_counters c;
    jobs_count(b->pool, &c);
    return c.waiting;
}

static const weight some = {.cost = 1e6};

static void a_handler_runs_on_another_thread_with_the_texts_and_body_of_its_request(void **state) {
    (void)state;
    refusal why;
    bench b;
    begin(&b, 4);
    make(&b, 1000, &some);
    assert_int_equal(ask(&b, &why), RESOURCE_JOB_WAIT);
    UNIT_UNTIL(!is_suspended(&b));
    assert_int_equal(ask(&b, &why), RESOURCE_JOB_DONE);
    assert_string_equal(seen.captured, "name");
    assert_string_equal(seen.type, "a/type");
    assert_int_equal(seen.length, 1000);
    assert_string_equal(seen.work, "POST /of-the-job");
    assert_true(seen.nice > getpriority(PRIO_PROCESS, 0) || seen.nice == 19);
    resource_result o = resource_job_take(b.job);
    assert_int_equal(o.status, 200);
    assert_int_equal(o.shared.length, 4);
    resource_result_free(&o);
    assert_int_equal(atomic_load(&seen.released), 1);
    end(&b);
    assert_int_equal(atomic_load(&seen.released), 1);
}

static void a_job_abandoned_in_the_queue_never_runs(void **state) {
    (void)state;
    refusal why;
    bench holder, b;
    begin(&holder, 4);
    unit_gate_set(&seen.hold, true);
    make(&holder, 10, &some);
    b = (bench){.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};
    budget_init(&b.budget, LIMIT, 1);
    b.pool = holder.pool;
    make(&b, 10, &some);
    assert_int_equal(ask(&holder, &why), RESOURCE_JOB_WAIT);
    unit_gate_await(&seen.hold, 1);
    assert_int_equal(ask(&b, &why), RESOURCE_JOB_WAIT);
    assert_int_equal(waiting(&b), 1);
    job_abandon(resource_job_job(b.job));
    assert_false(is_suspended(&b));
    assert_int_equal(waiting(&b), 0);
    assert_int_equal(ask(&b, &why), RESOURCE_JOB_LEFT);
    resource_job_release(b.job);
    assert_true(budget_held(&b.budget) == 0);
    unit_gate_set(&seen.hold, false);
    UNIT_UNTIL(!is_suspended(&holder));
    end(&holder);
    assert_int_equal(atomic_load(&seen.calls), 1);
}

/* What it works on is its own, and freed after it. */
static void an_abandoned_handler_runs_to_its_end_and_its_result_is_freed(void **state) {
    (void)state;
    refusal why;
    bench b;
    begin(&b, 4);
    unit_gate_set(&seen.hold, true);
    make(&b, 1000, &some);
    assert_int_equal(ask(&b, &why), RESOURCE_JOB_WAIT);
    unit_gate_await(&seen.hold, 1);
    job_abandon(resource_job_job(b.job));
    assert_false(is_suspended(&b));
    assert_int_equal(ask(&b, &why), RESOURCE_JOB_LEFT);
    resource_job_release(b.job);
    b.job = NULL;
    assert_true(budget_held(&b.budget) >= 1000);
    assert_int_equal(atomic_load(&seen.released), 0);
    end(&b);
    assert_int_equal(atomic_load(&seen.calls), 1);
    assert_int_equal(atomic_load(&seen.released), 1);
}

static void a_job_without_room_is_busy_with_the_reason(void **state) {
    (void)state;
    refusal why;
    bench b, other;
    begin(&b, 1);
    unit_gate_set(&seen.hold, true);
    make(&b, 10, &some);
    assert_int_equal(ask(&b, &why), RESOURCE_JOB_WAIT);
    unit_gate_await(&seen.hold, 1);
    other = (bench){.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};
    budget_init(&other.budget, LIMIT, 1);
    other.pool = b.pool;
    make(&other, 10, &some);
    assert_int_equal(ask(&other, &why), RESOURCE_JOB_BUSY);
    assert_int_equal(why, REFUSAL_QUEUE);
    resource_job_release(other.job);
    make(&other, 10, &(weight){.memory = LIMIT / 2});
    assert_true(budget_take((budget_payer){.from = &b.budget}, LIMIT * 3 / 4));
    assert_int_equal(ask(&other, &why), RESOURCE_JOB_BUSY);
    assert_int_equal(why, REFUSAL_MEMORY); /* it could be had later */
    budget_give((budget_payer){.from = &b.budget}, LIMIT * 3 / 4);
    resource_job_release(other.job);
    make(&other, LIMIT / 2, &(weight){.memory = LIMIT / 2});
    assert_int_equal(ask(&other, &why), RESOURCE_JOB_BUSY);
    assert_int_equal(why, REFUSAL_LARGE); /* not even alone */
    resource_job_release(other.job);
    unit_gate_set(&seen.hold, false);
    UNIT_UNTIL(!is_suspended(&b));
    end(&b);
}

RUN(T(a_handler_runs_on_another_thread_with_the_texts_and_body_of_its_request),
    T(a_job_abandoned_in_the_queue_never_runs),
    T(an_abandoned_handler_runs_to_its_end_and_its_result_is_freed),
    T(a_job_without_room_is_busy_with_the_reason))
