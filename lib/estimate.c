/* Estimates of what a mask costs, in time and in memory. */
#include "bins.h"
#include "elementary.h"
#include "phase.h"
#include "plan.h"
#include "spectrum.h"
#include "transform.h"

#include <math.h> /* sqrt */

static double log2_of(double x) {
    int e = 0;
    for (; x >= 2; x /= 2)
        e++;
    return e + (x - 1); /* within 0.09 */
}

/* What a thin shape makes of a mask: pixels with the same coordinate along the longest side differ
 * by (longest/second)^-delta of G, and where that is under about 2^-31 the transform cannot tell
 * these pixels apart. */
typedef struct thinness {
    double longest, second;
    double bits; /* so many below G */
    bool across; /* the longest side is not the first */
} thinness;

static thinness thinness_of(const fmix_recipe *r) {
    thinness t = {1, 1, 0, false};
    for (unsigned d = 0; d < r->shape.rank; d++) {
        double n = r->shape.side[d];
        t.across = n > t.longest ? d > 0 : t.across;
        t.second = n > t.longest ? t.longest : n > t.second ? n : t.second;
        t.longest = n > t.longest ? n : t.longest;
    }
    t.bits = r->delta * log2_of(t.longest / t.second);
    return t;
}

#define THIN_BITS 31

/* With the official spectrum and a last side of 1, values depend on the middle side alone. Without
 * one all values are 0. */
static bool has_equal_lines(const fmix_recipe *r) {
    unsigned rank = r->shape.rank;
    return r->spectrum == FMIX_SPECTRUM_OFFICIAL && rank > 1 && r->shape.side[rank - 1] == 1;
}

static bool has_only_zeros(const fmix_recipe *r) {
    return has_equal_lines(r) && (r->shape.rank == 2 || r->shape.side[1] == 1);
}

/* Of two lines where the others are, and all pixels where there are no others. */
static double pixels_of_two(double lines, double elements) {
    return lines > 2 ? 2 * elements / lines : elements;
}

static double larger_of(double a, double b) {
    return a > b ? a : b;
}

/* Pixels that may be contested together by the official law: two lines at least, whole, and the
 * band of a soft edge. */
static double official_pixels(const fmix_recipe *r, double elements, double band) {
    thinness t = thinness_of(r);
    bool equal = has_equal_lines(r), thin = t.second > 1 && t.bits >= THIN_BITS;
    double lines = equal && r->shape.rank == 3 ? r->shape.side[1] : equal ? 1 : t.longest;
    if (!equal && !thin)
        return 0;
    return larger_of(band, pixels_of_two(lines, elements));
}

/*
 * Each line along a longest side that is not the first has a mirror: what tells the two apart are
 * the imaginary parts, whose frequencies are those of the first side. So MPFR settles what is more
 * than the 78 bits of double-double below G. Measured, hard at delta = 3: 65536x1 4 to 6 ms,
 * 128x128x1 4.9 ms, 512x512x1 104 ms, 65536x2x1 126 ms, 65536x7x1 251 ms; at delta = 10, soft 0.2:
 * 4096x8x8 0.9 s, 8x8x4096 11 s, 2x65536 0.25 s; soft 0.42: 5x1000x2 0.6 s, 5x2000x2 over 40 s.
 */
#define MIRROR_BITS 72

/* Nanoseconds of a bin in the sum of a line: turns of a long side are products of two (phase.h). */
static double line_cost(double longest) {
    return longest > FMIX_PHASE_FINE ? 90 : 4;
}

static double smaller_of(double a, double b) {
    return a < b ? a : b;
}

/* Expected nanoseconds of a pass over the bins that compares so many pixels, which have `lines`
 * different coordinates along the longest side: a sum each, and their combination (difference.c).
 */
static double sums_cost(const fmix_recipe *r, double elements, double pixels, double lines) {
    const fmix_spectrum_params params = fmix_spectrum_params_of(r);
    double longest = thinness_of(r).longest;
    return (double)fmix_normals_count(&params) *
               (250 + line_cost(longest) * smaller_of(lines, longest)) +
           200 * pixels * (elements / longest);
}

/* The same where lines along the longest side are contested: two of them, or those of a band. */
static double thin_cost(const fmix_recipe *r, double elements, double band) {
    double two = pixels_of_two(thinness_of(r).longest, elements);
    return sums_cost(r, elements, larger_of(band, two), larger_of(band, 2));
}

static double official_cost(const fmix_recipe *r, double elements, double band) {
    const fmix_spectrum_params params = fmix_spectrum_params_of(r);
    double pixels = official_pixels(r, elements, band);
    if (pixels == 0 || has_only_zeros(r))
        return 100 * pixels;
    thinness t = thinness_of(r);
    double exact = 2000 * (double)fmix_normals_count(&params) * pixels;
    double sums =
        has_equal_lines(r) ? sums_cost(r, elements, pixels, pixels) : thin_cost(r, elements, band);
    return 2e5 + 1500 * pixels + sums + (t.across && t.bits > MIRROR_BITS ? exact : 0);
}

