#include "contest.h"
#include "exact.h"
#include "plan.h"
#include "twofold.h"

#include <stdlib.h>

/*
 * How far a difference summed here may be from the true one, as a multiple of S = sum of
 * c_j f_j^-delta |Z_j| over the bins that do not cancel. A logarithm within 2^-98, times delta/2
 * and |ln f^2| <= 166 together: a weight within 2^-89; radius and turns within 2^-92; the phase
 * factors within 2^-91 each; all that under 2^-87. The running sum of at most 2^24 terms loses
 * 2^-104 of S each: 2^-80.
 */
#define DIRECT_BOUND 0x1p-78

typedef struct turn {
    fmix_twofold re, im;
} turn;

typedef struct rival {
    uint32_t pixel;
    int order; /* against the pivot: 1 larger, -1 smaller, 0 not known yet */
    fmix_phase phase;
    fmix_twofold difference; /* G[pixel] - G[pivot] */
    double scale;            /* S */
} rival;

uint64_t fmix_phase_denominator(const fmix_sides *sides) {
    uint64_t lcm = 1;
    for (int d = 0; d < 3; d++) {
        uint64_t a = lcm, b = sides->n[d];
        while (b) {
            uint64_t r = a % b;
            a = b;
            b = r;
        }
        lcm *= sides->n[d] / a;
    }
    return lcm;
}

fmix_phase fmix_phase_of(const fmix_sides *sides, uint64_t denominator, uint32_t pixel) {
    uint32_t n2 = pixel % sides->n[2], rest = pixel / sides->n[2];
    uint32_t n1 = rest % sides->n[1], n0 = rest / sides->n[1];
    return (fmix_phase){{n0 * (denominator / sides->n[0]), n1 * (denominator / sides->n[1]),
                         n2 * (denominator / sides->n[2])}};
}

static fmix_status turns_new(uint64_t denominator, turn **out) {
    uint64_t coarse = denominator / FMIX_PHASE_FINE + 1;
    turn *turns = malloc((size_t)(FMIX_PHASE_FINE + coarse) * sizeof *turns);
    if (!turns)
        return FMIX_ERROR_MEMORY;
    for (uint64_t i = 0; i < FMIX_PHASE_FINE && i < denominator; i++)
        fmix_tf_turn(i, denominator, &turns[i].re, &turns[i].im);
    for (uint64_t i = 0; i < coarse; i++) {
        turn *at = &turns[FMIX_PHASE_FINE + i];
        fmix_tf_turn(i * FMIX_PHASE_FINE % denominator, denominator, &at->re, &at->im);
    }
    *out = turns;
    return FMIX_OK;
}

static turn turn_product(turn a, turn b) {
    return (turn){fmix_tf_sub(fmix_tf_mul(a.re, b.re), fmix_tf_mul(a.im, b.im)),
                  fmix_tf_add(fmix_tf_mul(a.re, b.im), fmix_tf_mul(a.im, b.re))};
}

static turn turn_at(const turn *turns, uint64_t phase) {
    return turn_product(turns[phase % FMIX_PHASE_FINE],
                        turns[FMIX_PHASE_FINE + phase / FMIX_PHASE_FINE]);
}

/* c f^-delta sqrt(-2 ln u) */
static fmix_twofold amplitude(const fmix_contest *contest, uint32_t b0, uint32_t b1, uint32_t b2,
                              uint32_t u) {
    const fmix_sides *sides = &contest->sides;
    double b[3] = {(double)fmix_signed_bin(b0, sides->n[0]),
                   (double)fmix_signed_bin(b1, sides->n[1]), (double)b2};
    fmix_twofold s = fmix_tf(0);
    for (int d = 0; d < 3; d++) {
        fmix_twofold k = fmix_tf_div(fmix_tf(b[d]), fmix_tf(contest->periods.n[d]));
        s = fmix_tf_add(s, fmix_tf_mul(k, k));
    }
    fmix_twofold weight = fmix_tf_exp(fmix_tf_scale(fmix_tf_log(s), -contest->delta / 2));
    fmix_twofold l = fmix_tf_log((fmix_twofold){((double)u + 1) * 0x1p-32, 0});
    /* c^2 = 1 or 2 goes under the root */
    double c2 = fmix_self_mirrored(b2, sides->n[2]) ? 1 : 2;
    fmix_twofold radius = fmix_tf_sqrt((fmix_twofold){-2 * c2 * l.high, -2 * c2 * l.low});
    return fmix_tf_mul(weight, radius);
}

