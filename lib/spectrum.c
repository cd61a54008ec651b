#include "spectrum.h"
#include "elementary.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK     512 /* bins at a time, so that a chunk stays in the first cache */
#define ROOT_HALF 0x1.6a09e667f3bcdp-1

/* Fills one row of bins along the last side. fmix_power has an error of 24u, its argument 5u * 5,
 * the factor and the product 2u: 51u. */
static void fill_row(const fmix_spectrum_params *params, uint64_t first, uint32_t row, double *w) {
    for (uint32_t b2 = 0; b2 < row; b2++) {
        fmix_bin bin;
        bool adds = fmix_bin_of_normal(params, first + b2, &bin);
        double power = adds ? fmix_power(fmix_square_value(&bin.square), params->delta / 2) : 0;
        w[b2] = bin.gain == 1 ? power : ROOT_HALF * power;
    }
}

/* Rows b and -b along either leading side are equal, so the function computes those of ⌊n/2⌋+1
 * places along each. */
static void weigh_paper(fmix_weights *weights) {
    const fmix_sides *sides = &weights->sides;
    uint32_t n0 = sides->n[0], n1 = sides->n[1], row = sides->n[2] / 2 + 1;
    for (uint32_t b0 = 0; b0 < n0; b0++) {
        for (uint32_t b1 = 0; b1 < n1; b1++) {
            uint32_t m0 = b0 <= n0 / 2 ? b0 : n0 - b0;
            uint32_t m1 = b1 <= n1 / 2 ? b1 : n1 - b1;
            size_t first = ((size_t)b0 * n1 + b1) * row;
            double *w = weights->w + first;
            if (m0 != b0 || m1 != b1)
                memcpy(w, weights->w + ((size_t)m0 * n1 + m1) * row, row * sizeof *w);
            else
                fill_row(&weights->params, first, row, w);
            for (uint32_t b2 = 0; b2 < row; b2++) /* twice sqrt(1/2) is c = sqrt 2 */
                weights->total += (fmix_self_mirrored(b2, sides->n[2]) ? 1 : 2) * w[b2];
        }
    }
}

static void weigh_official(fmix_weights *weights) {
    uint64_t normals = fmix_normals_count(&weights->params);
    for (uint64_t j = 0; j < normals; j++) {
        double *w = weights->w + 2 * j, h = weights->params.delta / 2;
        fmix_bin bin;
        w[0] = w[1] = 0;
        if (!fmix_bin_of_normal(&weights->params, j, &bin))
            continue;
        w[0] = fmix_power(fmix_square_value(&bin.square), h);
        w[1] = fmix_power(fmix_square_value(&bin.imaginary), h);
        weights->total += (bin.gain == 4 ? 2 : 1) * (w[0] > w[1] ? w[0] : w[1]);
    }
}

static fmix_status make(const void *raw, void **object, size_t *bytes) {
    fmix_spectrum_params params;
    memcpy(&params, raw, sizeof params);
    bool paper = params.spectrum == FMIX_SPECTRUM_PAPER;
    uint64_t count = (paper ? 1 : 2) * fmix_normals_count(&params); /* at most 2^26 */
    size_t room = (size_t)count + FMIX_KERNELS_PAD;
    size_t size = sizeof(fmix_weights) + room * sizeof(double);
    fmix_weights *weights = malloc(size);
    if (!weights)
        return FMIX_ERROR_MEMORY;
    weights->params = params;
    weights->sides = fmix_shape_sides(&params.shape);
    weights->bins = fmix_shape_bins(&params.shape);
    weights->total = 0;
    memset(weights->w + count, 0, FMIX_KERNELS_PAD * sizeof(double));
    if (paper)
        weigh_paper(weights);
    else
        weigh_official(weights);
    *object = weights;
    *bytes = size;
    return FMIX_OK;
}

static const fmix_cache_kind all_weights = {make, free};
_Static_assert(sizeof(fmix_spectrum_params) == FMIX_CACHE_KEY_BYTES, "the parameters are a key");

