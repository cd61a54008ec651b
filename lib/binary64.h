/*
 * binary64.h - a double and its bits, rounding to integers, and the NaN of float32
 */
#ifndef FMIX_BINARY64_H
#define FMIX_BINARY64_H

#include <stdint.h>
#include <string.h>

#ifdef __FAST_MATH__
#error "sums must be computed as they are written: build without -ffast-math and -Ofast"
#endif

#define ROOT_HALF_BITS UINT64_C(0x3fe6a09e667f3bcd) /* of sqrt(1/2) */

static inline uint64_t bits_of(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double from_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* 2^n, -1022 <= n <= 1023 */
static inline double power_of_two(int n) {
    return from_bits((uint64_t)(1023 + n) << 52);
}

/* The nearest integer, half to even, |x| < 2^51: the last place of the sum is worth 1. */
static inline double nearest_integer(double x) {
    const double rounder = 0x1.8p52;
    return (x + rounder) - rounder;
}

/* The canonical NaN of float32: positive, quiet, no payload. */
static inline float canonical_nan32(void) {
    const uint32_t bits = UINT32_C(0x7fc00000);
    float nan;
    memcpy(&nan, &bits, sizeof nan);
    return nan;
}

#endif
