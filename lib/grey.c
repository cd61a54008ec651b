/* The images that FMix thresholds, decided level by level (STREAM §3). */
#include "binary64.h"
#include "contested.h"
#include "convert.h"
#include "difference.h"
#include "exact.h"
#include "mask.h"
#include "spectrum.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A growing list of pixels: those whose level float64 leaves open, or those that may be the
 * smallest or largest. */
typedef struct doubt {
    uint32_t *pixels;
    size_t n, room;
} doubt;

static fmix_status doubt_add(doubt *of, uint64_t pixel) {
    if (of->n == of->room) {
        size_t room = of->room ? 2 * of->room : 64;
        uint32_t *more = realloc(of->pixels, room * sizeof *more);
        if (!more)
            return FMIX_ERROR_MEMORY;
        of->pixels = more;
        of->room = room;
    }
    of->pixels[of->n++] = (uint32_t)pixel;
    return FMIX_OK;
}

typedef struct range {
    double low, high;
} range;

static range range_of(const double *g, uint64_t n) {
    range r = {g[0], g[0]};
    for (uint64_t i = 1; i < n; i++) {
        r.low = g[i] < r.low ? g[i] : r.low;
        r.high = g[i] > r.high ? g[i] : r.high;
    }
    return r;
}

/*
 * q = 255 (g - low) / (high - low). Low and high are within B of their exact values, so numerator
 * and denominator have an error of at most 2B each. The exact quotient is at most 1, so the error
 * of the quotient is at most 4B over the denominator. 4 roundings of at most 255 are within 2^-42.
 */
static fmix_status find_levels(const double *g, uint64_t n, range r, double width,
                               unsigned char *levels, doubt *open) {
    double spread = r.high - r.low;
    double error = 2 * 255 * (width / spread) * (1 + 0x1p-40) + 0x1p-42; /* width = 2B */
    fmix_status status = FMIX_OK;
    for (uint64_t i = 0; i < n && status == FMIX_OK; i++) {
        double q = spread > 0 ? 255 * ((g[i] - r.low) / spread) : 0;
        levels[i] = (unsigned char)nearest_integer(q);
        if (!(fabs(q - floor(q) - 0.5) > error))
            status = doubt_add(open, i);
    }
    return status;
}

/* Finds the pixel of the largest or smallest exact value. Its computed value is between low and
 * high. */
static fmix_status find_end(fmix_context *context, const fmix_field *field, const double *g,
                            uint64_t n, double low, double high, bool largest, uint32_t *out,
                            fmix_tier *last) {
    doubt near = {0};
    fmix_status status = FMIX_OK;
    for (uint64_t i = 0; i < n && status == FMIX_OK; i++)
        if (g[i] >= low && g[i] <= high)
            status = doubt_add(&near, i);
    fmix_run all = {0, near.n};
    size_t boundary = largest ? 1 : near.n - 1;
    if (status == FMIX_OK)
        status =
            fmix_contested_order(context, field, near.pixels, &all, 1, boundary, boundary, last);
    if (status == FMIX_OK)
        *out = near.pixels[largest ? 0 : near.n - 1];
    free(near.pixels);
    return status;
}

/*
 * Rounds 255 value/spread where the bounds of the sums allow it; false: they do not. The quotient
 * is compared with the half above its whole part, both sides times twice the spread. If the error
 * of the quotient is under 1/4, no other half can matter. 2^-90 is room for the products.
 */
static bool level_directly(const fmix_difference *d, const fmix_difference *spread,
                           unsigned char *level) {
    double whole = floor(255 * (d->value.high / spread->value.high));
    double halves = 2 * (whole < 0 ? 0 : whole > 254 ? 254 : whole) + 1;
    fmix_dd apart = fmix_dd_sub(fmix_dd_scale(d->value, 510), fmix_dd_scale(spread->value, halves));
    double error = 510 * (d->bound + spread->bound) + 0x1p-90 * spread->value.high;
    if (!(spread->value.high > 0) || !(error * 2 < spread->value.high) ||
        !(fabs(apart.high) > error))
        return false;
    *level = (unsigned char)((halves - 1) / 2 + (apart.high > 0));
    return true;
}

/* Sets levels of open pixels from their differences to the lowest pixel. Pixels that stay open move
 * to the front. */
static fmix_status settle_by_sums(const fmix_field *field, bool quick, fmix_pair ends, doubt *open,
                                  unsigned char *levels) {
    size_t n = open->n, left = 0;
    fmix_difference *d = malloc((n + 1) * sizeof *d);
    if (!d)
        return FMIX_ERROR_MEMORY;
    for (size_t i = 0; i < n; i++)
        d[i].pair = (fmix_pair){open->pixels[i], ends.pivot};
    d[n].pair = ends;
    fmix_status status = fmix_differences(field, quick, d, n + 1);
    for (size_t i = 0; i < n && status == FMIX_OK; i++)
        if (!level_directly(&d[i], &d[n], &levels[open->pixels[i]]))
            open->pixels[left++] = open->pixels[i];
    open->n = left;
    free(d);
    return status;
}

