#include "exact.h"
#include "phase.h"

#include <mpfr.h>
#include <stdlib.h>

#define NEAREST MPFR_RNDN

/*
 * The error of a sum is at most 2^(100-precision) of S = sum of the weights times |Z|. Each bin
 * passes about 20 correctly rounded operations, whose largest amplification is delta/2 * |ln f^2|
 * <= 166, and 2^24 bins are summed: 2^40 would do. Orders compare with 2^-256 of the total. For
 * levels, numerator and denominator may both be as small as 2^-256 of the total, and their quotient
 * is needed to 2^-256 again.
 */
#define ORDER_PRECISION 448
#define LEVEL_PRECISION 768
#define STEPS_OF_PAIR   40  /* of 50 ns, in add_bin */
#define PAIRS_AT_ONCE   512 /* between two questions whether to cancel, amid a bin */

void fmix_exact_thread_end(void) {
    mpfr_free_cache2(MPFR_FREE_LOCAL_CACHE);
}

const char *fmix_exact_library(void) {
    return mpfr_get_version();
}

/* cos and sin of 2 pi n / d; exact where d is a multiple of 4 and the turn one of quarters. */
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

/* cos and sin of the phase of a table entry; NaN until they are first needed */
typedef struct entry {
    mpfr_t cosine, sine;
} entry;

/* The state of one pass over the bins. */
typedef struct sums {
    const fmix_field *field;
    const fmix_pair *pairs;
    fmix_phase *phases; /* phases of pixel and pivot of each pair */
    mpfr_t *values;     /* G[pixel] - G[pivot] */
    size_t n, ready;    /* ready: how many values are initialised */
    uint64_t denominator;
    entry *entries; /* fine, then coarse */
    size_t entry_count;
    mpfr_t re, im, cosine, sine, base_cosine, base_sine, a, b;
    bool cancelled; /* amid a bin */
} sums;

static void sums_clear(sums *s) {
    for (size_t i = 0; i < s->entry_count; i++)
        mpfr_clears(s->entries[i].cosine, s->entries[i].sine, (mpfr_ptr)NULL);
    for (size_t i = 0; i < s->ready; i++)
        mpfr_clear(s->values[i]);
    free(s->entries);
    free(s->values);
    free(s->phases);
    mpfr_clears(s->re, s->im, s->cosine, s->sine, s->base_cosine, s->base_sine, s->a, s->b,
                (mpfr_ptr)NULL);
}

/* Call sums_clear whatever this returns. */
static fmix_status sums_init(sums *s, const fmix_field *field, mpfr_prec_t precision,
                             const fmix_pair *pairs, size_t n) {
    fmix_sides sides = fmix_shape_sides(&field->params->shape);
    uint64_t denominator = fmix_phase_denominator(&sides);
    size_t entries = (size_t)(FMIX_PHASE_FINE + denominator / FMIX_PHASE_FINE + 1);
    *s = (sums){.field = field, .pairs = pairs, .n = n, .denominator = denominator};
    mpfr_inits2(precision, s->re, s->im, s->cosine, s->sine, s->base_cosine, s->base_sine, s->a,
                s->b, (mpfr_ptr)NULL);
    s->entries = malloc(entries * sizeof *s->entries);
    s->phases = malloc(2 * n * sizeof *s->phases);
    s->values = malloc(n * sizeof *s->values);
    if (!s->entries || !s->phases || !s->values)
        return FMIX_ERROR_MEMORY;
    for (; s->entry_count < entries; s->entry_count++) {
        entry *e = &s->entries[s->entry_count];
        mpfr_inits2(precision, e->cosine, e->sine, (mpfr_ptr)NULL);
    }
    for (; s->ready < n; s->ready++) {
        mpfr_init2(s->values[s->ready], precision);
        mpfr_set_zero(s->values[s->ready], 1);
        s->phases[2 * s->ready] = fmix_phase_of(&sides, denominator, pairs[s->ready].pixel);
        s->phases[2 * s->ready + 1] = fmix_phase_of(&sides, denominator, pairs[s->ready].pivot);
    }
    return FMIX_OK;
}

static const entry *entry_at(sums *s, uint64_t number, uint64_t phase) {
    entry *e = &s->entries[number];
    if (mpfr_nan_p(e->cosine))
        turn(e->cosine, e->sine, s->b, phase, s->denominator);
    return e;
}

static void phase_turn(sums *s, uint64_t phase, mpfr_t cosine, mpfr_t sine) {
    uint64_t low = phase % FMIX_PHASE_FINE, high = phase / FMIX_PHASE_FINE;
    const entry *fine = entry_at(s, low, low);
    const entry *coarse = entry_at(s, FMIX_PHASE_FINE + high, high * FMIX_PHASE_FINE);
    mpfr_fmms(cosine, fine->cosine, coarse->cosine, fine->sine, coarse->sine, NEAREST);
    mpfr_fmma(sine, fine->cosine, coarse->sine, fine->sine, coarse->cosine, NEAREST);
}

/* out = (f^2)^(-delta/2) */
static void weigh(sums *s, const fmix_square *square, mpfr_t out) {
    mpfr_set_zero(s->a, 1);
    for (int d = 0; d < 3; d++) {
        mpfr_set_si(s->b, square->k[d], NEAREST);
        mpfr_div_ui(s->b, s->b, square->period[d], NEAREST);
        mpfr_sqr(s->b, s->b, NEAREST);
        mpfr_add(s->a, s->a, s->b, NEAREST);
    }
    mpfr_set_d(s->b, -s->field->params->delta / 2, NEAREST);
    mpfr_pow(out, s->a, s->b, NEAREST);
}

