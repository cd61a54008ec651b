#include "difference.h"
#include "elementary.h"
#include "phase.h"

#include <math.h> /* sqrt: one IEEE 754 operation, correctly rounded */
#include <stdlib.h>

/*
 * Bounds of the error of a difference, as multiples of S, the sum of the moduli sqrt(gain) f^-delta
 * |Z_j| over the bins that do not cancel.
 *
 * In double-double: a logarithm within 2^-98, times delta/2 and |ln f^2| <= 166 together: a weight
 * within 2^-89; radius and turns within 2^-92; the phase factors within 2^-91 each; all that under
 * 2^-86. The sums lose 2u^2 at each of at most 2^24 + 1 terms: 2^-81. Both twice, for two pixels
 * are subtracted: under 2^-79.
 *
 * In float64: a weight within 51u (spectrum.c), a radius within 2.5u + 2u, cosine and sine within
 * 6u, three products u each, the phase factor, its products and their sum 3u: 68u of each
 * component, sqrt 2 that of the modulus, twice that for two pixels: under 193u.
 */
#define DOUBLE_DOUBLE_BOUND 0x1p-78
#define QUICK_BOUND         0x1p-45 /* 256u */

typedef struct turn {
    fmix_dd re, im;
} turn;

/* Values of e^(2 pi i p / denominator), each computed when it is first needed. */
typedef struct turns {
    uint64_t denominator;
    turn *entries; /* fine, then coarse */
} turns;

#define UNKNOWN 2.0 /* marks an entry without a value: no cosine is 2 */

static fmix_status turns_new(uint64_t denominator, turns *out) {
    size_t n = (size_t)(FMIX_PHASE_FINE + denominator / FMIX_PHASE_FINE + 1);
    out->denominator = denominator;
    out->entries = malloc(n * sizeof *out->entries);
    if (!out->entries)
        return FMIX_ERROR_MEMORY;
    for (size_t i = 0; i < n; i++)
        out->entries[i].re.high = UNKNOWN;
    return FMIX_OK;
}

static turn entry_at(const turns *t, uint64_t entry, uint64_t phase) {
    turn *at = &t->entries[entry];
    if (at->re.high == UNKNOWN)
        fmix_dd_turn(phase, t->denominator, &at->re, &at->im);
    return *at;
}

static turn turn_at(const turns *t, uint64_t phase) {
    uint64_t fine = phase % FMIX_PHASE_FINE, coarse = phase / FMIX_PHASE_FINE;
    turn a = entry_at(t, fine, fine);
    if (coarse == 0)
        return a;
    turn b = entry_at(t, FMIX_PHASE_FINE + coarse, coarse * FMIX_PHASE_FINE);
    return (turn){fmix_dd_sub(fmix_dd_mul(a.re, b.re), fmix_dd_mul(a.im, b.im)),
                  fmix_dd_add(fmix_dd_mul(a.re, b.im), fmix_dd_mul(a.im, b.re))};
}

static fmix_dd weight_of(const fmix_square *square, double delta) {
    fmix_dd s = fmix_dd_from(0);
    for (int d = 0; d < 3; d++) {
        fmix_dd k = fmix_dd_div(fmix_dd_from(square->k[d]), fmix_dd_from(square->period[d]));
        s = fmix_dd_add(s, fmix_dd_mul(k, k));
    }
    return fmix_dd_exp(fmix_dd_scale(fmix_dd_log(s), -delta / 2));
}

/* sqrt(gain) (f_0^-delta Re Z + i f_1^-delta Im Z), and a bound of its modulus in *size. */
static turn spectrum_double_double(const fmix_bin *bin, double delta, const uint32_t words[2],
                                   double *size) {
    fmix_dd l = fmix_dd_log((fmix_dd){((double)words[0] + 1) * 0x1p-32, 0});
    double twice = -2 * (double)bin->gain; /* the gain moves under the root */
    fmix_dd radius = fmix_dd_sqrt((fmix_dd){twice * l.high, twice * l.low});
    fmix_dd re = fmix_dd_mul(weight_of(&bin->square, delta), radius), im = re;
    if (!bin->alike)
        im = fmix_dd_mul(weight_of(&bin->imaginary, delta), radius);
    *size = re.high > im.high ? re.high : im.high;
    turn z;
    fmix_dd_turn(words[1], UINT64_C(1) << 32, &z.re, &z.im);
    return (turn){fmix_dd_mul(re, z.re), fmix_dd_mul(im, z.im)};
}

