#include "exact.h"

#include <mpfr.h>
#include <stdlib.h>

#define NEAREST MPFR_RNDN

/*
 * Enough for every order: an error of at most 2^(100-PRECISION) of S is far below the 2^-256 of the
 * tie rule. Each bin goes through about 20 correctly rounded operations, whose largest
 * amplification is delta/2 * |ln f^2| <= 166, and 2^24 bins are summed: 2^40 would do.
 */
#define PRECISION 448
#define TIE_BITS  256

void fmix_exact_thread_end(void) {
    mpfr_free_cache2(MPFR_FREE_LOCAL_CACHE);
}

/* cos and sin of 2 pi n / d; exact where the quarter is whole. */
static void turn(mpfr_t cosine, mpfr_t sine, mpfr_t scratch, uint64_t n, uint64_t d) {
    uint64_t g = d / 4;
    if (d % 4 == 0 && n % g == 0) {
        static const int table[] = {1, 0, -1, 0};
        mpfr_set_si(cosine, table[n / g % 4], NEAREST);
        mpfr_set_si(sine, table[(n / g + 3) % 4], NEAREST);
        return;
    }
    mpfr_const_pi(scratch, NEAREST);
    mpfr_mul_d(scratch, scratch, 2.0 * (double)n, NEAREST);
    mpfr_div_d(scratch, scratch, (double)d, NEAREST);
    mpfr_sin_cos(sine, cosine, scratch, NEAREST);
}

/* x of STREAM §2 at the precision of x. */
static void beta(mpfr_t x, uint32_t w0, uint32_t w1, double alpha) {
    mpfr_prec_t precision = mpfr_get_prec(x);
    mpfr_t y, q, s, c, a;
    mpfr_inits2(precision, y, q, s, c, a, (mpfr_ptr)NULL);
    turn(c, s, y, w1, UINT64_C(1) << 32);
    mpfr_set_d(y, (double)w0 + 1, NEAREST);
    mpfr_div_2ui(y, y, 32, NEAREST);
    mpfr_log(y, y, NEAREST);
    mpfr_div_d(y, y, alpha, NEAREST);
    mpfr_exp(q, y, NEAREST);
    mpfr_expm1(s, y, NEAREST);
    mpfr_neg(s, s, NEAREST);
    mpfr_sqrt(s, s, NEAREST);
    mpfr_mul(a, c, s, NEAREST);
    mpfr_sqr(s, a, NEAREST);
    mpfr_add(s, s, q, NEAREST);
    mpfr_sqrt(s, s, NEAREST);
    mpfr_div(x, a, s, NEAREST);
    mpfr_add_ui(x, x, 1, NEAREST);
    mpfr_div_2ui(x, x, 1, NEAREST);
    mpfr_clears(y, q, s, c, a, (mpfr_ptr)NULL);
}

/*
 * x carries at most 2^(40-p): the exponent y reaches 2,220, so q loses 12 bits, and a cosine of a
 * word is at least 2^-31, so its angle loses 31; x weakens both (lambda.c). Where C is 0 or q is 1
 * x is one half, a whole L. No other x lies on a half of 2^-32: where C^2 and q are both rational,
 * it would make 2^64 - a^2 or 4^m - 1 a square. So the loop ends, in practice within two rounds.
 */
uint64_t fmix_exact_lambda(uint32_t w0, uint32_t w1, double alpha) {
    if (w0 == UINT32_MAX || (w1 & UINT32_C(0x7fffffff)) == UINT32_C(0x40000000))
        return FMIX_LAMBDA_ONE / 2;
    uint64_t result = 0;
    bool certain = false;
    for (mpfr_prec_t precision = 128; !certain; precision *= 2) {
        mpfr_t x, doubt;
        mpfr_inits2(precision, x, doubt, (mpfr_ptr)NULL);
        beta(x, w0, w1, alpha);
        mpfr_mul_2ui(x, x, 32, NEAREST);
        mpfr_rint(doubt, x, NEAREST);
        result = (uint64_t)mpfr_get_d(doubt, NEAREST);
        mpfr_sub(doubt, x, doubt, NEAREST);
        mpfr_abs(doubt, doubt, NEAREST);
        mpfr_d_sub(doubt, 0.5, doubt, NEAREST);
        certain = mpfr_cmp_ui_2exp(doubt, 1, 72 - precision) > 0;
        mpfr_clears(x, doubt, (mpfr_ptr)NULL);
    }
    return result;
}

