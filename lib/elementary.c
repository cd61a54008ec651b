#include "elementary.h"
#include "binary64.h"

#define LN2_HIGH 0x1.62e42fefa0000p-1 /* 37 bits: a product with 10 more bits is exact */
#define LN2_LOW  0x1.cf79abc9e3b3ap-40
#define LN2      0x1.62e42fefa39efp-1
#define INV_LN2  0x1.71547652b82fep+0
#define TAU_2_32 0x1.921fb54442d18p-30 /* 2 pi / 2^32 */

#define TWO_52      0x1p52
#define TWO_52_BITS UINT64_C(0x4330000000000000)

/* 0 <= i < 2^52, exactly */
static double from_integer(uint64_t i) {
    return from_bits(TWO_52_BITS | i) - TWO_52;
}

/*
 * ln m for m in [sqrt(1/2), sqrt 2): with s = (m-1)/(m+1), 2s(1 + s^2/3 + s^4/5 + …). |s| < 0.1716,
 * so the remainder after s^20/21 is under 2^-58 of the sum. m-1 is exact; m+1 is within u, s within
 * 2u, the series, whose terms past 1 sum to under 0.01, within 0.1u, the last product within u, the
 * sum with 1 within u: 4u in all. (Where m has at most 52 bits, as every word has, m+1 is exact:
 * 3u.)
 */
static double log_near_one(double m) {
    double s = (m - 1.0) / (m + 1.0);
    double z = s * s;
    double p = 1.0 / 21;
    p = p * z + 1.0 / 19;
    p = p * z + 1.0 / 17;
    p = p * z + 1.0 / 15;
    p = p * z + 1.0 / 13;
    p = p * z + 1.0 / 11;
    p = p * z + 1.0 / 9;
    p = p * z + 1.0 / 7;
    p = p * z + 1.0 / 5;
    p = p * z + 1.0 / 3;
    return 2.0 * s + (2.0 * s) * (z * p);
}

/*
 * x = w+1 = 2^(e+32) m. For e = 0 the result is ln m. Else |e ln2 + ln m| >= 0.34, and e*LN2_HIGH
 * is exact; ln m (at most 0.35) brings 3u of itself, the two sums u each: under 5u.
 */
double fmix_log_word(uint32_t w) {
    double x = from_integer((uint64_t)w + 1);
    uint64_t ix = bits_of(x);
    uint64_t e = (ix - ROOT_HALF_BITS) >> 52; /* x >= 1, so this is not negative */
    double m = from_bits(ix - (e << 52));
    double exponent = from_integer(e) - 32.0;
    return exponent * LN2_HIGH + (exponent * LN2_LOW + log_near_one(m));
}

/*
 * Quarter q and remainder r in integers; |t| <= pi/4 within 2u relative. Taylor's sine to t^17
 * leaves 2^-63, cosine to t^16 2^-58. Sine: t's 2u (its condition number there is at most 1), the
 * factor's terms past 1 sum to at most 0.11: 4u in all. Cosine: t^2/2 <= 0.309 with 5u of itself,
 * the sum with 1: under 3.5u of a result of at least 0.7. 6u covers both.
 */
static double sine_poly(double t) {
    double z = t * t;
    double p = 1.0 / 355687428096000.0;
    p = p * z - 1.0 / 1307674368000.0;
    p = p * z + 1.0 / 6227020800.0;
    p = p * z - 1.0 / 39916800.0;
    p = p * z + 1.0 / 362880.0;
    p = p * z - 1.0 / 5040.0;
    p = p * z + 1.0 / 120.0;
    p = p * z - 1.0 / 6.0;
    return t + t * (z * p);
}