/* What summing the rivals' differences works with. */
typedef struct sums {
    const fmix_contest *contest;
    turn *turns;
    uint64_t denominator;
    fmix_phase pivot;
    rival *rivals;
    size_t n;
} sums;

/* One bin's part in every rival's difference. */
static void add_bin(void *user, const uint32_t b[3], const uint32_t uv[2]) {
    const sums *s = user;
    uint64_t at = fmix_phase_at(&s->pivot, s->denominator, b[0], b[1], b[2]);
    bool known = false;
    double size = 0;
    turn z = {{0, 0}, {0, 0}}, base = z;
    for (rival *r = s->rivals; r < s->rivals + s->n; r++) {
        uint64_t phase = fmix_phase_at(&r->phase, s->denominator, b[0], b[1], b[2]);
        if (phase == at)
            continue;
        if (!known) {
            fmix_twofold a = amplitude(s->contest, b[0], b[1], b[2], uv[0]);
            turn v;
            fmix_tf_turn(uv[1], UINT64_C(1) << 32, &v.re, &v.im);
            z = (turn){fmix_tf_mul(a, v.re), fmix_tf_mul(a, v.im)};
            base = turn_at(s->turns, at);
            size = a.high;
            known = true;
        }
        turn e = turn_at(s->turns, phase);
        fmix_twofold re = fmix_tf_mul(z.re, fmix_tf_sub(e.re, base.re));
        fmix_twofold im = fmix_tf_mul(z.im, fmix_tf_sub(e.im, base.im));
        r->difference = fmix_tf_add(r->difference, fmix_tf_sub(re, im));
        r->scale += size;
    }
}

#define STRIDE 64 /* bins between two looks whether it is cancelled */

bool fmix_contest_each_bin(const fmix_contest *contest, fmix_bin *each, void *user) {
    const fmix_sides *sides = &contest->sides;
    const fmix_scratch *owner = contest->scratch;
    uint64_t j = 0;
    uint32_t w[4];
    for (uint32_t b0 = 0; b0 < sides->n[0]; b0++)
        for (uint32_t b1 = 0; b1 < sides->n[1]; b1++)
            for (uint32_t b2 = 0; b2 <= sides->n[2] / 2; b2++, j++) {
                if (j % STRIDE == 0 && owner && owner->cancelled && owner->cancelled(owner->user))
                    return false;
                if (j % 2 == 0)
                    fmix_words_block(contest->key, contest->t, j / 2, w);
                const uint32_t b[3] = {b0, b1, b2};
                each(user, b, w + 2 * (j % 2));
            }
    return true;
}

static int larger_if_first(uint32_t pixel, uint32_t pivot) {
    return pixel < pivot ? 1 : -1;
}

/* Orders what double-double can tell; the rest keeps order 0. */
static fmix_status order_directly(const fmix_contest *contest, uint32_t pivot, rival *rivals,
                                  size_t n) {
    uint64_t denominator = fmix_phase_denominator(&contest->sides);
    sums s = {.contest = contest,
              .denominator = denominator,
              .pivot = fmix_phase_of(&contest->sides, denominator, pivot),
              .rivals = rivals,
              .n = n};
    fmix_status status = turns_new(denominator, &s.turns);
    if (status != FMIX_OK)
        return status;
    for (size_t i = 0; i < n; i++) {
        rivals[i].phase = fmix_phase_of(&contest->sides, denominator, rivals[i].pixel);
        rivals[i].difference = fmix_tf(0);
        rivals[i].scale = 0;
    }
    bool finished = fmix_contest_each_bin(contest, add_bin, &s);
    free(s.turns);
    if (!finished)
        return FMIX_ERROR_CANCELLED;

    double tie = contest->total * 0x1p-256;
    for (size_t i = 0; i < n; i++) {
        double d = rivals[i].difference.high, bound = rivals[i].scale * DIRECT_BOUND;
        double size = d < 0 ? -d : d;
        if (size > bound && size - bound > tie * (1 + 0x1p-30))
            rivals[i].order = d > 0 ? 1 : -1;
        else if (size + bound < tie * (1 - 0x1p-30))
            rivals[i].order = larger_if_first(rivals[i].pixel, pivot);
    }
    return FMIX_OK;
}