/* f_0^-delta and f_1^-delta */
typedef struct weights {
    double re, im;
} weights;

static weights quick_weights(const fmix_bin *bin, double delta) {
    double re = fmix_power(fmix_square_value(&bin->square), delta / 2);
    return (weights){re,
                     bin->alike ? re : fmix_power(fmix_square_value(&bin->imaginary), delta / 2)};
}

static double larger(weights w) {
    return w.re > w.im ? w.re : w.im;
}

/*
 * Pixels with the same coordinate along the longest side are a line. In
 *
 *   G[n] = Re sum_a e^(2 pi i a n_a / N_a) sum_b X_ab e^(2 pi i b n_b / N_b)
 *
 * b runs along the longest side and a along the others. The inner sums belong to the line, so one
 * pass over the bins serves all pixels of the line: on 16x1024 with delta = 10 all 16 are
 * contested. Within a line an `a` whose phases are equal still cancels exactly. Bins with b = 0 are
 * the same in every line and are summed apart, so they cancel between lines too.
 */
typedef struct line_sums {
    const fmix_field *field;
    double threshold; /* weights above the threshold are summed in double-double */
    fmix_sides sides;
    unsigned along;   /* the longest side */
    uint32_t entries; /* how many `a` there are */
    turns inner, outer;
    uint32_t *lines; /* coordinates of the lines along the longest side, ascending */
    size_t line_count;
    turn *sums;     /* by entry: the sums of b = 0, then of each line */
    double *errors; /* by entry: the errors of b = 0, then of any line */
} line_sums;

static uint32_t coordinate_of(const line_sums *p, uint32_t pixel) {
    const uint32_t *n = p->sides.n;
    uint32_t stride = p->along == 2 ? 1 : p->along == 1 ? n[2] : n[1] * n[2];
    return pixel / stride % n[p->along];
}

static uint32_t bins_along(const line_sums *p, unsigned d) {
    return d == 2 ? p->sides.n[2] / 2 + 1 : p->sides.n[d];
}

static uint32_t entry_of(const line_sums *p, const uint32_t at[3]) {
    uint32_t entry = 0;
    for (unsigned d = 0; d < 3; d++)
        entry = d == p->along ? entry : entry * bins_along(p, d) + at[d];
    return entry;
}

static void bin_of(const line_sums *p, uint32_t entry, uint32_t at[3]) {
    for (unsigned d = 3; d-- > 0;) {
        uint32_t bins = d == p->along ? 1 : bins_along(p, d);
        at[d] = entry % bins;
        entry /= bins;
    }
}

/* The first of the sums that a bin belongs to. Its error has the same place. */
static size_t first_sum(const line_sums *p, const fmix_bin *bin) {
    return entry_of(p, bin->at) + (bin->at[p->along] ? p->entries : 0);
}

/* b = 0 has one sum for all lines. */
static size_t sums_of_bin(const line_sums *p, const fmix_bin *bin) {
    return bin->at[p->along] ? p->line_count : 1;
}

static turn line_turn(const line_sums *p, size_t line, const fmix_bin *bin) {
    uint64_t phase = (uint64_t)bin->at[p->along] * p->lines[line];
    return turn_at(&p->inner, phase % p->inner.denominator);
}

static void add_double_double(const line_sums *p, const fmix_bin *bin, const uint32_t words[2]) {
    double size;
    turn x = spectrum_double_double(bin, p->field->params->delta, words, &size);
    size_t first = first_sum(p, bin), count = sums_of_bin(p, bin);
    p->errors[first] += DOUBLE_DOUBLE_BOUND * size;
    for (size_t line = 0; line < count; line++) {
        turn *sum = &p->sums[first + line * p->entries], e = line_turn(p, line, bin);
        fmix_dd re = fmix_dd_sub(fmix_dd_mul(x.re, e.re), fmix_dd_mul(x.im, e.im));
        fmix_dd im = fmix_dd_add(fmix_dd_mul(x.re, e.im), fmix_dd_mul(x.im, e.re));
        *sum = (turn){fmix_dd_add(sum->re, re), fmix_dd_add(sum->im, im)};
    }
}