/* The numbers one comparison works with. */
typedef struct workshop {
    mpfr_t amplitude, re, im, cosine, sine, base_cosine, base_sine, a, b;
    mpfr_t *table; /* cosine and sine of each fine, then of each coarse phase */
    size_t entries;
    uint64_t denominator;
} workshop;

static void workshop_clear(workshop *w) {
    mpfr_clears(w->amplitude, w->re, w->im, w->cosine, w->sine, w->base_cosine, w->base_sine, w->a,
                w->b, (mpfr_ptr)NULL);
    for (size_t i = 0; i < w->entries; i++)
        mpfr_clear(w->table[i]);
    free(w->table);
}

static fmix_status workshop_init(workshop *w, const fmix_sides *sides) {
    w->denominator = fmix_phase_denominator(sides);
    uint64_t coarse = w->denominator / FMIX_PHASE_FINE + 1;
    w->entries = (size_t)(2 * (FMIX_PHASE_FINE + coarse));
    w->table = malloc(w->entries * sizeof *w->table);
    if (!w->table)
        return FMIX_ERROR_MEMORY;
    mpfr_inits2(PRECISION, w->amplitude, w->re, w->im, w->cosine, w->sine, w->base_cosine,
                w->base_sine, w->a, w->b, (mpfr_ptr)NULL);
    for (size_t i = 0; i < w->entries; i++)
        mpfr_init2(w->table[i], PRECISION);
    for (uint64_t i = 0; i < FMIX_PHASE_FINE && i < w->denominator; i++)
        turn(w->table[2 * i], w->table[2 * i + 1], w->a, i, w->denominator);
    for (uint64_t i = 0; i < coarse; i++) {
        mpfr_t *at = &w->table[2 * (FMIX_PHASE_FINE + i)];
        turn(at[0], at[1], w->a, i * FMIX_PHASE_FINE % w->denominator, w->denominator);
    }
    return FMIX_OK;
}

static void phase_turn(workshop *w, uint64_t phase, mpfr_t cosine, mpfr_t sine) {
    mpfr_t *fine = &w->table[2 * (phase % FMIX_PHASE_FINE)];
    mpfr_t *coarse = &w->table[2 * (FMIX_PHASE_FINE + phase / FMIX_PHASE_FINE)];
    mpfr_fmms(cosine, fine[0], coarse[0], fine[1], coarse[1], NEAREST);
    mpfr_fmma(sine, fine[0], coarse[1], fine[1], coarse[0], NEAREST);
}