static fmix_status order_exactly(const fmix_contest *contest, uint32_t pivot, rival *rivals,
                                 size_t n) {
    size_t open = 0;
    fmix_status status = FMIX_ERROR_MEMORY;
    uint32_t *pixels = malloc(n * sizeof *pixels);
    int *orders = malloc(n * sizeof *orders);
    if (!pixels || !orders)
        goto out;
    for (size_t i = 0; i < n; i++)
        if (rivals[i].order == 0)
            pixels[open++] = rivals[i].pixel;
    status = open ? fmix_exact_order(contest, pivot, pixels, open, orders) : FMIX_OK;
    if (status != FMIX_OK)
        goto out;
    open = 0;
    for (size_t i = 0; i < n; i++)
        if (rivals[i].order == 0) {
            int order = orders[open++];
            rivals[i].order = order ? order : larger_if_first(rivals[i].pixel, pivot);
        }
out:
    free(orders);
    free(pixels);
    return status;
}

static int by_order(const void *left, const void *right) {
    const rival *a = left, *b = right;
    if (a->order != b->order)
        return a->order > b->order ? -1 : 1;
    if (a->difference.high != b->difference.high)
        return a->difference.high > b->difference.high ? -1 : 1;
    return a->pixel < b->pixel ? -1 : 1;
}

/*
 * Quickselect with a comparison that is certain. The first pivot is any pixel; each later one is
 * the pixel that the differences so far put at the boundary, so two or three rounds do.
 */
fmix_status fmix_contest_settle(const fmix_contest *contest, uint32_t *pixels, size_t n,
                                size_t need) {
    bool exact = false;
    fmix_status status = FMIX_OK;
    rival *rivals = calloc(n, sizeof *rivals);
    if (!rivals)
        return FMIX_ERROR_MEMORY;
    size_t low = 0, high = n, pivot = n / 2;
    /* Invariant: pixels before low are chosen, pixels from high on are not; low <= need <= high. */
    while (low < need && need < high) {
        uint32_t against = pixels[pivot];
        size_t rest = 0, larger = 0;
        for (size_t i = low; i < high; i++)
            if (i != pivot)
                rivals[rest++] = (rival){.pixel = pixels[i]};
        if (!contest->context->hooks.no_direct)
            status = order_directly(contest, against, rivals, rest);
        for (size_t i = 0; i < rest && status == FMIX_OK; i++)
            exact |= rivals[i].order == 0;
        if (status == FMIX_OK)
            status = order_exactly(contest, against, rivals, rest);
        if (status != FMIX_OK)
            break;
        qsort(rivals, rest, sizeof *rivals, by_order);
        while (larger < rest && rivals[larger].order > 0)
            larger++;
        for (size_t i = 0; i < larger; i++)
            pixels[low + i] = rivals[i].pixel;
        pixels[low + larger] = against;
        for (size_t i = larger; i < rest; i++)
            pixels[low + i + 1] = rivals[i].pixel;
        if (need <= low + larger)
            high = low + larger;
        else
            low += larger + 1;
        pivot = need < high ? need : high - 1;
    }
    free(rivals);
    if (status == FMIX_OK)
        fmix_count(exact ? &contest->context->settled_exact : &contest->context->settled_direct, 1);
    return status;
}
