#include "unit.h"

#include "base/clock.h"
#include "http/refusal_hold.h"

#define HOUR (3600 * CLOCK_SECOND)

enum { THREADS = 4, HOLDS = 500 };

/* A connection that is held, and what is called for it. */
typedef struct held {
    refusal_hold *hold;
    unsigned suspended, resumed;
    unsigned turn; /* of its resumption among all */
} held;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned turns;

static void suspend(void *of) {
    held *c = of;
    pthread_mutex_lock(&lock);
    c->suspended++;
    pthread_mutex_unlock(&lock);
}

static void resume(void *of) {
    held *c = of;
    pthread_mutex_lock(&lock);
    c->resumed++;
    c->turn = turns++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static held make(refusal_holds *all, held *place) {
    const job_waiter waiter = {.suspend = suspend, .resume = resume, .user = place};
    held c = {.hold = refusal_hold_new(all, &waiter)};
    assert_non_null(c.hold);
    return c;
}

static void await(held *c) {
    pthread_mutex_lock(&lock);
    while (!c->resumed)
        pthread_cond_wait(&changed, &lock);
    assert_int_equal(c->suspended, 1);
    assert_int_equal(c->resumed, 1);
    pthread_mutex_unlock(&lock);
}

static unsigned resumed(held *c) {
    pthread_mutex_lock(&lock);
    unsigned n = c->resumed;
    pthread_mutex_unlock(&lock);
    return n;
}

static void a_hold_ends_at_its_time_and_not_before(void **state) {
    (void)state;
    refusal_holds *all = refusal_holds_new();
    held c = make(all, &c);
    const uint64_t until = clock_nanoseconds() + 20 * CLOCK_MILLISECOND;
    assert_true(refusal_hold_start(c.hold, until));
    await(&c);
    assert_true(clock_nanoseconds() >= until);
    refusal_hold_release(c.hold);
    refusal_holds_free(all);
}

static void holds_end_in_the_order_of_their_times(void **state) {
    (void)state;
    static const unsigned later[] = {30, 10, 40, 20, 20};
    static const unsigned expected[] = {3, 0, 4, 1, 2};
    refusal_holds *all = refusal_holds_new();
    const uint64_t start = clock_nanoseconds() + 20 * CLOCK_MILLISECOND;
    held c[5];
    turns = 0;
    for (unsigned i = 0; i < 5; i++) {
        c[i] = make(all, &c[i]);
        assert_true(refusal_hold_start(c[i].hold, start + later[i] * CLOCK_MILLISECOND));
    }
    for (unsigned i = 0; i < 5; i++)
        await(&c[i]);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(c[i].turn, expected[i]);
        refusal_hold_release(c[i].hold);
    }
    refusal_holds_free(all);
}

static void a_client_that_leaves_ends_its_own_hold_alone(void **state) {
    (void)state;
    refusal_holds *all = refusal_holds_new();
    held c[3];
    for (unsigned i = 0; i < 3; i++) {
        c[i] = make(all, &c[i]);
        assert_true(refusal_hold_start(c[i].hold, clock_nanoseconds() + HOUR + i));
    }
    job_abandon(refusal_hold_job(c[1].hold));
    await(&c[1]);
    job_abandon(refusal_hold_job(c[1].hold)); /* does nothing more */
    assert_int_equal(resumed(&c[1]), 1);
    assert_int_equal(resumed(&c[0]), 0);
    assert_int_equal(resumed(&c[2]), 0);
    job_abandon(refusal_hold_job(c[2].hold));
    job_abandon(refusal_hold_job(c[0].hold));
    for (unsigned i = 0; i < 3; i++) {
        await(&c[i]);
        refusal_hold_release(c[i].hold);
    }
    refusal_holds_free(all);
}

static void what_is_abandoned_before_it_starts_is_not_suspended(void **state) {
    (void)state;
    refusal_holds *all = refusal_holds_new();
    held c = make(all, &c);
    job_abandon(refusal_hold_job(c.hold));
    assert_false(refusal_hold_start(c.hold, clock_nanoseconds() + HOUR));
    assert_int_equal(c.suspended, 0);
    assert_int_equal(resumed(&c), 0);
    refusal_hold_release(c.hold);
    refusal_hold_release(NULL);
    refusal_holds_free(all);
    refusal_holds_free(NULL);
}

/* Every second one is abandoned amid the others, perhaps just as its time comes. */
static void *hold_many(void *of) {
    for (unsigned i = 0; i < HOLDS; i++) {
        held c = make(of, &c);
        const uint64_t wait = i % 3 == 0 ? HOUR : i % 7 * CLOCK_MILLISECOND / 10;
        assert_true(refusal_hold_start(c.hold, clock_nanoseconds() + wait));
        if (i % 3 == 0 || i % 2)
            job_abandon(refusal_hold_job(c.hold));
        await(&c);
        refusal_hold_release(c.hold);
    }
    return NULL;
}

static void each_is_resumed_once_whoever_ends_it(void **state) {
    (void)state;
    refusal_holds *all = refusal_holds_new();
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hold_many, all), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    refusal_holds_free(all);
}

RUN(T(a_hold_ends_at_its_time_and_not_before), T(holds_end_in_the_order_of_their_times),
    T(a_client_that_leaves_ends_its_own_hold_alone),
    T(what_is_abandoned_before_it_starts_is_not_suspended), T(each_is_resumed_once_whoever_ends_it))
