#include "difference.h"
#include "phase.h"

#include <stdlib.h>

/*
 * How far a difference summed here may be from the true one, as a multiple of S = sum of the
 * moduli sqrt(gain) f^-delta |Z_j| over the bins that do not cancel. A logarithm within 2^-98,
 * times delta/2 and |ln f^2| <= 166 together: a weight within 2^-89; radius and turns within 2^-92;
 * the phase factors within 2^-91 each; all that under 2^-87. The running sum of at most 2^24 terms
 * loses 2^-104 of S each: 2^-80.
 */
#define DIRECT_BOUND 0x1p-78

typedef struct turn {
    fmix_twofold re, im;
} turn;

/* e^(2 pi i p / denominator), made when first asked for. */
typedef struct turns {
    uint64_t denominator;
    turn *entries; /* fine, then coarse */
} turns;

#define UNKNOWN 2.0 /* no cosine */

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
        fmix_tf_turn(phase, t->denominator, &at->re, &at->im);
    return *at;
}

static turn turn_at(const turns *t, uint64_t phase) {
    uint64_t fine = phase % FMIX_PHASE_FINE, coarse = phase / FMIX_PHASE_FINE;
    turn a = entry_at(t, fine, fine);
    turn b = entry_at(t, FMIX_PHASE_FINE + coarse, coarse * FMIX_PHASE_FINE);
    return (turn){fmix_tf_sub(fmix_tf_mul(a.re, b.re), fmix_tf_mul(a.im, b.im)),
                  fmix_tf_add(fmix_tf_mul(a.re, b.im), fmix_tf_mul(a.im, b.re))};
}

static fmix_twofold weight_of(const fmix_square *square, double delta) {
    fmix_twofold s = fmix_tf(0);
    for (int d = 0; d < 3; d++) {
        fmix_twofold k = fmix_tf_div(fmix_tf(square->k[d]), fmix_tf(square->period[d]));
        s = fmix_tf_add(s, fmix_tf_mul(k, k));
    }
    return fmix_tf_exp(fmix_tf_scale(fmix_tf_log(s), -delta / 2));
}

/* X_j, and a bound of its modulus */
static turn spectrum_at(const fmix_bin *bin, double delta, const uint32_t words[2], double *size) {
    fmix_twofold l = fmix_tf_log((fmix_twofold){((double)words[0] + 1) * 0x1p-32, 0});
    double twice = -2 * (double)bin->gain; /* the gain goes under the root */
    fmix_twofold radius = fmix_tf_sqrt((fmix_twofold){twice * l.high, twice * l.low});
    fmix_twofold re = fmix_tf_mul(weight_of(&bin->square, delta), radius), im = re;
    if (!bin->alike)
        im = fmix_tf_mul(weight_of(&bin->imaginary, delta), radius);
    *size = re.high > im.high ? re.high : im.high;
    turn z;
    fmix_tf_turn(words[1], UINT64_C(1) << 32, &z.re, &z.im);
    return (turn){fmix_tf_mul(re, z.re), fmix_tf_mul(im, z.im)};
}

/* One pass. A bin's spectrum and the pivot's turn are found once, and only if something does not
 * cancel. */
typedef struct pass {
    const fmix_field *field;
    turns turns;
    fmix_difference *differences;
    fmix_phase *phases; /* of pixel and pivot of each difference */
    size_t n;
} pass;

static void add_bin(void *user, const fmix_bin *bin, const uint32_t words[2]) {
    const pass *p = user;
    bool known = false, turned = false;
    double size = 0;
    turn x = {{0, 0}, {0, 0}}, base = x;
    for (size_t i = 0; i < p->n; i++) {
        fmix_difference *d = &p->differences[i];
        if (i == 0 || d->pair.pivot != d[-1].pair.pivot)
            turned = false;
        uint64_t there = fmix_phase_at(&p->phases[2 * i + 1], p->turns.denominator, bin->at);
        uint64_t here = fmix_phase_at(&p->phases[2 * i], p->turns.denominator, bin->at);
        if (here == there)
            continue;
        if (!known)
            x = spectrum_at(bin, p->field->law->delta, words, &size);
        if (!turned)
            base = turn_at(&p->turns, there);
        known = turned = true;
        turn e = turn_at(&p->turns, here);
        fmix_twofold re = fmix_tf_mul(x.re, fmix_tf_sub(e.re, base.re));
        fmix_twofold im = fmix_tf_mul(x.im, fmix_tf_sub(e.im, base.im));
        d->value = fmix_tf_add(d->value, fmix_tf_sub(re, im));
        d->bound += size;
    }
}

fmix_status fmix_differences(const fmix_field *field, fmix_difference *differences, size_t n) {
    fmix_sides sides = fmix_shape_sides(&field->law->shape);
    uint64_t denominator = fmix_phase_denominator(&sides);
    pass p = {.field = field, .differences = differences, .n = n};
    fmix_status status = FMIX_ERROR_MEMORY;
    p.phases = malloc(2 * n * sizeof *p.phases);
    if (!p.phases || turns_new(denominator, &p.turns) != FMIX_OK)
        goto out;
    for (size_t i = 0; i < n; i++) {
        fmix_difference *d = &differences[i];
        p.phases[2 * i] = fmix_phase_of(&sides, denominator, d->pair.pixel);
        p.phases[2 * i + 1] = fmix_phase_of(&sides, denominator, d->pair.pivot);
        d->value = fmix_tf(0);
        d->bound = 0;
    }
    status = fmix_field_each(field, add_bin, &p) ? FMIX_OK : FMIX_ERROR_CANCELLED;
    for (size_t i = 0; i < n; i++)
        differences[i].bound *= DIRECT_BOUND;
out:
    free(p.turns.entries);
    free(p.phases);
    return status;
}