static void add_quick(const line_sums *p, const fmix_bin *bin, weights w, const uint32_t words[2]) {
    double radius = sqrt(-2 * (double)bin->gain * fmix_log_word(words[0]));
    double re = w.re * radius * fmix_cos_word(words[1]);
    double im = w.im * radius * fmix_cos_word(words[1] - (UINT32_C(1) << 30)); /* sine */
    size_t first = first_sum(p, bin), count = sums_of_bin(p, bin);
    p->errors[first] += QUICK_BOUND * larger(w) * radius;
    for (size_t line = 0; line < count; line++) {
        turn *sum = &p->sums[first + line * p->entries], e = line_turn(p, line, bin);
        sum->re = fmix_dd_add_double(sum->re, re * e.re.high - im * e.im.high);
        sum->im = fmix_dd_add_double(sum->im, re * e.im.high + im * e.re.high);
    }
}

static void add_bin(void *user, const fmix_bin *bin, const uint32_t words[2]) {
    const line_sums *p = user;
    weights w = {0, 0};
    if (p->threshold > 0)
        w = quick_weights(bin, p->field->params->delta);
    if (p->threshold > 0 && larger(w) <= p->threshold)
        add_quick(p, bin, w, words);
    else
        add_double_double(p, bin, words);
}

/*
 * About one bin in 64 is above the threshold. Where delta is large these bins are nearly all of S,
 * and the error of float64 in the other bins matters little. The threshold comes from a sample of
 * the bins, whose steps are not in phase with any side.
 */
#define SAMPLE 1024
#define SHARE  64

static int descending(const void *left, const void *right) {
    const double *a = left, *b = right;
    return (*a < *b) - (*a > *b);
}

static double find_threshold(const fmix_spectrum_params *params) {
    uint64_t normals = fmix_normals_count(params), at = 0;
    double sample[SAMPLE];
    for (size_t i = 0; i < SAMPLE; i++, at += UINT64_C(0x9e3779b97f4a7c15)) {
        fmix_bin bin;
        bool adds = fmix_bin_of_normal(params, (at >> 32) * normals >> 32, &bin);
        sample[i] = adds ? larger(quick_weights(&bin, params->delta)) : 0;
    }
    qsort(sample, SAMPLE, sizeof *sample, descending);
    return sample[SAMPLE / SHARE];
}

