/*
 * held_clock.h - a monotonic clock that stands still until a test moves it
 *
 * This definition of clock_gettime takes the place of libc's in the program that includes it, which
 * one file of it does. What the kernel and libc wait for goes by the true clock as before.
 */
#ifndef HELD_CLOCK_H
#define HELD_CLOCK_H

#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static atomic_llong held_clock; /* nanoseconds; 0: it runs */

int clock_gettime(clockid_t id, struct timespec *t) {
    const long long at = id == CLOCK_MONOTONIC ? atomic_load(&held_clock) : 0;
    if (at == 0)
        return (int)syscall(SYS_clock_gettime, id, t);
    *t = (struct timespec){.tv_sec = (time_t)(at / 1000000000), .tv_nsec = (long)(at % 1000000000)};
    return 0;
}

static void held_clock_stop(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    atomic_store(&held_clock, now.tv_sec * 1000000000LL + now.tv_nsec);
}

static void held_clock_pass(unsigned milliseconds) {
    atomic_fetch_add(&held_clock, milliseconds * 1000000LL);
}

static void held_clock_run(void) {
    atomic_store(&held_clock, 0);
}

#endif
