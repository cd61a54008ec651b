#include "soft.h"
#include "contested.h"
#include "lambda.h"

#include <stdlib.h>

uint64_t fmix_soft_half(const fmix_plan *plan, uint64_t ones) {
    uint64_t n = plan->elements, rest = n - ones;
    uint64_t half = (fmix_lambda_round(plan->recipe.soft) * n + (UINT64_C(1) << 31)) >> 32;
    half = half < ones ? half : ones;
    return half < rest ? half : rest;
}

typedef struct candidate {
    double g;
    uint32_t pixel;
} candidate;

static int by_value(const void *left, const void *right) {
    const candidate *a = left, *b = right;
    if (a->g != b->g)
        return a->g > b->g ? -1 : 1;
    return a->pixel < b->pixel ? -1 : 1;
}

/* The band: ranks first … last-1, and the candidate pixels for these ranks, whose values are
 * between low and high. */
typedef struct band {
    uint64_t first, last;
    double low, high;
    uint64_t above; /* how many pixels are surely above */
    size_t count;
    candidate *candidates, *spread; /* spread: memory for sorting */
    uint32_t *starts;               /* starts of the buckets, and of one more */
    uint32_t *pixels;
    fmix_run *runs;
    size_t run_count;
} band;

/* Sets low and high to the values at the ends of the band, moved outwards by `width`. */
static void find_ends(const fmix_kernels *kernels, const double *g, uint64_t n, double *work,
                      double width, band *b) {
    double other;
    b->high = b->low = g[0];
    if (b->first == 0 || b->last == n)
        for (uint64_t i = 1; i < n; i++) {
            b->high = g[i] > b->high ? g[i] : b->high;
            b->low = g[i] < b->low ? g[i] : b->low;
        }
    if (b->first != 0)
        kernels->rank_pair(g, (size_t)n, (size_t)b->first, work, &other, &b->high);
    if (b->last != n)
        kernels->rank_pair(g, (size_t)n, (size_t)b->last, work, &b->low, &other);
    b->high += width;
    b->low -= width;
}

static fmix_status gather(const double *g, uint64_t n, band *b) {
    for (uint64_t i = 0; i < n; i++) {
        b->above += g[i] > b->high;
        b->count += g[i] >= b->low && g[i] <= b->high;
    }
    b->candidates = malloc(b->count * sizeof *b->candidates);
    b->spread = malloc(b->count * sizeof *b->spread);
    b->starts = calloc(b->count + 1, sizeof *b->starts);
    b->pixels = malloc(b->count * sizeof *b->pixels);
    b->runs = malloc(b->count * sizeof *b->runs);
    if (!b->candidates || !b->spread || !b->starts || !b->pixels || !b->runs)
        return FMIX_ERROR_MEMORY;
    size_t count = 0;
    for (uint64_t i = 0; i < n; i++)
        if (g[i] >= b->low && g[i] <= b->high)
            b->candidates[count++] = (candidate){g[i], (uint32_t)i};
    return FMIX_OK;
}

/* There are as many buckets as candidates, in proportion to the value: the largest values are in
 * the first. */
static size_t bucket_of(const band *b, double g) {
    double range = b->high - b->low, part = range > 0 ? (b->high - g) / range : 0;
    size_t bucket = (size_t)(part * (double)b->count);
    return bucket < b->count ? bucket : b->count - 1;
}

/* Values are spread so evenly that most buckets have one or two candidates. Larger buckets are
 * possible. */
static void sort_bucket(candidate *c, size_t n) {
    if (n > 16) {
        qsort(c, n, sizeof *c, by_value);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        candidate moved = c[i];
        size_t at = i;
        for (; at > 0 && by_value(&moved, &c[at - 1]) < 0; at--)
            c[at] = c[at - 1];
        c[at] = moved;
    }
}

static void sort_by_value(band *b) {
    for (size_t i = 0; i < b->count; i++)
        b->starts[bucket_of(b, b->candidates[i].g) + 1]++;
    for (size_t i = 0; i < b->count; i++)
        b->starts[i + 1] += b->starts[i];
    for (size_t i = 0; i < b->count; i++)
        b->spread[b->starts[bucket_of(b, b->candidates[i].g)]++] = b->candidates[i];
    for (size_t i = 0, first = 0; i < b->count; i++) { /* starts[i] now ends bucket i */
        sort_bucket(b->spread + first, b->starts[i] - first);
        first = b->starts[i];
    }
    candidate *sorted = b->spread;
    b->spread = b->candidates;
    b->candidates = sorted;
}

/* Sorts by value, in runs that end where the gap to the next is wider than `width`. */
static void sort(band *b, double width) {
    sort_by_value(b);
    for (size_t i = 0, start = 0; i < b->count; i++) {
        b->pixels[i] = b->candidates[i].pixel;
        if (i + 1 < b->count && !(b->candidates[i].g - b->candidates[i + 1].g > width))
            continue;
        b->runs[b->run_count++] = (fmix_run){start, i + 1};
        start = i + 1;
    }
}

/* Writes weights by rank. Every pixel outside the band's candidates is above or below. */
static void write_weights(const double *g, uint64_t n, const band *b, double *weights) {
    uint64_t steps = b->last - b->first - 1; /* 2h - 1 */
    for (uint64_t i = 0; i < n; i++)
        weights[i] = g[i] > b->high ? 1 : 0;
    for (size_t i = 0; i < b->count; i++) {
        uint64_t rank = b->above + i;
        double weight = rank < b->first ? 1 : 0;
        if (rank >= b->first && rank < b->last)
            weight = (double)(steps - (rank - b->first)) / (double)steps;
        weights[b->pixels[i]] = weight;
    }
}

fmix_status fmix_soft_draw(const fmix_drawing *d, uint64_t t, uint64_t ones, uint64_t half) {
    const double *g = d->scratch->g;
    uint64_t n = d->plan->elements;
    band b = {.first = ones - half, .last = ones + half};
    double bound;
    fmix_drawing_values(d, t, &bound);
    double width = fmix_drawing_width(d, bound);
    find_ends(d->plan->context->kernels, g, n, d->scratch->work, width, &b);
    fmix_status status = gather(g, n, &b);
    if (status == FMIX_OK) {
        fmix_field field = fmix_drawing_field(d, t);
        sort(&b, width);
        status = fmix_contested_order(d->plan->context, &field, b.pixels, b.runs, b.run_count,
                                      (size_t)(b.first - b.above), (size_t)(b.last - b.above));
    }
    if (status == FMIX_OK)
        write_weights(g, n, &b, d->scratch->work);
    free(b.runs);
    free(b.pixels);
    free(b.starts);
    free(b.spread);
    free(b.candidates);
    return status;
}