static double cosine_poly(double t) {
    double z = t * t;
    double p = 1.0 / 20922789888000.0;
    p = p * z - 1.0 / 87178291200.0;
    p = p * z + 1.0 / 479001600.0;
    p = p * z - 1.0 / 3628800.0;
    p = p * z + 1.0 / 40320.0;
    p = p * z - 1.0 / 720.0;
    p = p * z + 1.0 / 24.0;
    p = p * z - 1.0 / 2.0;
    return 1.0 + z * p;
}

/* Quarters 1 and 3 have the sine's size; 1 and 2 are negative. Words are random, so a branch would
 * be guessed wrong half the time. */
double fmix_cos_word(uint32_t w) {
    uint32_t q = (w + (UINT32_C(1) << 29)) >> 30;
    double t = (double)(int32_t)(w - (q << 30)) * TAU_2_32;
    uint64_t sine = bits_of(sine_poly(t)), cosine = bits_of(cosine_poly(t));
    uint64_t odd = 0 - (uint64_t)(q & 1), negative = (uint64_t)((q + 1) >> 1 & 1) << 63;
    return from_bits(((sine & odd) | (cosine & ~odd)) ^ negative);
}

/* e^r - 1 for |r| <= 0.35: the remainder after r^14/14! is under 2^-61 of r. r + r*(r*p), where r*p
 * is at most 0.2: under 2u of itself. */
static double expm1_poly(double r) {
    static const double c[] = {
        1.0 / 87178291200.0, 1.0 / 6227020800.0, 1.0 / 479001600.0, 1.0 / 39916800.0,
        1.0 / 3628800.0,     1.0 / 362880.0,     1.0 / 40320.0,     1.0 / 5040.0,
        1.0 / 720.0,         1.0 / 120.0,        1.0 / 24.0,        1.0 / 6.0,
        1.0 / 2.0,
    };
    double p = 0;
    for (size_t i = 0; i < sizeof c / sizeof *c; i++)
        p = p * r + c[i];
    return r + r * (r * p);
}

/*
 * r = y - n ln2: n*LN2_HIGH is exact (|n| < 2^10), and by Sterbenz the difference; n*LN2_LOW is
 * under 2^-29, so r is within 0.4u. e^r then carries 2u*0.42 + 0.4u + u, and the scaling is exact
 * above -700: 4u. 1 - e^y is -expm1 directly when n = 0; otherwise e^y <= 0.71 and the difference,
 * at least 0.29, carries (4u * 0.71) / 0.29 + u: under 11u, of which expm1's own 2u are less.
 */
double fmix_exp_negative(double y, double *minus) {
    if (y < -700) {
        *minus = 1;
        return 0;
    }
    double n = nearest_integer(y * INV_LN2);
    double r = (y - n * LN2_HIGH) - n * LN2_LOW;
    double m = expm1_poly(r);
    double e = (1.0 + m) * power_of_two((int)n);
    *minus = n == 0 ? -m : 1.0 - e;
    return e;
}

/*
 * s = 2^e m, so s^-h = 2^-(h e + h log2 m). h has at most 53 bits and e 11: h's upper half times e
 * is exact, and so is its lower half times e. |h log2 m| <= 2.5, within 7u of that; the exponent's
 * fraction thus within 20u, which ln2 and the last e^x turn into under 14u + 4u + 4u.
 */
double fmix_power(double s, double h) {
    uint64_t bits = bits_of(s);
    int64_t e = (int64_t)((bits - ROOT_HALF_BITS) >> 52);
    e = (bits >= ROOT_HALF_BITS) ? e : e - 4096; /* the shift was logical: restore the sign */
    double m = from_bits(bits - ((uint64_t)e << 52));
    double exponent = (double)e;
    double upper = from_bits(bits_of(h) & ~UINT64_C(0x7ffffff));
    double whole = upper * exponent, rest = (h - upper) * exponent;
    double part = h * (log_near_one(m) * INV_LN2);
    double n = nearest_integer(-(whole + part));
    double fraction = (-(whole + n) - part) - rest;
    return (1.0 + expm1_poly(fraction * LN2)) * power_of_two((int)n);
}
