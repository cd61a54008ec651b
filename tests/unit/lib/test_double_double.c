#include "unit.h"

#include "double_double.h"

#include <mpfr.h>

static void to_mpfr(mpfr_t out, fmix_dd x) {
    mpfr_set_d(out, x.high, MPFR_RNDN);
    mpfr_add_d(out, out, x.low, MPFR_RNDN);
}

/* Whether |x - exact| <= 2^bits |exact|. */
static bool within(fmix_dd x, const mpfr_t exact, int bits) {
    mpfr_t e, bound;
    mpfr_inits2(400, e, bound, (mpfr_ptr)NULL);
    to_mpfr(e, x);
    mpfr_sub(e, e, exact, MPFR_RNDN);
    mpfr_abs(bound, exact, MPFR_RNDN);
    mpfr_mul_2si(bound, bound, bits, MPFR_RNDN);
    bool is = mpfr_cmpabs(e, bound) <= 0;
    mpfr_clears(e, bound, (mpfr_ptr)NULL);
    return is;
}

static double uniform(uint64_t *random) {
    return (double)(unit_random(random) >> 11) * 0x1p-53;
}

static fmix_dd any(uint64_t *random, double scale) {
    double high = (2 * uniform(random) - 1) * scale;
    return fmix_two_sum(high, high * 0x1p-54 * (2 * uniform(random) - 1));
}

static void arithmetic_keeps_102_bits(void **state) {
    (void)state;
    uint64_t random = 4;
    mpfr_t a, b, c;
    mpfr_inits2(400, a, b, c, (mpfr_ptr)NULL);
    for (int i = 0; i < 20000; i++) {
        fmix_dd x = any(&random, 1), y = any(&random, i % 3 ? 1 : 0x1p-40);
        if (i % 7 == 0)
            y = fmix_two_sum(-x.high, x.high * 0x1p-60); /* cancels */
        to_mpfr(a, x);
        to_mpfr(b, y);
        mpfr_add(c, a, b, MPFR_RNDN);
        assert_true(within(fmix_dd_add(x, y), c, -102));
        mpfr_mul(c, a, b, MPFR_RNDN);
        assert_true(within(fmix_dd_mul(x, y), c, -102));
        mpfr_div(c, a, b, MPFR_RNDN);
        assert_true(within(fmix_dd_div(x, y), c, -100));
        x = x.high < 0 ? fmix_dd_negate(x) : x;
        to_mpfr(a, x);
        mpfr_sqrt(c, a, MPFR_RNDN);
        assert_true(within(fmix_dd_sqrt(x), c, -100));
    }
    mpfr_clears(a, b, c, (mpfr_ptr)NULL);
}

static void logarithm_keeps_98_bits(void **state) {
    (void)state;
    uint64_t random = 5;
    mpfr_t a;
    mpfr_init2(a, 400);
    for (int i = 0; i < 20000; i++) {
        double s = (1 + uniform(&random)) / (double)(UINT64_C(1) << (unit_random(&random) % 49));
        if (i % 4 == 0) /* words near 2^32: the logarithm is small */
            s = 1 - (double)(1 + unit_random(&random) % 4096) * 0x1p-32;
        fmix_dd x = fmix_two_sum(s, s * 0x1p-55);
        to_mpfr(a, x);
        mpfr_log(a, a, MPFR_RNDN);
        assert_true(within(fmix_dd_log(x), a, -98));
    }
    fmix_dd zero = fmix_dd_log(fmix_dd_from(1));
    assert_true(zero.high == 0 && zero.low == 0);
    mpfr_clear(a);
}

static void exponential_keeps_94_bits(void **state) {
    (void)state;
    uint64_t random = 6;
    mpfr_t a;
    mpfr_init2(a, 400);
    for (int i = 0; i < 20000; i++) {
        fmix_dd x = any(&random, i % 2 ? 199 : 1);
        to_mpfr(a, x);
        mpfr_exp(a, a, MPFR_RNDN);
        assert_true(within(fmix_dd_exp(x), a, -94));
    }
    mpfr_clear(a);
}

static void turn_keeps_96_bits_and_is_exact_at_quarters(void **state) {
    (void)state;
    uint64_t random = 7;
    mpfr_t a, c, s;
    mpfr_inits2(400, a, c, s, (mpfr_ptr)NULL);
    for (int i = 0; i < 20000; i++) {
        uint64_t d = i % 3 ? UINT64_C(1) << 32 : 1 + unit_random(&random) % (UINT64_C(1) << 24);
        uint64_t n = i % 5 ? unit_random(&random) % d : (d / 4 + unit_random(&random) % 5) % d;
        fmix_dd cosine, sine;
        fmix_dd_turn(n, d, &cosine, &sine);
        if (4 * n % d == 0) {
            static const double quarter[] = {1, 0, -1, 0};
            assert_true(cosine.high == quarter[4 * n / d] && cosine.low == 0);
            assert_true(sine.high == quarter[(4 * n / d + 3) % 4] && sine.low == 0);
            continue;
        }
        mpfr_const_pi(a, MPFR_RNDN);
        mpfr_mul_d(a, a, 2.0 * (double)n, MPFR_RNDN);
        mpfr_div_d(a, a, (double)d, MPFR_RNDN);
        mpfr_sin_cos(s, c, a, MPFR_RNDN);
        assert_true(within(cosine, c, -96));
        assert_true(within(sine, s, -96));
    }
    mpfr_clears(a, c, s, (mpfr_ptr)NULL);
}

RUN(T(arithmetic_keeps_102_bits), T(logarithm_keeps_98_bits), T(exponential_keeps_94_bits),
    T(turn_keeps_96_bits_and_is_exact_at_quarters))
