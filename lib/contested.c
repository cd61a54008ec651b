#include "contested.h"
#include "difference.h"
#include "exact.h"

#include <math.h> /* HUGE_VAL */
#include <stdlib.h>
#include <string.h>

/* A pixel compared with the pivot of its run. */
typedef struct comparison {
    fmix_difference difference;
    int order; /* 1 larger, -1 smaller, 0 not known yet */
} comparison;

/* The work of one call. A round gives each open run a pivot, compares the other pixels of all open
 * runs with their pivots in one pass over the bins, sorts each run by the results, and leaves open
 * what is still undecided. */
typedef struct ordering {
    const fmix_field *field;
    uint32_t *pixels;
    size_t from, to;
    fmix_run *runs, *next; /* open runs, of at least two pixels each */
    size_t count, next_count;
    fmix_difference *differences;
    comparison *comparisons;
    size_t n;        /* entries of differences and comparisons */
    fmix_tier *last; /* the last tier that was needed */
} ordering;

/* True if an order within first … end-1 can matter. */
static bool matters(const ordering *c, size_t first, size_t end) {
    return end - first > 1 && first < c->to && c->from < end;
}

/* Gives each open run a pivot. No comparison is decided yet. */
static void list_rivals(ordering *c) {
    c->n = 0;
    for (size_t r = 0; r < c->count; r++) {
        const fmix_run *run = &c->runs[r];
        size_t pivot = run->first + (run->end - run->first) / 2;
        for (size_t i = run->first; i < run->end; i++)
            if (i != pivot) {
                c->comparisons[c->n].order = 0;
                c->comparisons[c->n++].difference =
                    (fmix_difference){.pair = {c->pixels[i], c->pixels[pivot]}, .bound = HUGE_VAL};
            }
    }
}

/* Values within 2^-256 of the total are equal, and of equal pixels the one with the smaller flat
 * index is larger. The total is a float64 sum, so only a difference within 2^-30 of the tolerance
 * could notice its rounding. */
static int order_of(const fmix_difference *d, double tie) {
    double size = d->value.high < 0 ? -d->value.high : d->value.high;
    if (size > d->bound && size - d->bound > tie * (1 + 0x1p-30))
        return d->value.high > 0 ? 1 : -1;
    if (size + d->bound < tie * (1 - 0x1p-30))
        return d->pair.pixel < d->pair.pivot ? 1 : -1;
    return 0;
}

/* Compares the open pixels by sums of this tier. */
static fmix_status compare_by_sums(ordering *c, fmix_tier tier) {
    double tie = ldexp(c->field->total, -FMIX_TIE_BITS);
    size_t open = 0;
    for (size_t i = 0; i < c->n; i++)
        if (c->comparisons[i].order == 0)
            c->differences[open++] = c->comparisons[i].difference;
    if (open == 0)
        return FMIX_OK;
    *c->last = tier > *c->last ? tier : *c->last;
    fmix_status status = fmix_differences(c->field, tier == FMIX_TIER_QUICK, c->differences, open);
    open = 0;
    for (size_t i = 0; i < c->n && status == FMIX_OK; i++)
        if (c->comparisons[i].order == 0) {
            const fmix_difference *d = &c->differences[open++];
            c->comparisons[i] = (comparison){*d, order_of(d, tie)};
        }
    return status;
}

static fmix_status compare_exactly(ordering *c) {
    size_t open = 0;
    fmix_status status = FMIX_ERROR_MEMORY;
    for (size_t i = 0; i < c->n; i++)
        open += c->comparisons[i].order == 0;
    if (open == 0)
        return FMIX_OK;
    *c->last = FMIX_TIER_EXACT;
    fmix_pair *pairs = malloc(open * sizeof *pairs);
    int *orders = malloc(open * sizeof *orders);
    if (!pairs || !orders)
        goto out;
    open = 0;
    for (size_t i = 0; i < c->n; i++)
        if (c->comparisons[i].order == 0)
            pairs[open++] = c->comparisons[i].difference.pair;
    status = fmix_exact_orders(c->field, pairs, open, orders);
    open = 0;
    for (size_t i = 0; i < c->n && status == FMIX_OK; i++) {
        const fmix_pair *pair = &c->comparisons[i].difference.pair;
        if (c->comparisons[i].order)
            continue;
        int order = orders[open++];
        c->comparisons[i].order = order ? order : pair->pixel < pair->pivot ? 1 : -1;
    }
out:
    free(orders);
    free(pairs);
    return status;
}

static int by_order(const void *left, const void *right) {
    const comparison *a = left, *b = right;
    if (a->order != b->order)
        return a->order > b->order ? -1 : 1;
    double apart = fmix_dd_sub(a->difference.value, b->difference.value).high;
    if (apart != 0)
        return apart > 0 ? -1 : 1;
    return a->difference.pair.pixel < b->difference.pair.pixel ? -1 : 1;
}

