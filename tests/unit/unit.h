/*
 * unit.h - what every unit test includes
 */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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

/* A context, or the test fails. */
static inline fmix_context *unit_context(void) {
    fmix_context *context = NULL;
    assert_ok(fmix_context_new(64u << 20, &context));
    return context;
}

/* xorshift64*: the tests' own numbers, the same in every run */
static inline uint64_t unit_random(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

#endif
