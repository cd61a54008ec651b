#include "soft.h"
#include "binary64.h"
#include "contested.h"
#include "lambda.h"
#include "vector.h"

#include <math.h> /* sqrt */
#include <stdlib.h>
#include <string.h>

uint64_t fmix_soft_half(const fmix_plan *plan, uint64_t ones) {
    uint64_t n = plan->elements, rest = n - ones;
    uint64_t half = (fmix_lambda_round(plan->recipe.soft) * n + (UINT64_C(1) << 31)) >> 32;
    half = half < ones ? half : ones;
    return half < rest ? half : rest;
}

/*
 * The band: ranks first … last-1, and the candidate pixels for these ranks, whose values are
 * between low and high.
 *
 * A candidate is one number: 31 bits of how far its value is below `high`, of 2^31/scale, and the
 * pixel in the lower half. Numbers further apart than `close` in the upper half have values further
 * apart than the width of doubt. The others are compared by their values.
 */
typedef struct band {
    uint64_t first, last;
    double low, high, scale;
    uint64_t close;
    uint64_t above; /* how many pixels are surely above */
    size_t count;
    int64_t *found, *sorted; /* candidates */
    void *memory;            /* of the arrays below and `sorted`, if they have their own */
    uint32_t *starts;        /* starts of the buckets, and of one more */
    uint32_t *pixels;
    fmix_run *runs; /* of two pixels and more */
    size_t run_count, run_room;
} band;

/* Steps from `high` to `low`: nearly the 31 bits that a candidate has for them. What is kept free
 * is far more than the rounding of a product adds. */
#define STEPS (0x1p31 - 0x1p20)
/* Of the scale: so the band is wider than 2^-869, and neither it nor a product is subnormal. */
#define SCALE_MOST 0x1p900
/* Added to the rounded-down width in steps: one for what rounding down took, one each for two
 * values that are rounded to whole steps. */
#define CLOSE_MORE 3

static void set_scale(band *b, double width) {
    double range = b->high - b->low, scale = STEPS / range;
    bool fits = range > 0 && scale < SCALE_MOST && width * scale < STEPS;
    b->scale = fits ? scale : 0; /* 0: all are compared by their values */
    b->close = fits ? (uint64_t)(width * scale) + CLOSE_MORE : CLOSE_MORE;
}

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
    set_scale(b, width);
}

#define SAMPLE       2048
#define SAMPLED_FROM 20480 /* below so many values, the ranks at the ends cost little */

/* The place in a sample three deviations to one side of where this rank should be. */
static double sampled_rank(uint64_t rank, uint64_t n, double deviations) {
    double p = (double)rank / (double)n;
    return p * SAMPLE + deviations * sqrt(p * (1 - p) * SAMPLE) + (deviations < 0 ? -4 : 4);
}

/* Sets low and high to values of a sample that should lie outside the band; false where the band is
 * too near to an end for that. The sample steps by the golden section, as rank_pair's does. */
static bool guess_ends(const fmix_kernels *kernels, const double *g, uint64_t n, double width,
                       band *b) {
    double sample[SAMPLE], work[SAMPLE + FMIX_KERNELS_PAD], other;
    double high = sampled_rank(b->first, n, -3), low = sampled_rank(b->last, n, 3);
    uint64_t at = 0;
    if (n < SAMPLED_FROM || high < 1 || low > SAMPLE - 1)
        return false;
    for (size_t i = 0; i < SAMPLE; i++, at += UINT64_C(0x9e3779b97f4a7c15))
        sample[i] = g[(at >> 32) * n >> 32];
    kernels->rank_pair(sample, SAMPLE, (size_t)high, work, &b->high, &other);
    kernels->rank_pair(sample, SAMPLE, (size_t)low, work, &b->low, &other);
    set_scale(b, width);
    return true;
}

#define BLOCK 512 /* pixels at once: 4 KiB of candidates on the stack stay in the first cache */

/* Writes the candidates among n pixels from `first` on, and -1 for all others, and 1 or 0 as the
 * weights of others. Returns how many are above. */
FMIX_CLONES
static uint64_t sift(const double *restrict g, uint32_t n, uint32_t first, const band *b,
                     int64_t *restrict candidates, double *restrict weights) {
    const double low = b->low, high = b->high, scale = b->scale;
    uint64_t above = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t below = bits_of((high - g[i]) * scale + 0x1p52) << 32;
        bool is_above = g[i] > high, is_out = is_above | (g[i] < low);
        candidates[i] = is_out ? -1 : (int64_t)(below | (first + i));
        weights[i] = is_above ? 1 : 0;
        above += is_above;
    }
    return above;
}

