#include "unit.h"

#include "base/clock.h"

#include <errno.h>

static uint64_t nanoseconds_of(struct timespec t) {
    return (uint64_t)t.tv_sec * CLOCK_SECOND + (uint64_t)t.tv_nsec;
}

static void time_never_goes_back(void **state) {
    (void)state;
    uint64_t before = clock_nanoseconds();
    for (int i = 0; i < 10000; i++) {
        uint64_t now = clock_nanoseconds();
        assert_true(now >= before);
        before = now;
    }
    assert_true(clock_milliseconds() >= before / CLOCK_MILLISECOND);
}

/* Among the spans some carry into the seconds, whatever the time is. */
static void a_time_from_now_has_less_than_a_second_of_nanoseconds(void **state) {
    (void)state;
    for (uint64_t span = 0; span < 3 * CLOCK_SECOND; span += 37 * CLOCK_MILLISECOND) {
        uint64_t before = clock_nanoseconds();
        struct timespec then = clock_after(span);
        uint64_t after = clock_nanoseconds();
        assert_in_range(then.tv_nsec, 0, CLOCK_SECOND - 1);
        assert_in_range(nanoseconds_of(then), before + span, after + span);
    }
}

static void a_wait_ends_at_its_time_and_not_before(void **state) {
    (void)state;
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t never;
    clock_condition(&never);
    const struct timespec until = clock_after(20 * CLOCK_MILLISECOND);
    int result = 0;
    pthread_mutex_lock(&lock);
    while (result == 0) /* a spurious wake-up is not the end */
        result = pthread_cond_timedwait(&never, &lock, &until);
    pthread_mutex_unlock(&lock);
    assert_int_equal(result, ETIMEDOUT);
    assert_true(clock_nanoseconds() >= nanoseconds_of(until));
    pthread_cond_destroy(&never);
}

RUN(T(time_never_goes_back), T(a_time_from_now_has_less_than_a_second_of_nanoseconds),
    T(a_wait_ends_at_its_time_and_not_before))
