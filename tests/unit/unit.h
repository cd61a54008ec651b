/*
 * unit.h - what every unit test includes
 */
#ifndef UNIT_H
#define UNIT_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/fmix.h"

/* In every test file: RUN(cmocka_unit_test(name), …) */
#define RUN(...)                                                                                   \
    int main(void) {                                                                               \
        const struct CMUnitTest tests[] = {__VA_ARGS__};                                           \
        return cmocka_run_group_tests(tests, NULL, NULL);                                          \
    }

#define T(name)         cmocka_unit_test(name)
#define assert_ok(call) assert_int_equal((call), FMIX_OK)

/* The methods' public numbers, which never change. */
enum {
    FMIX_METHOD_FMIX,
    FMIX_METHOD_CUTMIX,
    FMIX_METHOD_MIXUP,
    FMIX_METHOD_BC,
    FMIX_METHOD_BCPLUS,
    FMIX_METHOD_SAMPLEPAIRING,
    FMIX_METHOD_NONE,
    FMIX_METHODS
};

/* A context, or the test fails. */
static inline fmix_context *unit_context(void) {
    fmix_context *context = NULL;
    assert_ok(fmix_context_new(64u << 20, &context));
    return context;
}

/* FMIX_SHORT=1, which `make check` sets: long tests look at a part of their cases. */
static inline bool unit_short(void) {
    const char *set = getenv("FMIX_SHORT");
    return set && set[0] == '1';
}

/* xorshift64*: the tests' own numbers, the same in every run */
static inline uint64_t unit_random(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

/* Waits for what another thread is about to do. Half a millisecond a time: two minutes at least,
 * which only a test that fails will wait. */
#define UNIT_UNTIL(condition)                                                                      \
    do {                                                                                           \
        const struct timespec unit_pause = {.tv_nsec = 500000};                                    \
        bool unit_good = (condition);                                                              \
        for (int unit_left = 240000; !unit_good && unit_left; unit_left--) {                       \
            nanosleep(&unit_pause, NULL);                                                          \
            unit_good = (condition);                                                               \
        }                                                                                          \
        assert_true(unit_good);                                                                    \
    } while (0)

/* While closed, every thread that comes to it stops. */
typedef struct unit_gate {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool closed;
    unsigned held;
} unit_gate;

#define UNIT_GATE                                                                                  \
    { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0 }

static inline void unit_gate_pass(void *of) {
    unit_gate *g = of;
    pthread_mutex_lock(&g->lock);
    g->held++;
    pthread_cond_broadcast(&g->moved);
    while (g->closed)
        pthread_cond_wait(&g->moved, &g->lock);
    g->held--;
    pthread_mutex_unlock(&g->lock);
}

static inline void unit_gate_set(unit_gate *g, bool closed) {
    pthread_mutex_lock(&g->lock);
    g->closed = closed;
    pthread_cond_broadcast(&g->moved);
    pthread_mutex_unlock(&g->lock);
}

static inline void unit_gate_await(unit_gate *g, unsigned threads) {
    pthread_mutex_lock(&g->lock);
    while (g->held < threads)
        pthread_cond_wait(&g->moved, &g->lock);
    pthread_mutex_unlock(&g->lock);
}

#endif