static void gather(const double *g, uint64_t n, band *b, double *weights) {
    int64_t candidates[BLOCK], *found = b->found;
    size_t count = 0;
    b->above = 0;
    for (uint64_t from = 0; from < n; from += BLOCK) {
        uint32_t some = n - from < BLOCK ? (uint32_t)(n - from) : BLOCK;
        b->above += sift(g + from, some, (uint32_t)from, b, candidates, weights + from);
        for (uint32_t i = 0; i < some; i++) {
            found[count] = candidates[i];
            count += candidates[i] >= 0;
        }
    }
    b->count = count;
}

static int by_number(const void *left, const void *right) {
    const int64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

/* Sorts runs of at most `passes` numbers, of which each is less than those of later runs: by
 * comparing pairs of neighbours from 0 and from 1 on, in turn. */
FMIX_CLONES
static void sort_neighbours(int64_t *v, size_t n, size_t passes) {
    for (size_t p = 0; p < passes; p++)
        for (size_t i = p % 2; i + 1 < n; i += 2) {
            int64_t a = v[i], b = v[i + 1];
            v[i] = a < b ? a : b;
            v[i + 1] = a < b ? b : a;
        }
}

/* sort_neighbours goes over all of a block once for each number in its largest bucket. So larger
 * buckets are sorted apart, and a block ends after AT_ONCE numbers, 8 KiB, for the first cache. */
#define BUCKET_MOST 16
#define AT_ONCE     1024

/* Sorts the numbers by buckets: about as many as numbers, so that most have one or two. */
static void sort_numbers(band *b, unsigned bucket_bits) {
    const size_t buckets = (size_t)1 << bucket_bits;
    const unsigned shift = 63 - bucket_bits;
    uint32_t *starts = b->starts;
    for (size_t i = 0; i < b->count; i++)
        starts[(b->found[i] >> shift) + 1]++;
    for (size_t i = 0; i < buckets; i++)
        starts[i + 1] += starts[i];
    for (size_t i = 0; i < b->count; i++)
        b->sorted[starts[b->found[i] >> shift]++] = b->found[i];
    size_t from = 0, first = 0, most = 0;
    for (size_t i = 0; i < buckets; i++) { /* starts[i] now ends bucket i */
        size_t end = starts[i], n = end - first;
        if (n > BUCKET_MOST)
            qsort(b->sorted + first, n, sizeof *b->sorted, by_number);
        else
            most = n > most ? n : most;
        first = end;
        if (end - from >= AT_ONCE || i + 1 == buckets) {
            sort_neighbours(b->sorted + from, end - from, most);
            from = end;
            most = 0;
        }
    }
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

static bool add_run(band *b, size_t first, size_t end) {
    if (b->run_count == b->run_room) {
        size_t room = 2 * b->run_room + 16;
        fmix_run *runs = realloc(b->runs, room * sizeof *runs);
        if (!runs)
            return false;
        b->runs = runs;
        b->run_room = room;
    }
    b->runs[b->run_count++] = (fmix_run){first, end};
    return true;
}

/* Sorts pixels first … end-1 by value, in runs that end where the gap to the next is wider than
 * `width`. */
static fmix_status sort_close(band *b, const double *g, double width, size_t first, size_t end) {
    size_t n = end - first, start = 0;
    bool kept = true;
    candidate *c = malloc(n * sizeof *c);
    if (!c)
        return FMIX_ERROR_MEMORY;
    for (size_t i = 0; i < n; i++)
        c[i] = (candidate){g[b->pixels[first + i]], b->pixels[first + i]};
    qsort(c, n, sizeof *c, by_value);
    for (size_t i = 0; i < n && kept; i++) {
        b->pixels[first + i] = c[i].pixel;
        if (i + 1 < n && !(c[i].g - c[i + 1].g > width))
            continue;
        kept = i == start || add_run(b, first + start, first + i + 1);
        start = i + 1;
    }
    free(c);
    return kept ? FMIX_OK : FMIX_ERROR_MEMORY;
}

/* Writes the pixels in order of value, and the runs of pixels that are in doubt. */
static fmix_status find_runs(band *b, const double *g, double width) {
    fmix_status status = FMIX_OK;
    size_t start = 0;
    for (size_t i = 0; i < b->count; i++)
        b->pixels[i] = (uint32_t)(b->sorted[i] & UINT32_MAX);
    for (size_t i = 0; i < b->count && status == FMIX_OK; i++) {
        if (i + 1 < b->count &&
            (uint64_t)(b->sorted[i + 1] >> 32) - (uint64_t)(b->sorted[i] >> 32) <= b->close)
            continue;
        if (i > start)
            status = sort_close(b, g, width, start, i + 1);
        start = i + 1;
    }
    return status;
}

static void clear(band *b) {
    free(b->runs);
    free(b->memory);
    b->runs = NULL;
    b->memory = NULL;
    b->run_count = b->run_room = 0;
}

/* The arrays lie behind the candidates found, which are in the spectrum's memory, or where that is
 * too small in memory of their own. */
static fmix_status make_room(band *b, const fmix_scratch *scratch, unsigned bucket_bits) {
    size_t starts = ((size_t)1 << bucket_bits) + 1;
    size_t bytes = b->count * (sizeof *b->sorted + sizeof *b->pixels) + starts * sizeof *b->starts;
    size_t left = scratch->x_room * sizeof *scratch->x - b->count * sizeof *b->found;
    if (bytes > left && !(b->memory = malloc(bytes)))
        return FMIX_ERROR_MEMORY;
    b->sorted = b->memory ? b->memory : b->found + b->count;
    b->pixels = (uint32_t *)(void *)(b->sorted + b->count);
    b->starts = b->pixels + b->count;
    memset(b->starts, 0, starts * sizeof *b->starts);
    return FMIX_OK;
}

static fmix_status sort(band *b, const fmix_scratch *scratch, double width) {
    unsigned bits = 0;
    while (bits < 30 && (b->count >> (bits + 1)) > 0)
        bits++;
    fmix_status status = make_room(b, scratch, bits);
    if (status != FMIX_OK)
        return status;
    sort_numbers(b, bits);
    return find_runs(b, scratch->g, width);
}

/* True if the candidates hold the band, and pixels further out are certainly so. */
static bool encloses(const band *b, const double *g, double width) {
    if (b->above >= b->first || b->above + b->count <= b->last)
        return false;
    const uint32_t *pixels = b->pixels;
    size_t first = (size_t)(b->first - b->above), last = (size_t)(b->last - b->above) - 1;
    return g[pixels[0]] - g[pixels[first]] > width &&
           g[pixels[last]] - g[pixels[b->count - 1]] > width;
}

/* Candidates with these ends, in order. */
static fmix_status order(const fmix_drawing *d, double width, band *b) {
    gather(d->scratch->g, d->plan->elements, b, d->scratch->work);
    return sort(b, d->scratch, width);
}

/* The weights of n candidates from place `from` of the band on. */
FMIX_CLONES
static void weigh(int32_t from, int32_t n, int32_t steps, double *restrict weights) {
    const double all = steps;
    for (int32_t i = 0; i < n; i++) {
        double weight = (double)(steps - (from + i)) / all;
        weight = weight > 0 ? weight : 0;
        weights[i] = weight < 1 ? weight : 1;
    }
}

/* Writes the candidates' weights by rank, which past the ends of the band are 1 and 0. */
static void write_weights(const band *b, double *weights) {
    const int32_t steps = (int32_t)(b->last - b->first - 1); /* 2h - 1 */
    const int32_t place = (int32_t)((int64_t)b->above - (int64_t)b->first);
    double some[BLOCK];
    for (size_t from = 0; from < b->count; from += BLOCK) {
        size_t n = b->count - from < BLOCK ? b->count - from : BLOCK;
        weigh(place + (int32_t)from, (int32_t)n, steps, some);
        for (size_t i = 0; i < n; i++)
            weights[b->pixels[from + i]] = some[i];
    }
}

fmix_status fmix_soft_draw(const fmix_drawing *d, uint64_t t, uint64_t ones, uint64_t half) {
    const double *g = d->scratch->g;
    const fmix_kernels *kernels = d->plan->context->kernels;
    const uint64_t n = d->plan->elements;
    band b = {.first = ones - half, .last = ones + half, .found = (void *)d->scratch->x};
    double bound;
    fmix_drawing_values(d, t, &bound);
    const double width = fmix_drawing_width(d, bound);
    bool guessed = guess_ends(kernels, g, n, width, &b);
    fmix_status status = guessed ? order(d, width, &b) : FMIX_OK;
    if (status == FMIX_OK && !(guessed && encloses(&b, g, width))) {
        clear(&b);
        find_ends(kernels, g, n, d->scratch->work, width, &b);
        status = order(d, width, &b);
    }
    fmix_tier last = FMIX_TIER_NONE;
    if (status == FMIX_OK) {
        fmix_field field = fmix_drawing_field(d, t);
        status =
            fmix_contested_order(d->plan->context, &field, b.pixels, b.runs, b.run_count,
                                 (size_t)(b.first - b.above), (size_t)(b.last - b.above), &last);
    }
    if (status == FMIX_OK) {
        fmix_count_settled(d->plan->context, last);
        write_weights(&b, d->scratch->work);
    }
    clear(&b);
    return status;
}