/* About how many deviations of G the sum of |X| is: bins by octaves of their frequency. */
static double deviations_of(const fmix_recipe *r) {
    double longest = thinness_of(r).longest, sum = 0, squares = 0, before = 1;
    for (double f = 1 / longest; f < 1; f *= 2) {
        double within = 1, w = fmix_power(2 * f * f, r->delta / 2);
        for (unsigned d = 0; d < r->shape.rank; d++) {
            double n = r->shape.side[d],
                   period = r->frequency == FMIX_FREQUENCY_EXTENT ? longest : n;
            double reach = 1 + 4 * f * period;
            within *= reach < n ? reach : n;
        }
        sum += (within - before) * w;
        squares += (within - before) * w * w;
        before = within;
    }
    return squares > 0 ? 1.25 * sum / sqrt(squares) : 0;
}

/* How many pixels of a band are expected to have a neighbour in it that is too close by chance, as
 * where delta is small and elements are many: values have a normal distribution. */
static double chance_pixels(const fmix_recipe *r, double elements, double band) {
    if (band == 0)
        return 0;
    double bound = fmix_transform_bound((uint64_t)elements) + 2 * FMIX_SPECTRUM_BOUND;
    double share = 0.4 * elements * 2 * bound * deviations_of(r);
    return 2 * band * (share < 0.5 ? share : 0.5);
}

/* A hard edge has two pixels that matter, and few elements seldom come too close. */
#define CHANCE_ELEMENTS (1 << 20)

static double chance_cost(const fmix_recipe *r, double elements, double band) {
    if (band == 0 && elements < CHANCE_ELEMENTS)
        return 0;
    double pixels = chance_pixels(r, elements, larger_of(band, 1));
    double least = larger_of(pixels, 2);
    return pixels / least * sums_cost(r, elements, least, least);
}

/*
 * Expected nanoseconds of deciding contested pixels: a pass or two over the bins. With a soft edge
 * the whole band of a thin shape is contested: the cost grows with its lines, which are at most as
 * many as the long side has elements, and with its pixels. Measured: 506709, soft 0.34 at delta =
 * 0.5, 221 pixels and their neighbours: 10.7 s.
 */
static double settling_cost(const fmix_recipe *r, double elements, double band) {
    thinness t = thinness_of(r);
    double chance = chance_cost(r, elements, band);
    if (r->spectrum == FMIX_SPECTRUM_OFFICIAL)
        return chance + official_cost(r, elements, band);
    if (t.second == 1 || r->frequency == FMIX_FREQUENCY_EXTENT || t.bits < THIN_BITS)
        return chance;
    return thin_cost(r, elements, band);
}

/* Fitted to one machine, so good for the order of magnitude only: the normals by bin, the transform
 * and the selection by element and level, three times as much out of the caches, and sorting the
 * band of a soft edge. */
double fmix_plan_mask_cost(const fmix_plan *plan) {
    double n = (double)plan->elements, levels = log2_of(n);
    if (!plan->method->draw)
        return 200;
    if (!plan->method->spectrum)
        return 300 + 0.1 * n;
    double band = plan->soft ? 2 * plan->recipe.soft * n : 0;
    double element = (1.9 + 0.07 * levels) * (n > 1 << 19 ? 3 : 1);
    return 400 + n * element + n * fmix_transform_penalty(&plan->recipe.shape) +
           10 * band * levels + settling_cost(&plan->recipe, n, band);
}

#define CONTESTED_PIXEL_BYTES 160 /* for each contested pixel: contested.c, difference.c */
#define EXACT_PIXEL_BYTES     320 /* where MPFR compares the pixel, too: exact.c */
#define ZERO_PIXEL_BYTES      8   /* where no bin adds anything: the pixel, and room to sort it */

/* For each element, where all are candidates: 16 of a sorted candidate, its pixel and its bucket,
 * 16 of one that is compared by its value, up to 24 of runs while their room doubles; the rest is
 * for the sums of lines. */
#define SOFT_ELEMENT_BYTES 60

/* Bytes of contested pixels, where these are many. */
static uint64_t settling_memory(const fmix_plan *plan) {
    const fmix_recipe *r = &plan->recipe;
    double n = (double)plan->elements, band = plan->soft ? 2 * r->soft * n : 0;
    thinness t = thinness_of(r);
    if (has_only_zeros(r))
        return ZERO_PIXEL_BYTES * plan->elements;
    double pixels = chance_pixels(r, n, band);
    if (r->spectrum == FMIX_SPECTRUM_OFFICIAL)
        return EXACT_PIXEL_BYTES * (uint64_t)(pixels + official_pixels(r, n, band));
    if (t.second > 1 && r->frequency != FMIX_FREQUENCY_EXTENT && t.bits >= THIN_BITS)
        pixels = band;
    return CONTESTED_PIXEL_BYTES * (uint64_t)pixels;
}

uint64_t fmix_plan_memory(const fmix_plan *plan) {
    if (!plan->method->draw)
        return 0;
    uint64_t bytes = plan->elements; /* the mask as bytes */
    if (plan->method->spectrum)
        bytes += 2 * sizeof(double) * (plan->elements + FMIX_KERNELS_PAD) +
                 3 * sizeof(double) * (fmix_shape_bins(&plan->recipe.shape) + FMIX_KERNELS_PAD);
    if (plan->soft)
        bytes += SOFT_ELEMENT_BYTES * plan->elements;
    return bytes + (plan->method->spectrum ? settling_memory(plan) : 0);
}
