/*
 * double_double.h - numbers as unevaluated sums of two float64: about 104 bits (Dekker 1971)
 *
 * The relative error of a sum or product is at most 2^-102, for nearly any two operands: the sum is
 * the accurate one (it keeps both errors), so cancellation only exposes what the operands had lost
 * before. The functions need round-to-nearest float64 without contraction, and operands |x| <
 * 2^900.
 */
#ifndef FMIX_DOUBLE_DOUBLE_H
#define FMIX_DOUBLE_DOUBLE_H

#include <stdint.h>

typedef struct fmix_dd {
    double high, low; /* |low| <= u |high| */
} fmix_dd;

static inline fmix_dd fmix_two_sum(double a, double b) {
    double s = a + b, t = s - a;
    return (fmix_dd){s, (a - (s - t)) + (b - t)};
}

/* |a| >= |b| or a = 0 */
static inline fmix_dd fmix_two_fast_sum(double a, double b) {
    double s = a + b;
    return (fmix_dd){s, b - (s - a)};
}

static inline fmix_dd fmix_two_product(double a, double b) {
    double p = a * b;
    double ca = 134217729.0 * a, cb = 134217729.0 * b; /* 2^27 + 1 */
    double ah = ca - (ca - a), bh = cb - (cb - b);
    double al = a - ah, bl = b - bh;
    return (fmix_dd){p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
}

static inline fmix_dd fmix_dd_from(double x) {
    return (fmix_dd){x, 0};
}

static inline fmix_dd fmix_dd_add(fmix_dd a, fmix_dd b) {
    fmix_dd s = fmix_two_sum(a.high, b.high), t = fmix_two_sum(a.low, b.low);
    s = fmix_two_fast_sum(s.high, s.low + t.high);
    return fmix_two_fast_sum(s.high, s.low + t.low);
}

/* Relative error at most 2u^2 (Joldes, Muller and Popescu 2017). */
static inline fmix_dd fmix_dd_add_double(fmix_dd a, double b) {
    fmix_dd s = fmix_two_sum(a.high, b);
    return fmix_two_fast_sum(s.high, s.low + a.low);
}

static inline fmix_dd fmix_dd_negate(fmix_dd a) {
    return (fmix_dd){-a.high, -a.low};
}

static inline fmix_dd fmix_dd_sub(fmix_dd a, fmix_dd b) {
    return fmix_dd_add(a, fmix_dd_negate(b));
}

static inline fmix_dd fmix_dd_mul(fmix_dd a, fmix_dd b) {
    fmix_dd p = fmix_two_product(a.high, b.high);
    return fmix_two_fast_sum(p.high, p.low + (a.high * b.low + a.low * b.high));
}

static inline fmix_dd fmix_dd_scale(fmix_dd a, double b) {
    fmix_dd p = fmix_two_product(a.high, b);
    return fmix_two_fast_sum(p.high, p.low + a.low * b);
}

fmix_dd fmix_dd_div(fmix_dd a, fmix_dd b);
fmix_dd fmix_dd_sqrt(fmix_dd a); /* the root of 0 is 0 */

/* Relative errors, which tests compare with MPFR: at most 2^-98 for the logarithm of a normal a >
 * 0; at most 2^-94 for the exponential of the given a, -200 <= a <= 200. */
fmix_dd fmix_dd_log(fmix_dd a);
fmix_dd fmix_dd_exp(fmix_dd a);

/* cos and sin of 2 pi n / d, n < d <= 2^32, within 2^-96. Zeros and ones are exact. */
void fmix_dd_turn(uint64_t n, uint64_t d, fmix_dd *cosine, fmix_dd *sine);

#endif