/* re + i im = c f^-delta Z; amplitude its modulus. */
static void bin(workshop *w, const fmix_contest *contest, const uint32_t b[3],
                const uint32_t uv[2]) {
    const fmix_sides *sides = &contest->sides;
    int64_t k[3] = {fmix_signed_bin(b[0], sides->n[0]), fmix_signed_bin(b[1], sides->n[1]), b[2]};
    mpfr_set_zero(w->a, 1);
    for (int d = 0; d < 3; d++) {
        mpfr_set_si(w->b, (long)k[d], NEAREST);
        mpfr_div_ui(w->b, w->b, contest->periods.n[d], NEAREST);
        mpfr_sqr(w->b, w->b, NEAREST);
        mpfr_add(w->a, w->a, w->b, NEAREST);
    }
    mpfr_set_d(w->b, -contest->delta / 2, NEAREST);
    mpfr_pow(w->amplitude, w->a, w->b, NEAREST);
    mpfr_set_d(w->a, (double)uv[0] + 1, NEAREST);
    mpfr_div_2ui(w->a, w->a, 32, NEAREST);
    mpfr_log(w->a, w->a, NEAREST);
    mpfr_mul_si(w->a, w->a, fmix_self_mirrored(b[2], sides->n[2]) ? -2 : -4, NEAREST);
    mpfr_sqrt(w->a, w->a, NEAREST);
    mpfr_mul(w->amplitude, w->amplitude, w->a, NEAREST);
    turn(w->re, w->im, w->a, uv[1], UINT64_C(1) << 32);
    mpfr_mul(w->re, w->re, w->amplitude, NEAREST);
    mpfr_mul(w->im, w->im, w->amplitude, NEAREST);
}

/* What summing the differences works with. */
typedef struct sums {
    workshop w;
    const fmix_contest *contest;
    fmix_phase *phases; /* of the n pixels, and of the pivot */
    mpfr_t *differences;
    size_t n;
} sums;

static void add_bin(void *user, const uint32_t b[3], const uint32_t uv[2]) {
    sums *s = user;
    workshop *w = &s->w;
    uint64_t pivot = fmix_phase_at(&s->phases[s->n], w->denominator, b[0], b[1], b[2]);
    bool known = false;
    for (size_t i = 0; i < s->n; i++) {
        uint64_t phase = fmix_phase_at(&s->phases[i], w->denominator, b[0], b[1], b[2]);
        if (phase == pivot)
            continue;
        if (!known) {
            bin(w, s->contest, b, uv);
            phase_turn(w, pivot, w->base_cosine, w->base_sine);
            known = true;
        }
        phase_turn(w, phase, w->cosine, w->sine);
        mpfr_sub(w->cosine, w->cosine, w->base_cosine, NEAREST);
        mpfr_sub(w->sine, w->sine, w->base_sine, NEAREST);
        mpfr_fmms(w->a, w->re, w->cosine, w->im, w->sine, NEAREST);
        mpfr_add(s->differences[i], s->differences[i], w->a, NEAREST);
    }
}

fmix_status fmix_exact_order(const fmix_contest *contest, uint32_t pivot, const uint32_t *pixels,
                             size_t n, int *orders) {
    sums s = {.contest = contest, .n = n};
    fmix_status status = FMIX_ERROR_MEMORY;
    s.phases = malloc((n + 1) * sizeof *s.phases);
    s.differences = malloc(n * sizeof *s.differences);
    if (!s.phases || !s.differences)
        goto out;
    status = workshop_init(&s.w, &contest->sides);
    if (status != FMIX_OK)
        goto out;
    for (size_t i = 0; i < n; i++) {
        s.phases[i] = fmix_phase_of(&contest->sides, s.w.denominator, pixels[i]);
        mpfr_init2(s.differences[i], PRECISION);
        mpfr_set_zero(s.differences[i], 1);
    }
    s.phases[n] = fmix_phase_of(&contest->sides, s.w.denominator, pivot);
    if (!fmix_contest_each_bin(contest, add_bin, &s))
        status = FMIX_ERROR_CANCELLED;

    /* total is a float64 sum: only a difference within 2^-30 of the tolerance could notice. */
    mpfr_set_d(s.w.a, contest->total, NEAREST);
    mpfr_div_2ui(s.w.a, s.w.a, TIE_BITS, NEAREST);
    for (size_t i = 0; i < n; i++) {
        bool equal = mpfr_cmpabs(s.differences[i], s.w.a) < 0;
        orders[i] = equal ? 0 : mpfr_sgn(s.differences[i]);
        mpfr_clear(s.differences[i]);
    }
    workshop_clear(&s.w);
out:
    free(s.differences);
    free(s.phases);
    return status;
}
