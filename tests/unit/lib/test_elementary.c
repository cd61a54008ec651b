#include "unit.h"

#include "elementary.h"

#include <math.h>

#include <mpfr.h>

/* |x - exact| / |exact| in units of u; 0 where both are 0. */
static double error_in_u(double x, const mpfr_t exact) {
    mpfr_t e;
    if (mpfr_zero_p(exact))
        return x == 0 ? 0 : HUGE_VAL;
    mpfr_init2(e, 200);
    mpfr_d_sub(e, x, exact, MPFR_RNDN);
    mpfr_div(e, e, exact, MPFR_RNDN);
    double u = mpfr_get_d(e, MPFR_RNDN) * 0x1p53;
    mpfr_clear(e);
    return u < 0 ? -u : u;
}

/* Words where something happens: both ends, powers of two, quarters and eighths, and any. */
static size_t interesting_words(uint32_t *out, size_t room) {
    size_t n = 0;
    uint64_t random = 1;
    for (unsigned shift = 0; shift < 32; shift++)
        for (int d = -3; d <= 3; d++)
            out[n++] = (UINT32_C(1) << shift) + (uint32_t)d;
    for (unsigned eighth = 0; eighth < 8; eighth++)
        for (int d = -40; d <= 40; d++)
            out[n++] = (eighth << 29) + (uint32_t)d;
    while (n < room)
        out[n++] = (uint32_t)(unit_random(&random) >> 32);
    return n;
}

enum { WORDS = 40000 };

static void logarithm_is_within_five_u(void **state) {
    (void)state;
    static uint32_t w[WORDS];
    mpfr_t x;
    mpfr_init2(x, 200);
    interesting_words(w, WORDS);
    for (size_t i = 0; i < WORDS; i++) {
        mpfr_set_d(x, (double)w[i] + 1, MPFR_RNDN);
        mpfr_div_2ui(x, x, 32, MPFR_RNDN);
        mpfr_log(x, x, MPFR_RNDN);
        assert_true(error_in_u(fmix_log_word(w[i]), x) <= 5);
    }
    mpfr_clear(x);
}

static void cosine_is_within_six_u_and_exact_at_quarters(void **state) {
    (void)state;
    static uint32_t w[WORDS];
    mpfr_t a;
    mpfr_init2(a, 200);
    interesting_words(w, WORDS);
    for (size_t i = 0; i < WORDS; i++) {
        if (w[i] % (UINT32_C(1) << 30) == 0) {
            static const double quarter[] = {1, 0, -1, 0};
            assert_true(fmix_cos_word(w[i]) == quarter[w[i] >> 30]);
            continue;
        }
        mpfr_const_pi(a, MPFR_RNDN);
        mpfr_mul_d(a, a, 2.0 * w[i], MPFR_RNDN);
        mpfr_div_2ui(a, a, 32, MPFR_RNDN);
        mpfr_cos(a, a, MPFR_RNDN);
        assert_true(error_in_u(fmix_cos_word(w[i]), a) <= 6);
    }
    mpfr_clear(a);
}

static void exponential_is_within_its_bounds(void **state) {
    (void)state;
    uint64_t random = 2;
    mpfr_t x;
    mpfr_init2(x, 200);
    for (int i = 0; i < 20000; i++) {
        double y = -(double)(unit_random(&random) >> 11) * 0x1p-53;
        y *= i % 4 == 0 ? 700 : i % 4 == 1 ? 2 : i % 4 == 2 ? 0.4 : 0x1p-30;
        double minus, e = fmix_exp_negative(y, &minus);
        mpfr_set_d(x, y, MPFR_RNDN);
        mpfr_exp(x, x, MPFR_RNDN);
        assert_true(error_in_u(e, x) <= 4);
        mpfr_set_d(x, y, MPFR_RNDN);
        mpfr_expm1(x, x, MPFR_RNDN);
        mpfr_neg(x, x, MPFR_RNDN);
        assert_true(error_in_u(minus, x) <= 11);
    }
    double minus;
    assert_true(fmix_exp_negative(-2000, &minus) == 0 && minus == 1);
    assert_true(fmix_exp_negative(0, &minus) == 1 && minus == 0);
    mpfr_clear(x);
}

static void power_is_within_24_u(void **state) {
    (void)state;
    uint64_t random = 3;
    mpfr_t x, h;
    mpfr_inits2(200, x, h, (mpfr_ptr)NULL);
    for (int i = 0; i < 20000; i++) {
        double s = (1 + (double)(unit_random(&random) >> 11) * 0x1p-53);
        int shift = (int)(unit_random(&random) % 49);
        s /= (double)(UINT64_C(1) << shift);
        double half = 5 * (double)(unit_random(&random) >> 11) * 0x1p-53;
        if (i % 5 == 0)
            half = (double)(i % 11) / 2;
        mpfr_set_d(x, s, MPFR_RNDN);
        mpfr_set_d(h, -half, MPFR_RNDN);
        mpfr_pow(x, x, h, MPFR_RNDN);
        assert_true(error_in_u(fmix_power(s, half), x) <= 24);
    }
    assert_true(fmix_power(0.25, 0) == 1 && fmix_power(1, 5) == 1);
    mpfr_clears(x, h, (mpfr_ptr)NULL);
}

RUN(T(logarithm_is_within_five_u), T(cosine_is_within_six_u_and_exact_at_quarters),
    T(exponential_is_within_its_bounds), T(power_is_within_24_u))