/* Writes the sorted comparisons of one side of a pivot to pixels[first …], as runs. A run ends
 * where the gap to the next neighbour is more than two bounds. */
static void split(ordering *c, const comparison *comparisons, size_t n, size_t first) {
    double tie = ldexp(c->field->total, -FMIX_TIE_BITS), bound = 0;
    size_t start = 0;
    for (size_t i = 0; i < n; i++)
        bound = comparisons[i].difference.bound > bound ? comparisons[i].difference.bound : bound;
    for (size_t i = 0; i < n; i++) {
        c->pixels[first + i] = comparisons[i].difference.pair.pixel;
        fmix_dd gap = fmix_dd_from(0);
        if (i + 1 < n)
            gap = fmix_dd_sub(comparisons[i].difference.value, comparisons[i + 1].difference.value);
        if (i + 1 < n && !(gap.high > (2 * bound + tie) * (1 + 0x1p-30)))
            continue;
        if (matters(c, first + start, first + i + 1))
            c->next[c->next_count++] = (fmix_run){first + start, first + i + 1};
        start = i + 1;
    }
}

/* Sorts each run by its comparisons, with the pivot between the two sides. */
static void split_runs(ordering *c) {
    comparison *comparisons = c->comparisons;
    c->next_count = 0;
    for (size_t r = 0; r < c->count; r++) {
        const fmix_run run = c->runs[r];
        size_t n = run.end - run.first - 1, larger = 0;
        uint32_t pivot = comparisons->difference.pair.pivot;
        qsort(comparisons, n, sizeof *comparisons, by_order);
        while (larger < n && comparisons[larger].order > 0)
            larger++;
        split(c, comparisons, larger, run.first);
        c->pixels[run.first + larger] = pivot;
        split(c, comparisons + larger, n - larger, run.first + larger + 1);
        comparisons += n;
    }
    fmix_run *swap = c->runs;
    c->runs = c->next;
    c->next = swap;
    c->count = c->next_count;
}

/* Runs have at least two pixels each, so there are at most half as many runs as pixels. */
static fmix_status ordering_init(ordering *c, const fmix_run *runs, size_t count) {
    size_t pixels = 0;
    for (size_t r = 0; r < count; r++)
        if (matters(c, runs[r].first, runs[r].end)) {
            pixels += runs[r].end - runs[r].first;
            c->count++;
        }
    if (c->count == 0)
        return FMIX_OK;
    c->runs = malloc(pixels / 2 * sizeof *c->runs);
    c->next = malloc(pixels / 2 * sizeof *c->next);
    c->differences = malloc(pixels * sizeof *c->differences);
    c->comparisons = malloc(pixels * sizeof *c->comparisons);
    if (!c->runs || !c->next || !c->differences || !c->comparisons)
        return FMIX_ERROR_MEMORY;
    c->count = 0;
    for (size_t r = 0; r < count; r++)
        if (matters(c, runs[r].first, runs[r].end))
            c->runs[c->count++] = runs[r];
    return FMIX_OK;
}

static void ordering_clear(ordering *c) {
    free(c->runs);
    free(c->next);
    free(c->differences);
    free(c->comparisons);
}

static int by_index(const void *left, const void *right) {
    const uint32_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

/* Without any bin all values are 0, and of equal pixels the one with the smaller flat index is
 * larger. */
static void order_zeros(uint32_t *pixels, const fmix_run *runs, size_t count) {
    for (size_t r = 0; r < count; r++)
        qsort(pixels + runs[r].first, runs[r].end - runs[r].first, sizeof *pixels, by_index);
}

fmix_status fmix_contested_order(fmix_context *context, const fmix_field *field, uint32_t *pixels,
                                 const fmix_run *runs, size_t count, size_t from, size_t to,
                                 fmix_tier *last) {
    ordering c = {.field = field, .pixels = pixels, .from = from, .to = to, .last = last};
    const fmix_hooks *hooks = &context->hooks;
    if (field->total == 0) {
        order_zeros(pixels, runs, count);
        return FMIX_OK;
    }
    fmix_status status = ordering_init(&c, runs, count);
    while (c.count && status == FMIX_OK) {
        list_rivals(&c);
        if (!hooks->no_quick && !hooks->no_direct)
            status = compare_by_sums(&c, FMIX_TIER_QUICK);
        if (status == FMIX_OK && !hooks->no_direct)
            status = compare_by_sums(&c, FMIX_TIER_DIRECT);
        if (status == FMIX_OK)
            status = compare_exactly(&c);
        if (status == FMIX_OK)
            split_runs(&c);
    }
    ordering_clear(&c);
    return status;
}