static fmix_status settle_exactly(const fmix_field *field, fmix_pair ends, const doubt *open,
                                  unsigned char *levels) {
    unsigned char *found = malloc(open->n);
    if (!found)
        return FMIX_ERROR_MEMORY;
    fmix_status status =
        fmix_exact_levels(field, ends.pivot, ends.pixel, open->pixels, open->n, found);
    for (size_t i = 0; i < open->n && status == FMIX_OK; i++)
        levels[open->pixels[i]] = found[i];
    free(found);
    return status;
}

/* Finds the pixels where G is smallest and largest. */
static fmix_status find_ends(const fmix_drawing *d, const fmix_field *field, range r, double width,
                             fmix_pair *ends, fmix_tier *last) {
    fmix_context *context = d->plan->context;
    const double *g = d->scratch->g;
    uint64_t n = d->plan->elements;
    fmix_status status =
        find_end(context, field, g, n, r.low, r.low + width, false, &ends->pivot, last);
    if (status != FMIX_OK)
        return status;
    return find_end(context, field, g, n, r.high - width, r.high, true, &ends->pixel, last);
}

static fmix_status settle(const fmix_drawing *d, uint64_t t, range r, double width, doubt *open) {
    fmix_context *context = d->plan->context;
    const fmix_hooks *hooks = &context->hooks;
    fmix_field field = fmix_drawing_field(d, t);
    fmix_pair ends;
    fmix_tier last = FMIX_TIER_QUICK;
    fmix_status status = find_ends(d, &field, r, width, &ends, &last);
    if (status == FMIX_OK && !hooks->no_quick && !hooks->no_direct)
        status = settle_by_sums(&field, true, ends, open, d->scratch->mask);
    if (status == FMIX_OK && open->n && !hooks->no_direct) {
        last = FMIX_TIER_DIRECT > last ? FMIX_TIER_DIRECT : last;
        status = settle_by_sums(&field, false, ends, open, d->scratch->mask);
    }
    if (status == FMIX_OK && open->n) {
        last = FMIX_TIER_EXACT;
        status = settle_exactly(&field, ends, open, d->scratch->mask);
    }
    if (status == FMIX_OK)
        fmix_count_settled(context, last);
    return status;
}

/* Writes the levels of sample t to scratch->mask. */
static fmix_status draw(const fmix_drawing *d, uint64_t t) {
    uint64_t n = d->plan->elements;
    doubt open = {0};
    double bound;
    if (d->weights->total == 0) { /* without any bin the image is constant */
        memset(d->scratch->mask, 0, (size_t)n);
        return FMIX_OK;
    }
    fmix_drawing_values(d, t, &bound);
    double width = fmix_drawing_width(d, bound);
    range r = range_of(d->scratch->g, n);
    fmix_status status = find_levels(d->scratch->g, n, r, width, d->scratch->mask, &open);
    if (status == FMIX_OK && open.n)
        status = settle(d, t, r, width, &open);
    free(open.pixels);
    return status;
}

static void write(const unsigned char *levels, uint64_t n, fmix_dtype dtype, void *out) {
    uint64_t bytes = fmix_dtype_bytes(dtype);
    double shares[256];
    unsigned char table[256][8];
    if (dtype == FMIX_DTYPE_U8) {
        memcpy(out, levels, (size_t)n);
        return;
    }
    for (int i = 0; i < 256; i++) {
        shares[i] = i / 255.0; /* rounded once, as soft masks are (mask.c) */
        fmix_store(dtype, &shares[i], 1, table[i]);
    }
    for (uint64_t i = 0; i < n; i++)
        memcpy((unsigned char *)out + i * bytes, table[levels[i]], (size_t)bytes);
}

fmix_status fmix_plan_greys(const fmix_plan *plan, fmix_scratch *scratch, uint64_t t, uint64_t n,
                            fmix_dtype dtype, void *out) {
    bool holds = fmix_mask_allows(dtype) && dtype != FMIX_DTYPE_BITS;
    if (!plan->method->spectrum || !holds || (n && t > UINT64_MAX - (n - 1)))
        return FMIX_ERROR_RANGE;
    uint64_t bytes = plan->elements * fmix_dtype_bytes(dtype);
    unsigned char *at = out;
    fmix_drawing d;
    fmix_status status = fmix_drawing_begin(&d, plan, scratch);
    for (uint64_t i = 0; i < n && status == FMIX_OK; i++, at += bytes) {
        status = draw(&d, t + i);
        if (status == FMIX_OK)
            write(scratch->mask, plan->elements, dtype, at);
    }
    fmix_drawing_end(&d);
    return status;
}
