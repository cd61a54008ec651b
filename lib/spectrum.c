#include "spectrum.h"
#include "context.h"
#include "elementary.h"
#include "vector.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK     512 /* bins at a time: 20 KiB of stack, in the first cache */
#define LANES     8
#define ROOT_HALF 0x1.6a09e667f3bcdp-1

typedef struct weights_key {
    fmix_shape shape;
    uint32_t frequency;
    double delta;
} weights_key;

/* One row of bins along the last side. fmix_power brings 24u, its argument 5u * 5, the factor and
 * product 2u: 51u. */
static void fill_row(const fmix_weights *weights, double half_delta, uint32_t b0, uint32_t b1,
                     double *w) {
    const fmix_sides *sides = &weights->sides;
    uint32_t n = sides->n[2];
    for (uint32_t b2 = 0; b2 <= n / 2; b2++) {
        double s = fmix_frequency_squared(sides, &weights->periods, b0, b1, b2);
        double power = s > 0 ? fmix_power(s, half_delta) : 0;
        w[b2] = fmix_self_mirrored(b2, n) ? power : ROOT_HALF * power;
    }
}

/* Rows b and -b along either leading side are equal, so at most a quarter is computed. */
static void fill_weights(fmix_weights *weights, double delta) {
    const fmix_sides *sides = &weights->sides;
    uint32_t n0 = sides->n[0], n1 = sides->n[1];
    size_t row = sides->n[2] / 2 + 1;
    for (uint32_t b0 = 0; b0 < n0; b0++) {
        for (uint32_t b1 = 0; b1 < n1; b1++) {
            uint32_t m0 = b0 <= n0 / 2 ? b0 : n0 - b0;
            uint32_t m1 = b1 <= n1 / 2 ? b1 : n1 - b1;
            double *w = weights->w + ((size_t)b0 * n1 + b1) * row;
            if (m0 != b0 || m1 != b1)
                memcpy(w, weights->w + ((size_t)m0 * n1 + m1) * row, row * sizeof *w);
            else
                fill_row(weights, delta / 2, b0, b1, w);
        }
    }
}

static double total_of(const fmix_weights *weights) {
    uint32_t last = weights->sides.n[2];
    size_t row = last / 2 + 1;
    double total = 0;
    for (uint64_t j = 0; j < weights->bins; j++)
        total += (fmix_self_mirrored((uint32_t)(j % row), last) ? 1 : 2) * weights->w[j];
    return total;
}

static fmix_status make(const void *raw, void **object, size_t *bytes) {
    weights_key key;
    memcpy(&key, raw, sizeof key);
    uint64_t bins = fmix_shape_bins(&key.shape); /* at most 2^24 */
    size_t size = sizeof(fmix_weights) + (size_t)bins * sizeof(double);
    fmix_weights *weights = malloc(size);
    if (!weights)
        return FMIX_ERROR_MEMORY;
    weights->sides = fmix_shape_sides(&key.shape);
    weights->periods = fmix_shape_periods(&key.shape, (fmix_frequency)key.frequency);
    weights->bins = bins;
    fill_weights(weights, key.delta);
    weights->total = total_of(weights);
    *object = weights;
    *bytes = size;
    return FMIX_OK;
}

static const fmix_cache_kind all_weights = {make, free};

static void key_of(const fmix_shape *shape, double delta, fmix_frequency frequency,
                   unsigned char raw[FMIX_CACHE_KEY_BYTES]) {
    weights_key key;
    _Static_assert(sizeof key <= FMIX_CACHE_KEY_BYTES, "a shape and delta fit a key");
    memset(&key, 0, sizeof key);
    key.shape.rank = shape->rank;
    for (unsigned d = 0; d < shape->rank; d++)
        key.shape.side[d] = shape->side[d];
    key.frequency = (uint32_t)frequency;
    key.delta = delta;
    memset(raw, 0, FMIX_CACHE_KEY_BYTES);
    memcpy(raw, &key, sizeof key);
}

fmix_status fmix_weights_get(fmix_cache *cache, const fmix_shape *shape, double delta,
                             fmix_frequency frequency, const fmix_weights **out, void **entry) {
    unsigned char key[FMIX_CACHE_KEY_BYTES];
    void *object = NULL;
    key_of(shape, delta, frequency, key);
    fmix_status status = fmix_cache_get(cache, &all_weights, key, &object, entry);
    *out = object;
    return status;
}

bool fmix_weights_cached(fmix_cache *cache, const fmix_shape *shape, double delta,
                         fmix_frequency frequency) {
    unsigned char key[FMIX_CACHE_KEY_BYTES];
    key_of(shape, delta, frequency, key);
    return fmix_cache_has(cache, &all_weights, key);
}

FMIX_CLONES
static void weigh(const double *restrict w, const double *restrict radius,
                  const double *restrict cosine, const double *restrict sine, size_t n,
                  double *restrict x, double lanes[restrict LANES]) {
    for (size_t i = 0; i < n; i++) {
        double r = w[i] * radius[i];
        x[2 * i] = r * cosine[i];
        x[2 * i + 1] = r * sine[i];
    }
    size_t whole = n / LANES * LANES;
    for (size_t i = 0; i < whole; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            lanes[l] += w[i + l] * radius[i + l];
    for (size_t i = whole; i < n; i++)
        lanes[i - whole] += w[i] * radius[i];
}

/* In the columns that are their own mirror: X_b = (Y_b + conj Y_-b) / 2. */
static void make_hermitian(const fmix_sides *sides, uint32_t column, double *x) {
    uint32_t n0 = sides->n[0], n1 = sides->n[1];
    size_t row = sides->n[2] / 2 + 1;
    for (uint32_t b0 = 0; b0 <= n0 / 2; b0++) {
        for (uint32_t b1 = 0; b1 < n1; b1++) {
            uint32_t m0 = b0 ? n0 - b0 : 0, m1 = b1 ? n1 - b1 : 0;
            double *a = x + 2 * (((size_t)b0 * n1 + b1) * row + column);
            double *b = x + 2 * (((size_t)m0 * n1 + m1) * row + column);
            if (b < a)
                continue;
            double re = (a[0] + b[0]) / 2, im = (a[1] - b[1]) / 2;
            a[0] = b[0] = re;
            a[1] = im;
            b[1] = -im;
            if (a == b)
                a[1] = 0;
        }
    }
}

/* Every bin's w * radius counts twice: right for the doubled ones, too much for the few others. The
 * rounding of these sums, at most 2^21 + 8 terms a lane, is under 2^-31 of them. */
double fmix_spectrum_fill(const fmix_weights *weights, const fmix_key *key, uint64_t t, double *x) {
    uint32_t u[CHUNK], v[CHUNK];
    double radius[CHUNK], cosine[CHUNK], sine[CHUNK];
    double lanes[LANES] = {0};
    for (uint64_t j = 0; j < weights->bins; j += CHUNK) {
        size_t n = weights->bins - j < CHUNK ? (size_t)(weights->bins - j) : CHUNK;
        fmix_words_pairs(key, t, (uint32_t)(j / 2), (n + 1) / 2, u, v);
        fmix_radius(u, radius, n);
        fmix_turn(v, cosine, sine, n);
        weigh(weights->w + j, radius, cosine, sine, n, x + 2 * j, lanes);
    }
    make_hermitian(&weights->sides, 0, x);
    uint32_t last = weights->sides.n[2];
    if (last % 2 == 0)
        make_hermitian(&weights->sides, last / 2, x);
    double sum = 0;
    for (size_t l = 0; l < LANES; l++)
        sum += lanes[l];
    return 2 * sum * (1 + 0x1p-30);
}
