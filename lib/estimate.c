/* Estimates of what a mask costs, in time and in memory. */
#include "plan.h"
#include "transform.h"

#include <math.h> /* sqrt */

static double log2_of(double x) {
    int e = 0;
    for (; x >= 2; x /= 2)
        e++;
    return e + (x - 1); /* within 0.09 */
}

/* With the official spectrum and a last side of 1, values depend on the middle side alone: so all
 * pixels of a line are contested together, and of two lines where these are close. Without a middle
 * side all values are 0. */
static bool has_equal_lines(const fmix_recipe *r) {
    unsigned rank = r->shape.rank;
    return r->spectrum == FMIX_SPECTRUM_OFFICIAL && rank > 1 && r->shape.side[rank - 1] == 1;
}

/* The middle side. */
static double lines_of(const fmix_recipe *r) {
    return r->shape.rank == 3 ? r->shape.side[1] : 1;
}

/* Measured: 65536x1 4 to 6 ms, 16777216x1 2.0 s; 8x8x1 0.2 ms, 128x128x1 4.9 ms, 512x512x1 104 ms,
 * 65536x7x1 251 ms, 65536x3x1 141 ms, 65536x2x1 126 ms. */
static double equal_lines_cost(const fmix_recipe *r, double elements) {
    double lines = lines_of(r);
    return lines == 1 ? 100 * elements : 2e5 + 400 * elements + 1300 * elements / lines;
}

/*
 * Expected nanoseconds of deciding contested pixels of a thin shape. If one side is much longer
 * than the others, pixels with the same coordinate along that side differ by (long/other)^-delta of
 * G. Where this is under about 2^-31 these pixels are all contested together, and a pass or two
 * over the bins decides them. With a soft edge the whole band is contested: the cost grows with its
 * lines, which are at most as many as the long side has elements, and with its pixels
 * (difference.c).
 */
static double settling_cost(const fmix_recipe *r, double elements, double band) {
    if (has_equal_lines(r))
        return equal_lines_cost(r, elements);
    double longest = 1, second = 1;
    for (unsigned d = 0; d < r->shape.rank; d++) {
        double n = r->shape.side[d];
        second = n > longest ? longest : n > second ? n : second;
        longest = n > longest ? n : longest;
    }
    if (second == 1 || r->frequency == FMIX_FREQUENCY_EXTENT ||
        r->spectrum == FMIX_SPECTRUM_OFFICIAL || r->delta * log2_of(longest / second) < 31)
        return 0;
    double lines = band < longest ? band : longest;
    return elements / 2 * (250 + 4 * lines) + 200 * band * (elements / longest);
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

/* Bytes of contested pixels, where these are many. A soft edge's band may be contested as a whole,
 * and so may two lines of equal values. */
static uint64_t settling_memory(const fmix_plan *plan) {
    const fmix_recipe *r = &plan->recipe;
    double n = (double)plan->elements, band = plan->soft ? 2 * r->soft * n : 0;
    uint64_t bytes = settling_cost(r, n, band) > 0 ? CONTESTED_PIXEL_BYTES * (uint64_t)band : 0;
    if (!has_equal_lines(r))
        return bytes;
    double lines = lines_of(r);
    return bytes + (lines == 1 ? ZERO_PIXEL_BYTES * plan->elements
                               : EXACT_PIXEL_BYTES * (uint64_t)(2 * n / lines));
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
