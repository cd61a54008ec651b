#include "rank.h"
#include "vector.h"

#include <math.h> /* sqrt */
#include <string.h>

#define DIRECT 2048 /* below this many, bracketing costs more than it saves */
#define SAMPLE 1024

static void exchange(double *a, double *b) {
    double t = *a;
    *a = *b;
    *b = t;
}

/* Hoare's quickselect, largest first: afterwards everything before `at` is >= v[at], everything
 * after it <= v[at]. Median of three; scans stop at equals, so ties split evenly. */
static void select_descending(double *v, size_t n, size_t at) {
    size_t low = 0, high = n - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (v[middle] > v[low])
            exchange(&v[middle], &v[low]);
        if (v[high] > v[low])
            exchange(&v[high], &v[low]);
        if (v[high] > v[middle])
            exchange(&v[high], &v[middle]);
        double pivot = v[middle];
        size_t i = low, j = high;
        for (;;) {
            while (v[i] > pivot)
                i++;
            while (v[j] < pivot)
                j--;
            if (i >= j)
                break;
            exchange(&v[i++], &v[j--]);
        }
        /* v[low … j] >= pivot >= v[j+1 … high]; j < high, as the middle stops i */
        if (at <= j)
            high = j;
        else
            low = j + 1;
    }
}

static double largest(const double *v, size_t n) {
    double best = v[0];
    for (size_t i = 1; i < n; i++)
        best = v[i] > best ? v[i] : best;
    return best;
}

static void pair_by_select(double *work, size_t n, size_t k, double *kth, double *next) {
    select_descending(work, n, k - 1);
    *kth = work[k - 1];
    *next = largest(work + k, n - k);
}

/* Copies what lies in [low, high] to work and counts what lies above. */
FMIX_CLONES
static size_t compress(const double *restrict g, size_t n, double low, double high,
                       double *restrict work, size_t *above) {
    size_t kept = 0, more = 0;
    for (size_t i = 0; i < n; i++) {
        work[kept] = g[i];
        kept += (size_t)((g[i] >= low) & (g[i] <= high));
        more += (size_t)(g[i] > high);
    }
    *above = more;
    return kept;
}

/* Two values of a sample that bracket rank k but for about one time in a thousand: four standard
 * deviations of a binomial count either way. */
static void bracket(const double *g, size_t n, size_t k, double *low, double *high) {
    double sample[SAMPLE];
    size_t stride = n / SAMPLE;
    for (size_t i = 0; i < SAMPLE; i++)
        sample[i] = g[i * stride];
    double p = (double)k / (double)n;
    double centre = p * SAMPLE, spread = 4 * sqrt(SAMPLE * p * (1 - p)) + 4;
    double first = centre - spread, last = centre + spread;
    *high = HUGE_VAL;
    *low = -HUGE_VAL;
    if (first >= 0) {
        select_descending(sample, SAMPLE, (size_t)first);
        *high = sample[(size_t)first];
    }
    if (last < SAMPLE) {
        select_descending(sample, SAMPLE, (size_t)last);
        *low = sample[(size_t)last];
    }
}

void fmix_rank_pair(const double *g, size_t n, size_t k, double *work, double *kth, double *next) {
    if (n >= DIRECT) {
        double low, high;
        size_t above;
        bracket(g, n, k, &low, &high);
        size_t kept = compress(g, n, low, high, work, &above);
        if (above < k && k < above + kept) {
            pair_by_select(work, kept, k - above, kth, next);
            return;
        }
    }
    memcpy(work, g, n * sizeof *g);
    pair_by_select(work, n, k, kth, next);
}
