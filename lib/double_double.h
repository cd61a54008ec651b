/*
 * twofold.h - numbers as unevaluated sums of two float64: about 104 bits (Dekker 1971)
 *
 * A sum or product here is within 2^-102 relative, of nearly any two operands: the sum is the
 * accurate one (both errors kept), so cancellation costs only what the operands had lost before.
 * Needs round-to-nearest float64 and no contraction; no operand comes near overflow: |x| < 2^900.
 */
#ifndef FMIX_TWOFOLD_H
#define FMIX_TWOFOLD_H

#include <stdint.h>

typedef struct fmix_twofold {
    double high, low; /* |low| <= u |high| */
} fmix_twofold;

static inline fmix_twofold fmix_two_sum(double a, double b) {
    double s = a + b, t = s - a;
    return (fmix_twofold){s, (a - (s - t)) + (b - t)};
}

/* |a| >= |b| or a = 0 */
static inline fmix_twofold fmix_two_fast_sum(double a, double b) {
    double s = a + b;
    return (fmix_twofold){s, b - (s - a)};
}

static inline fmix_twofold fmix_two_product(double a, double b) {
    double p = a * b;
    double ca = 134217729.0 * a, cb = 134217729.0 * b; /* 2^27 + 1 */
    double ah = ca - (ca - a), bh = cb - (cb - b);
    double al = a - ah, bl = b - bh;
    return (fmix_twofold){p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
}

static inline fmix_twofold fmix_tf(double x) {
    return (fmix_twofold){x, 0};
}

static inline fmix_twofold fmix_tf_add(fmix_twofold a, fmix_twofold b) {
    fmix_twofold s = fmix_two_sum(a.high, b.high), t = fmix_two_sum(a.low, b.low);
    s = fmix_two_fast_sum(s.high, s.low + t.high);
    return fmix_two_fast_sum(s.high, s.low + t.low);
}

/* Within 2u^2 relative (Joldes, Muller and Popescu 2017). */
static inline fmix_twofold fmix_tf_add_double(fmix_twofold a, double b) {
    fmix_twofold s = fmix_two_sum(a.high, b);
    return fmix_two_fast_sum(s.high, s.low + a.low);
}

static inline fmix_twofold fmix_tf_negate(fmix_twofold a) {
    return (fmix_twofold){-a.high, -a.low};
}

static inline fmix_twofold fmix_tf_sub(fmix_twofold a, fmix_twofold b) {
    return fmix_tf_add(a, fmix_tf_negate(b));
}

static inline fmix_twofold fmix_tf_mul(fmix_twofold a, fmix_twofold b) {
    fmix_twofold p = fmix_two_product(a.high, b.high);
    return fmix_two_fast_sum(p.high, p.low + (a.high * b.low + a.low * b.high));
}

static inline fmix_twofold fmix_tf_scale(fmix_twofold a, double b) {
    fmix_twofold p = fmix_two_product(a.high, b);
    return fmix_two_fast_sum(p.high, p.low + a.low * b);
}

fmix_twofold fmix_tf_div(fmix_twofold a, fmix_twofold b);
fmix_twofold fmix_tf_sqrt(fmix_twofold a); /* of 0: 0 */

/* Relative bounds, which tests hold against MPFR: 2^-98 of the logarithm of a normal a > 0; 2^-94
 * of the exponential for -200 <= a <= 200, of the a given. */
fmix_twofold fmix_tf_log(fmix_twofold a);
fmix_twofold fmix_tf_exp(fmix_twofold a);

/* cos and sin of 2 pi n / d, n < d <= 2^32, within 2^-96; exact zeros and ones. */
void fmix_tf_turn(uint64_t n, uint64_t d, fmix_twofold *cosine, fmix_twofold *sine);

#endif