static int ascending(const void *left, const void *right) {
    const uint32_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

static fmix_status find_lines(line_sums *p, const fmix_difference *differences, size_t n) {
    p->lines = malloc(2 * n * sizeof *p->lines);
    if (!p->lines)
        return FMIX_ERROR_MEMORY;
    for (size_t i = 0; i < n; i++) {
        p->lines[2 * i] = coordinate_of(p, differences[i].pair.pixel);
        p->lines[2 * i + 1] = coordinate_of(p, differences[i].pair.pivot);
    }
    qsort(p->lines, 2 * n, sizeof *p->lines, ascending);
    p->line_count = 0;
    for (size_t i = 0; i < 2 * n; i++)
        if (p->line_count == 0 || p->lines[p->line_count - 1] != p->lines[i])
            p->lines[p->line_count++] = p->lines[i];
    return FMIX_OK;
}

/* The sums of a pixel's line. */
static const turn *sums_of(const line_sums *p, uint32_t pixel) {
    uint32_t at = coordinate_of(p, pixel);
    const uint32_t *line = bsearch(&at, p->lines, p->line_count, sizeof at, ascending);
    return p->sums + ((size_t)(line - p->lines) + 1) * p->entries;
}

static turn plus(turn a, turn b) {
    return (turn){fmix_dd_add(a.re, b.re), fmix_dd_add(a.im, b.im)};
}

/* Re of a e */
static fmix_dd real_part(turn a, turn e) {
    return fmix_dd_sub(fmix_dd_mul(a.re, e.re), fmix_dd_mul(a.im, e.im));
}

/* bin_of leaves 0 along the longest side, so the phase's step along that side, which does not fit
 * the outer denominator, is not used. */
static void combine_lines(const line_sums *p, fmix_difference *d) {
    const turn *here = sums_of(p, d->pair.pixel), *there = sums_of(p, d->pair.pivot);
    uint64_t denominator = p->outer.denominator;
    fmix_phase pixel = fmix_phase_of(&p->sides, denominator, d->pair.pixel);
    fmix_phase pivot = fmix_phase_of(&p->sides, denominator, d->pair.pivot);
    d->value = fmix_dd_from(0);
    d->bound = 0;
    for (uint32_t entry = 0; entry < p->entries; entry++) {
        uint32_t at[3];
        bin_of(p, entry, at);
        uint64_t a = fmix_phase_at(&pixel, denominator, at);
        uint64_t b = fmix_phase_at(&pivot, denominator, at);
        if (a == b && here == there)
            continue;
        turn e = turn_at(&p->outer, a), f = turn_at(&p->outer, b), flat = {{0, 0}, {0, 0}};
        if (a != b) {
            flat = p->sums[entry];
            d->bound += p->errors[entry];
        }
        d->bound += p->errors[p->entries + entry];
        fmix_dd one = real_part(plus(here[entry], flat), e);
        fmix_dd other = real_part(plus(there[entry], flat), f);
        d->value = fmix_dd_add(d->value, fmix_dd_sub(one, other));
    }
}

/* The caller frees the turns, whatever this returns. */
static fmix_status line_sums_init(line_sums *p, const fmix_field *field, bool quick) {
    *p = (line_sums){.field = field, .sides = fmix_shape_sides(&field->params->shape)};
    fmix_sides others = p->sides;
    for (unsigned d = 1; d < 3; d++)
        p->along = p->sides.n[d] > p->sides.n[p->along] ? d : p->along;
    others.n[p->along] = 1;
    p->entries = 1;
    for (unsigned d = 0; d < 3; d++)
        p->entries *= d == p->along ? 1 : bins_along(p, d);
    p->threshold = quick ? find_threshold(field->params) : 0;
    fmix_status status = turns_new(p->sides.n[p->along], &p->inner);
    return status == FMIX_OK ? turns_new(fmix_phase_denominator(&others), &p->outer) : status;
}

/* Sums all differences in one pass. *fits is false if there are more lines than memory is allowed
 * for: sums take at most four bytes for each of the shape's elements, or two lines, and as much as
 * one line for b = 0. */
static fmix_status sum_at_once(line_sums *p, fmix_difference *differences, size_t n, bool *fits) {
    uint64_t most = fmix_shape_elements(&p->field->params->shape) / 8 / p->entries;
    fmix_status status = find_lines(p, differences, n);
    *fits = p->line_count <= 2 || p->line_count <= most;
    p->sums = NULL;
    p->errors = NULL;
    if (status != FMIX_OK || !*fits)
        goto out;
    status = FMIX_ERROR_MEMORY;
    p->sums = calloc((p->line_count + 1) * p->entries, sizeof *p->sums);
    p->errors = calloc(2 * (size_t)p->entries, sizeof *p->errors);
    if (!p->sums || !p->errors)
        goto out;
    status = fmix_field_each(p->field, p->line_count, add_bin, p) ? FMIX_OK : FMIX_ERROR_CANCELLED;
    for (size_t i = 0; i < n && status == FMIX_OK; i++) {
        combine_lines(p, &differences[i]);
        if (fmix_field_is_cancelled(p->field))
            status = FMIX_ERROR_CANCELLED;
    }
out:
    free(p->sums);
    free(p->errors);
    free(p->lines);
    return status;
}

static fmix_status sum(line_sums *p, fmix_difference *differences, size_t n) {
    bool fits;
    fmix_status status = sum_at_once(p, differences, n, &fits);
    if (status != FMIX_OK || fits)
        return status;
    status = sum(p, differences, n / 2);
    return status == FMIX_OK ? sum(p, differences + n / 2, n - n / 2) : status;
}

fmix_status fmix_differences(const fmix_field *field, bool quick, fmix_difference *differences,
                             size_t n) {
    line_sums p;
    fmix_status status = line_sums_init(&p, field, quick);
    if (status == FMIX_OK && n > 0)
        status = sum(&p, differences, n);
    free(p.inner.entries);
    free(p.outer.entries);
    return status;
}