/* re + i im = X_j */
static void spectrum_at(sums *s, const fmix_bin *bin, const uint32_t words[2]) {
    weigh(s, &bin->square, s->re);
    if (bin->alike)
        mpfr_set(s->im, s->re, NEAREST);
    else
        weigh(s, &bin->imaginary, s->im);
    mpfr_set_d(s->a, (double)words[0] + 1, NEAREST);
    mpfr_div_2ui(s->a, s->a, 32, NEAREST);
    mpfr_log(s->a, s->a, NEAREST);
    mpfr_mul_si(s->a, s->a, -2 * (long)bin->gain, NEAREST);
    mpfr_sqrt(s->a, s->a, NEAREST);
    mpfr_mul(s->re, s->re, s->a, NEAREST);
    mpfr_mul(s->im, s->im, s->a, NEAREST);
    turn(s->cosine, s->sine, s->a, words[1], UINT64_C(1) << 32);
    mpfr_mul(s->re, s->re, s->cosine, NEAREST);
    mpfr_mul(s->im, s->im, s->sine, NEAREST);
}

static void add_bin(void *user, const fmix_bin *bin, const uint32_t words[2]) {
    sums *s = user;
    bool known = false, turned = false;
    for (size_t i = 0; i < s->n && !s->cancelled; i++) {
        s->cancelled = i % PAIRS_AT_ONCE == PAIRS_AT_ONCE - 1 && fmix_field_is_cancelled(s->field);
        if (i == 0 || s->pairs[i].pivot != s->pairs[i - 1].pivot)
            turned = false;
        uint64_t here = fmix_phase_at(&s->phases[2 * i], s->denominator, bin->at);
        uint64_t there = fmix_phase_at(&s->phases[2 * i + 1], s->denominator, bin->at);
        if (here == there)
            continue;
        if (!known)
            spectrum_at(s, bin, words);
        if (!turned)
            phase_turn(s, there, s->base_cosine, s->base_sine);
        known = turned = true;
        phase_turn(s, here, s->cosine, s->sine);
        mpfr_sub(s->cosine, s->cosine, s->base_cosine, NEAREST);
        mpfr_sub(s->sine, s->sine, s->base_sine, NEAREST);
        mpfr_fmms(s->a, s->re, s->cosine, s->im, s->sine, NEAREST);
        mpfr_add(s->values[i], s->values[i], s->a, NEAREST);
    }
}

static fmix_status add_bins(sums *s) {
    bool whole = fmix_field_each(s->field, STEPS_OF_PAIR * s->n, add_bin, s) && !s->cancelled;
    return whole ? FMIX_OK : FMIX_ERROR_CANCELLED;
}

/* Sets the tolerance below which values are equal. total is a float64 sum, so only a difference
 * within 2^-30 of the tolerance could notice its rounding. */
static void set_tie(const fmix_field *field, mpfr_t out) {
    mpfr_set_d(out, field->total, NEAREST);
    mpfr_div_2ui(out, out, FMIX_TIE_BITS, NEAREST);
}

fmix_status fmix_exact_orders(const fmix_field *field, const fmix_pair *pairs, size_t n,
                              int *orders) {
    sums s;
    fmix_status status = sums_init(&s, field, ORDER_PRECISION, pairs, n);
    if (status == FMIX_OK)
        status = add_bins(&s);
    set_tie(field, s.a);
    for (size_t i = 0; i < n && status == FMIX_OK; i++)
        orders[i] = mpfr_cmpabs(s.values[i], s.a) < 0 ? 0 : mpfr_sgn(s.values[i]);
    sums_clear(&s);
    return status;
}

/* 255 * value / spread to nearest. A value within 2^-256 of a half counts as the half, which goes
 * to even. The quotient is known far below 2^-256, and subtracting the half loses nothing. */
static unsigned char level(sums *s, const mpfr_t value, const mpfr_t spread) {
    mpfr_mul_ui(s->a, value, 255, NEAREST);
    mpfr_div(s->a, s->a, spread, NEAREST);
    mpfr_floor(s->b, s->a);
    unsigned long below = mpfr_get_ui(s->b, NEAREST);
    mpfr_sub(s->a, s->a, s->b, NEAREST);
    mpfr_sub_d(s->a, s->a, 0.5, NEAREST);
    bool is_half = mpfr_zero_p(s->a) || mpfr_get_exp(s->a) <= -FMIX_TIE_BITS;
    bool up = is_half ? below % 2 != 0 : mpfr_sgn(s->a) > 0;
    return (unsigned char)(up ? below + 1 : below);
}

/* A pixel can be below the lowest or above the highest only by a tie, which rounds away. */
fmix_status fmix_exact_levels(const fmix_field *field, uint32_t lowest, uint32_t highest,
                              const uint32_t *pixels, size_t n, unsigned char *levels) {
    sums s;
    fmix_pair *pairs = malloc((n + 1) * sizeof *pairs);
    if (!pairs)
        return FMIX_ERROR_MEMORY;
    for (size_t i = 0; i < n; i++)
        pairs[i] = (fmix_pair){pixels[i], lowest};
    pairs[n] = (fmix_pair){highest, lowest};
    fmix_status status = sums_init(&s, field, LEVEL_PRECISION, pairs, n + 1);
    if (status == FMIX_OK)
        status = add_bins(&s);
    set_tie(field, s.a);
    bool constant = status == FMIX_OK && mpfr_cmpabs(s.values[n], s.a) < 0;
    for (size_t i = 0; i < n && status == FMIX_OK; i++) {
        bool lowest_too = constant || mpfr_sgn(s.values[i]) <= 0;
        levels[i] = lowest_too ? 0 : level(&s, s.values[i], s.values[n]);
    }
    sums_clear(&s);
    free(pairs);
    return status;
}
