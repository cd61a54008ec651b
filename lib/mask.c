#include "mask.h"
#include "box.h"
#include "contest.h"
#include "rank.h"
#include "spectrum.h"
#include "transform.h"
#include "vector.h"

#include <stdlib.h>
#include <string.h>

/*
 * The bound, and why a mask is decided.
 *
 * Let G be the exact values and g what the transform returned, both over the spectrum's exact or
 * computed bins. Each computed bin is within FMIX_SPECTRUM_BOUND times its share of ||X||_1 of the
 * exact one, and a transform of exact arithmetic moves no value by more than the sum of those; FFTW
 * adds at most fmix_transform_bound * ||X||_1 (hypothesis H). fmix_spectrum_fill's norm is at least
 * the computed ||X||_1, so with
 *
 *     B = norm * (fmix_transform_bound + 2 * FMIX_SPECTRUM_BOUND)     |g[n] - G[n]| <= B
 *
 * where the second FMIX_SPECTRUM_BOUND is room for the rounding of B itself, of the comparisons
 * below
 * (|g| <= norm, so u * norm each) and for the norm being of computed bins.
 *
 * Let a and b be the k-th and (k+1)-th largest of g. If a - b > 2B, then every G of the k is above
 * a - B > b + B, above every G of the rest: decided. Otherwise the k-th largest of G is within B of
 * a (ranks move no further than values), so what has g > a + 2B is surely in, what has g < a - 2B
 * surely out, and the pixels between are ordered exactly (contest.c).
 */
static double bound_of(double norm, uint64_t elements) {
    return norm * (fmix_transform_bound(elements) + 2 * FMIX_SPECTRUM_BOUND);
}

static void add_noise(const fmix_hooks *hooks, uint64_t t, double bound, double *g, uint64_t n) {
    for (uint64_t i = 0; i < n; i++) {
        uint64_t hash = (i + UINT64_C(0x9e3779b97f4a7c15) * (t + 1)) * UINT64_C(0xff51afd7ed558ccd);
        hash ^= hash >> 33;
        hash *= UINT64_C(0xc4ceb9fe1a85ec53);
        g[i] += hash >> 63 ? hooks->noise * bound : -hooks->noise * bound;
    }
}

FMIX_CLONES
static void threshold(const double *restrict g, uint64_t n, double low,
                      unsigned char *restrict mask) {
    for (uint64_t i = 0; i < n; i++)
        mask[i] = g[i] >= low;
}

/* Sets the mask where values between `low` and `high` await an exact order: `k` ones in all. */
static fmix_status settle(const fmix_plan *plan, const fmix_weights *weights,
                          const fmix_scratch *scratch, uint64_t t, uint64_t k, double low,
                          double high) {
    const double *g = scratch->g;
    unsigned char *mask = scratch->mask;
    uint64_t n = plan->elements, surely = 0;
    size_t open = 0;
    for (uint64_t i = 0; i < n; i++) {
        mask[i] = g[i] > high;
        surely += mask[i];
        open += g[i] >= low && g[i] <= high;
    }
    uint32_t *pixels = malloc(open * sizeof *pixels);
    if (!pixels)
        return FMIX_ERROR_MEMORY;
    open = 0;
    for (uint64_t i = 0; i < n; i++)
        if (g[i] >= low && g[i] <= high)
            pixels[open++] = (uint32_t)i;
    fmix_contest contest = {.context = plan->context,
                            .sides = weights->sides,
                            .periods = weights->periods,
                            .delta = plan->recipe.delta,
                            .total = weights->total,
                            .key = &plan->spectrum_key,
                            .t = t,
                            .scratch = scratch};
    size_t need = (size_t)(k - surely);
    fmix_status status = fmix_contest_settle(&contest, pixels, open, need);
    for (size_t i = 0; i < need && status == FMIX_OK; i++)
        mask[pixels[i]] = 1;
    free(pixels);
    return status;
}

static fmix_status decide(const fmix_plan *plan, const fmix_weights *weights, fmix_scratch *scratch,
                          uint64_t t, uint64_t k, double bound) {
    const fmix_hooks *hooks = &plan->context->hooks;
    double *g = scratch->g, kth, next;
    if (hooks->watch)
        hooks->watch(hooks->watch_user, g, plan->elements, bound);
    if (hooks->noise != 0)
        add_noise(hooks, t, bound, g, plan->elements);
    fmix_rank_pair(g, (size_t)plan->elements, (size_t)k, scratch->work, &kth, &next);
    double width = 2 * bound * (hooks->widen != 0 ? hooks->widen : 1);
    if (hooks->unchecked || kth - next > width) {
        threshold(g, plan->elements, kth, scratch->mask);
        return FMIX_OK;
    }
    fmix_count(&plan->context->contested, 1);
    return settle(plan, weights, scratch, t, k, kth - width, kth + width);
}

fmix_status fmix_drawing_begin(fmix_drawing *d, const fmix_plan *plan, fmix_scratch *scratch) {
    const fmix_recipe *r = &plan->recipe;
    fmix_cache *cache = plan->context->cache;
    *d = (fmix_drawing){.plan = plan, .scratch = scratch};
    fmix_status status = fmix_scratch_reserve_mask(scratch, plan->elements);
    if (r->method != FMIX_METHOD_FMIX)
        return status;
    if (status == FMIX_OK)
        status = fmix_weights_get(cache, &r->shape, r->delta, r->frequency, &d->weights,
                                  &d->weights_entry);
    if (status == FMIX_OK)
        status = fmix_transform_get(cache, &r->shape, &d->transform, &d->transform_entry);
    if (status == FMIX_OK)
        status = fmix_scratch_reserve(scratch, d->weights->bins, plan->elements);
    return status;
}

