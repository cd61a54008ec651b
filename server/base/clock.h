/*
 * clock.h - the monotonic clock
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* Nanoseconds. */
#define CLOCK_SECOND      UINT64_C(1000000000)
#define CLOCK_MILLISECOND UINT64_C(1000000)

static inline uint64_t clock_nanoseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static inline uint64_t clock_milliseconds(void) {
    return clock_nanoseconds() / 1000000;
}

/* The time so many nanoseconds from now, for pthread_cond_timedwait on a condition that
 * clock_condition made. */
static inline struct timespec clock_after(uint64_t nanoseconds) {
    uint64_t then = clock_nanoseconds() + nanoseconds;
    return (struct timespec){.tv_sec = (time_t)(then / 1000000000),
                             .tv_nsec = (long)(then % 1000000000)};
}

/* Initialises a condition whose timed waits use this clock. */
static inline void clock_condition(pthread_cond_t *c) {
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(c, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

#endif
