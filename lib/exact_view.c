#include "exact.h"

#include <mpfr.h>

#define NEAREST MPFR_RNDN

/*
 * With V/2^32 = p/2^j in lowest terms, the square of the extent is A r0 (r1/r0)^(p/2^j) or,
 * upright, A / (r0 (r1/r0)^(p/2^j)), and A, r0, r1 are rational. It can be the square of k + 1/2
 * only if the 2^j-th root of r1/r0 is rational, since p is odd. Unless r1 = r0, that leaves j <= 5:
 * an odd prime is in r1/r0 at most 33 times, two at most 19 times once the odd parts are equal. So
 * where j <= 5 the comparison is made exactly, between the 2^j-th powers of both squares, and
 * elsewhere there is no tie, and enough digits tell.
 *
 * A has at most 155 bits: 40 of the pixels, 83 of the areas, which are multiples of 2^-83 (30 for
 * 10^-9, 53 for its digits), and 32 of the word. Its 32nd power and 32 factors r0, r1 of 53 bits
 * each make 6,656 bits; (2k + 1)^64 has less, for k < 2^26.
 */
#define ROOTS           5
#define EXACT_PRECISION 8192

/* 4^power * (square of the extent)^power = sides[0] / sides[1], without rounding, where power is
 * 2^j. The word is p/2^j. */
static void set_powers(const fmix_extent *e, unsigned long p, unsigned long power,
                       mpfr_t sides[2]) {
    mpfr_t x;
    mpfr_init2(x, EXACT_PRECISION);
    mpfr_set_d(x, e->area[1], NEAREST);
    mpfr_sub_d(x, x, e->area[0], NEAREST);
    mpfr_mul_ui(x, x, e->words[0], NEAREST);
    mpfr_div_2ui(x, x, 32, NEAREST);
    mpfr_add_d(x, x, e->area[0], NEAREST);
    mpfr_mul_d(x, x, 4 * (double)e->pixels, NEAREST);
    mpfr_pow_ui(sides[0], x, power, NEAREST);
    mpfr_set_ui(sides[1], 1, NEAREST);
    mpfr_t *ratio = &sides[e->upright ? 1 : 0];
    mpfr_set_d(x, e->ratio[0], NEAREST);
    mpfr_pow_ui(x, x, power - p, NEAREST);
    mpfr_mul(*ratio, *ratio, x, NEAREST);
    mpfr_set_d(x, e->ratio[1], NEAREST);
    mpfr_pow_ui(x, x, p, NEAREST);
    mpfr_mul(*ratio, *ratio, x, NEAREST);
    mpfr_clear(x);
}

/* The sign of the extent minus (below + 1/2), for a word p/2^j with power = 2^j <= 2^ROOTS. */
static int compare_exactly(const fmix_extent *e, uint64_t below, unsigned long p,
                           unsigned long power) {
    mpfr_t sides[2], half;
    mpfr_inits2(EXACT_PRECISION, sides[0], sides[1], half, (mpfr_ptr)NULL);
    set_powers(e, p, power, sides);
    mpfr_set_d(half, 2 * (double)below + 1, NEAREST);
    mpfr_pow_ui(half, half, 2 * power, NEAREST);
    mpfr_mul(half, half, sides[1], NEAREST);
    int order = mpfr_cmp(sides[0], half);
    mpfr_clears(sides[0], sides[1], half, (mpfr_ptr)NULL);
    return order;
}

/* The same by digits. Ten correctly rounded operations, none of which amplifies an error that came
 * before (sums are of positive numbers, the power is at most 1), leave the extent within
 * 2^(4 - precision) of itself. */
static int compare_by_digits(const fmix_extent *e, uint64_t below) {
    int order = 0;
    for (mpfr_prec_t precision = 128; order == 0; precision *= 2) {
        mpfr_t x, y;
        mpfr_inits2(precision, x, y, (mpfr_ptr)NULL);
        mpfr_set_d(x, e->ratio[1], NEAREST);
        mpfr_div_d(x, x, e->ratio[0], NEAREST);
        mpfr_set_d(y, e->words[1] * 0x1p-32, NEAREST);
        mpfr_pow(y, x, y, NEAREST);
        mpfr_mul_d(y, y, e->ratio[0], NEAREST);
        mpfr_set_d(x, e->area[1], NEAREST);
        mpfr_sub_d(x, x, e->area[0], NEAREST);
        mpfr_mul_d(x, x, e->words[0] * 0x1p-32, NEAREST);
        mpfr_add_d(x, x, e->area[0], NEAREST);
        mpfr_mul_d(x, x, (double)e->pixels, NEAREST);
        if (e->upright)
            mpfr_div(x, x, y, NEAREST);
        else
            mpfr_mul(x, x, y, NEAREST);
        mpfr_sqrt(x, x, NEAREST);
        mpfr_set_d(y, (double)below + 0.5, NEAREST);
        mpfr_sub(x, x, y, NEAREST);
        mpfr_mul_2si(y, y, 12 - precision, NEAREST);
        order = mpfr_cmpabs(x, y) > 0 ? mpfr_sgn(x) : 0;
        mpfr_clears(x, y, (mpfr_ptr)NULL);
    }
    return order;
}

uint64_t fmix_exact_extent(const fmix_extent *extent, uint64_t below) {
    unsigned long p = extent->ratio[0] == extent->ratio[1] ? 0 : extent->words[1];
    unsigned roots = p == 0 ? 0 : 32;
    for (; roots > 0 && p % 2 == 0; roots--)
        p /= 2;
    int order = roots <= ROOTS ? compare_exactly(extent, below, p, 1ul << roots)
                               : compare_by_digits(extent, below);
    return order > 0 || (order == 0 && below % 2 == 1) ? below + 1 : below;
}