void fmix_drawing_end(fmix_drawing *d) {
    fmix_cache_release(d->plan->context->cache, d->transform_entry);
    fmix_cache_release(d->plan->context->cache, d->weights_entry);
    fmix_scratch_trim(d->scratch);
}

static fmix_status draw_fmix(const fmix_drawing *d, uint64_t t, uint64_t k) {
    const fmix_plan *plan = d->plan;
    fmix_scratch *scratch = d->scratch;
    if (k == 0 || k == plan->elements) {
        memset(scratch->mask, k != 0, (size_t)plan->elements);
        return FMIX_OK;
    }
    double norm = fmix_spectrum_fill(d->weights, &plan->spectrum_key, t, scratch->x);
    fmix_transform_run(d->transform, scratch->x, scratch->g);
    return decide(plan, d->weights, scratch, t, k, bound_of(norm, plan->elements));
}

fmix_status fmix_drawing_next(fmix_drawing *d, uint64_t t) {
    fmix_row row;
    fmix_status status = fmix_plan_row(d->plan, t, &row);
    if (status != FMIX_OK)
        return status;
    fmix_count(&d->plan->context->masks, 1);
    if (d->plan->recipe.method == FMIX_METHOD_FMIX)
        return draw_fmix(d, t, row.ones);
    fmix_box_draw(&d->plan->recipe.shape, &row, d->scratch->mask);
    return FMIX_OK;
}

bool fmix_mask_holds(fmix_dtype dtype) {
    return dtype == FMIX_DTYPE_F16 || dtype == FMIX_DTYPE_F32 || dtype == FMIX_DTYPE_F64 ||
           dtype == FMIX_DTYPE_U8 || dtype == FMIX_DTYPE_BITS;
}

uint64_t fmix_mask_bytes(uint64_t elements, fmix_dtype dtype) {
    return dtype == FMIX_DTYPE_BITS ? (elements + 7) / 8 : elements * fmix_dtype_bytes(dtype);
}

FMIX_CLONES
static void to_f32(const unsigned char *restrict mask, uint64_t n, float *restrict out) {
    for (uint64_t i = 0; i < n; i++)
        out[i] = (float)mask[i];
}

FMIX_CLONES
static void to_f64(const unsigned char *restrict mask, uint64_t n, double *restrict out) {
    for (uint64_t i = 0; i < n; i++)
        out[i] = (double)mask[i];
}

FMIX_CLONES
static void to_f16(const unsigned char *restrict mask, uint64_t n, uint16_t *restrict out) {
    for (uint64_t i = 0; i < n; i++)
        out[i] = (uint16_t)(mask[i] * 0x3c00); /* 1.0 */
}

/* Eight bytes of 0 or 1, the first in memory the highest bit: the product gathers them at the top.
 */
static void to_bits(const unsigned char *mask, uint64_t n, unsigned char *out) {
    uint64_t whole = n / 8;
    for (uint64_t i = 0; i < whole; i++) {
        const unsigned char *m = mask + 8 * i;
        uint64_t word = 0;
        for (int b = 0; b < 8; b++)
            word |= (uint64_t)m[b] << (8 * b); /* one load on a little-endian machine */
        out[i] = (unsigned char)(word * UINT64_C(0x8040201008040201) >> 56);
    }
    if (n % 8) {
        unsigned last = 0;
        for (uint64_t i = 8 * whole; i < n; i++)
            last |= (unsigned)mask[i] << (7 - i % 8);
        out[whole] = (unsigned char)last;
    }
}

void fmix_mask_convert(const unsigned char *mask, uint64_t elements, fmix_dtype dtype, void *out) {
    switch (dtype) {
    case FMIX_DTYPE_F32:
        to_f32(mask, elements, out);
        break;
    case FMIX_DTYPE_U8:
        memcpy(out, mask, (size_t)elements);
        break;
    case FMIX_DTYPE_BITS:
        to_bits(mask, elements, out);
        break;
    case FMIX_DTYPE_F16:
        to_f16(mask, elements, out);
        break;
    case FMIX_DTYPE_F64:
        to_f64(mask, elements, out);
        break;
    default: /* refused by fmix_plan_masks */
        break;
    }
}

fmix_status fmix_plan_masks(const fmix_plan *plan, fmix_scratch *scratch, uint64_t t, uint64_t n,
                            fmix_dtype dtype, void *out) {
    if (!fmix_method_masks(plan->recipe.method) || !fmix_mask_holds(dtype) ||
        (n && t > UINT64_MAX - (n - 1)))
        return FMIX_ERROR_RANGE;
    uint64_t bytes = fmix_mask_bytes(plan->elements, dtype);
    unsigned char *at = out;
    fmix_drawing d;
    fmix_status status = fmix_drawing_begin(&d, plan, scratch);
    for (uint64_t i = 0; i < n && status == FMIX_OK; i++, at += bytes) {
        status = fmix_drawing_next(&d, t + i);
        if (status == FMIX_OK)
            fmix_mask_convert(scratch->mask, plan->elements, dtype, at);
    }
    fmix_drawing_end(&d);
    return status;
}