fmix_status fmix_weights_get(fmix_cache *cache, const fmix_spectrum_params *params,
                             const fmix_weights **out, void **entry) {
    void *object = NULL;
    fmix_status status = fmix_cache_get(cache, &all_weights, params, &object, entry);
    *out = object;
    return status;
}

bool fmix_weights_cached(fmix_cache *cache, const fmix_spectrum_params *params) {
    return fmix_cache_has(cache, &all_weights, params);
}

/* Makes a column that is its own mirror Hermitian: X_b = (Y_b + conj Y_-b) / 2. */
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

/* The words of one chunk. */
typedef struct chunk {
    uint32_t u[CHUNK], v[CHUNK];
    size_t n;
} chunk;

/* The words of normals j … of `all`; j is even. */
static void draw(const fmix_kernels *kernels, const fmix_key *key, uint64_t t, uint64_t j,
                 uint64_t all, chunk *out) {
    out->n = all - j < CHUNK ? (size_t)(all - j) : CHUNK;
    kernels->words(key, t, (uint32_t)(j / 2), (out->n + 1) / 2, out->u, out->v);
}

static double fill_paper(const fmix_weights *weights, const fmix_kernels *kernels,
                         const fmix_key *key, uint64_t t, double *x) {
    chunk c;
    double sum = 0;
    for (uint64_t j = 0; j < weights->bins; j += CHUNK) {
        draw(kernels, key, t, j, weights->bins, &c);
        sum += kernels->normals(weights->w + j, c.u, c.v, c.n, x + 2 * j);
    }
    return sum;
}

static double size_of(double x) {
    return x < 0 ? -x : x;
}

/* A radius is at most the sum of its two components' sizes. */
static double fill_official(const fmix_weights *weights, const fmix_kernels *kernels,
                            const fmix_key *key, uint64_t t, double *x) {
    const fmix_sides *sides = &weights->sides;
    size_t row = sides->n[2] / 2 + 1;
    uint64_t all = fmix_normals_count(&weights->params);
    double ones[CHUNK], z[2 * CHUNK], sum = 0;
    chunk c;
    for (size_t i = 0; i < CHUNK; i++)
        ones[i] = 1;
    memset(x, 0, 2 * (size_t)weights->bins * sizeof *x);
    for (uint64_t j = 0; j < all; j += CHUNK) {
        draw(kernels, key, t, j, all, &c);
        kernels->normals(ones, c.u, c.v, c.n, z);
        for (size_t i = 0; i < c.n; i++) {
            const double *w = weights->w + 2 * (j + i);
            fmix_bin bin;
            if (!fmix_bin_of_normal(&weights->params, j + i, &bin))
                continue;
            double *at = x + 2 * (((size_t)bin.at[0] * sides->n[1] + bin.at[1]) * row + bin.at[2]);
            at[0] = w[0] * z[2 * i];
            at[1] = w[1] * z[2 * i + 1];
            sum += (w[0] > w[1] ? w[0] : w[1]) * (size_of(z[2 * i]) + size_of(z[2 * i + 1]));
        }
    }
    return sum;
}

/* Every w * radius counts twice, which is right for doubled bins and too much for the few others.
 * The rounding of these sums, at most 2^21 + 8 terms a lane or 2^24 in all, is under 2^-28 of the
 * sums. */
double fmix_spectrum_fill(const fmix_weights *weights, const fmix_kernels *kernels,
                          const fmix_key *key, uint64_t t, double *x) {
    bool paper = weights->params.spectrum == FMIX_SPECTRUM_PAPER;
    double sum = (paper ? fill_paper : fill_official)(weights, kernels, key, t, x);
    make_hermitian(&weights->sides, 0, x);
    uint32_t last = weights->sides.n[2];
    if (last % 2 == 0)
        make_hermitian(&weights->sides, last / 2, x);
    return 2 * sum * (1 + 0x1p-27);
}
