#include "blend.h"
#include "binary64.h"
#include "convert.h"
#include "vector.h"

#include <math.h> /* sqrt */
#include <string.h>

/* Masks of images have runs of equal elements: some 75 positions each at delta = 3. */
static void select_runs(const unsigned char *mask, uint64_t positions, size_t size,
                        const unsigned char *a, const unsigned char *b, unsigned char *out) {
    uint64_t start = 0;
    while (start < positions) {
        const unsigned char *change =
            memchr(mask + start, 1 - mask[start], (size_t)(positions - start));
        uint64_t end = change ? (uint64_t)(change - mask) : positions;
        const unsigned char *from = mask[start] ? a : b;
        memcpy(out + start * size, from + start * size, (size_t)(end - start) * size);
        start = end;
    }
}

/* How many elements come before the next cache line of `out`. Stores that straddle two lines are
 * slow. */
static uint64_t before_line(const void *out, size_t size, uint64_t n) {
    uint64_t head = (uint64_t)(-(uintptr_t)out % 64) / size;
    return head < n ? head : n;
}

/* For small elements, reading both samples and choosing is faster than searching for runs. */
void fmix_blend_select(const fmix_kernels *kernels, const unsigned char *mask, uint64_t positions,
                       size_t size, const unsigned char *a, const unsigned char *b,
                       unsigned char *out) {
    if (size != 1 && size != 2 && size != 4) {
        select_runs(mask, positions, size, a, b, out);
        return;
    }
    size_t head = (size_t)before_line(out, size, positions), bytes = head * size;
    kernels->choose(mask, head, size, a, b, out);
    kernels->choose(mask + head, (size_t)positions - head, size, a + bytes, b + bytes, out + bytes);
}

FMIX_CLONES
static void blend_f32(double m, uint64_t n, const unsigned char *from_a,
                      const unsigned char *from_b, unsigned char *restrict to) {
    const float nan = canonical_nan32();
    double rest = 1 - m;
    for (uint64_t i = 0; i < n; i++) {
        float x1, x2;
        memcpy(&x1, from_a + 4 * i, sizeof x1);
        memcpy(&x2, from_b + 4 * i, sizeof x2);
        float v = (float)(m * (double)x1 + rest * (double)x2);
        v = v == v ? v : nan;
        memcpy(to + 4 * i, &v, sizeof v);
    }
}

void fmix_blend_f32(double m, uint64_t n, const void *a, const void *b, void *out) {
    uint64_t count = before_line(out, 4, n);
    const unsigned char *from_a = a, *from_b = b;
    unsigned char *to = out;
    for (uint64_t i = 0; i < n; i += count, count = FMIX_FETCH_PIECE / 4) {
        count = n - i < count ? n - i : count;
        fmix_fetch(from_a + 4 * i, from_b + 4 * i);
        blend_f32(m, count, from_a + 4 * i, from_b + 4 * i, to + 4 * i);
    }
}

FMIX_CLONES
static void blend_u8(double m, uint64_t n, const unsigned char *a, const unsigned char *b,
                     unsigned char *restrict out) {
    double rest = 1 - m;
    for (uint64_t i = 0; i < n; i++) {
        double v = m * (double)a[i] + rest * (double)b[i];
        out[i] = (unsigned char)(int)nearest_integer(v);
    }
}

/* The kernel needs products L d that are never half way, for d below 2^8. They are half way only
 * where L = m 2^32 is a multiple of 2^24. */
void fmix_blend_u8(const fmix_kernels *kernels, double m, uint64_t n, const unsigned char *a,
                   const unsigned char *b, unsigned char *out) {
    uint64_t weight = (uint64_t)(m * 0x1p32);
    if ((double)weight != m * 0x1p32 || weight % (1u << 24) == 0) {
        blend_u8(m, n, a, b, out);
        return;
    }
    size_t head = (size_t)before_line(out, 1, n);
    kernels->blend_u8((uint32_t)weight, head, a, b, out);
    kernels->blend_u8((uint32_t)weight, (size_t)n - head, a + head, b + head, out + head);
}

#define CHUNK 512 /* elements converted at a time; a multiple of the lanes */
#define LANES 8

static void interpolate(double m, size_t n, double *restrict a, const double *restrict b) {
    double rest = 1 - m;
    for (size_t i = 0; i < n; i++)
        a[i] = m * a[i] + rest * b[i];
}

static size_t chunk_of(uint64_t n, uint64_t from) {
    return n - from < CHUNK ? (size_t)(n - from) : CHUNK;
}

static void halve(double m, size_t n, double *restrict a, const double *restrict b) {
    (void)m;
    for (size_t i = 0; i < n; i++)
        a[i] = (a[i] + b[i]) / 2;
}

/* An operation on two chunks in float64: the result replaces the first chunk. */
typedef void combine(double m, size_t n, double *restrict a, const double *restrict b);

static void blend(combine *how, double m, uint64_t n, fmix_dtype type, const unsigned char *a,
                  const unsigned char *b, fmix_dtype out_type, unsigned char *out) {
    uint64_t size = fmix_dtype_bytes(type), out_size = fmix_dtype_bytes(out_type);
    for (uint64_t i = 0; i < n; i += CHUNK) {
        double x1[CHUNK], x2[CHUNK];
        size_t count = chunk_of(n, i);
        fmix_load_for(type, out_type, a + i * size, count, x1);
        fmix_load_for(type, out_type, b + i * size, count, x2);
        how(m, count, x1, x2);
        fmix_store(out_type, x1, count, out + i * out_size);
    }
}

void fmix_blend_any(double m, uint64_t n, fmix_dtype type, const void *a, const void *b,
                    fmix_dtype out_type, void *out) {
    blend(interpolate, m, n, type, a, b, out_type, out);
}

void fmix_blend_average(uint64_t n, fmix_dtype type, const void *a, const void *b,
                        fmix_dtype out_type, void *out) {
    blend(halve, 0.5, n, type, a, b, out_type, out);
}

/* The lanes are added in order: STREAM §8. */
static double add_lanes(const double lanes[LANES]) {
    double sum = lanes[0];
    for (int l = 1; l < LANES; l++)
        sum += lanes[l];
    return sum;
}

typedef struct moments {
    double mean, deviation;
} moments;

/* STREAM §8: element i goes into lane i mod 8. */
static moments moments_of(fmix_dtype type, fmix_dtype out_type, const unsigned char *from,
                          uint64_t n) {
    double sums[LANES] = {0}, squares[LANES] = {0}, x[CHUNK];
    uint64_t size = fmix_dtype_bytes(type);
    for (uint64_t i = 0; i < n; i += CHUNK) {
        size_t count = chunk_of(n, i);
        fmix_load_for(type, out_type, from + i * size, count, x);
        for (size_t e = 0; e < count; e++)
            sums[e % LANES] += x[e];
    }
    double mean = add_lanes(sums) / (double)n;
    for (uint64_t i = 0; i < n; i += CHUNK) {
        size_t count = chunk_of(n, i);
        fmix_load_for(type, out_type, from + i * size, count, x);
        for (size_t e = 0; e < count; e++) {
            double d = x[e] - mean;
            squares[e % LANES] += d * d;
        }
    }
    return (moments){mean, sqrt(add_lanes(squares) / (double)n)};
}

void fmix_blend_standardised(double r, uint64_t n, fmix_dtype type, const void *a, const void *b,
                             fmix_dtype out_type, void *out) {
    const unsigned char *from_a = a, *from_b = b;
    unsigned char *to = out;
    uint64_t size = fmix_dtype_bytes(type), out_size = fmix_dtype_bytes(out_type);
    moments ma = moments_of(type, out_type, a, n), mb = moments_of(type, out_type, b, n);
    double part_b = mb.deviation * r, part_a = ma.deviation * (1 - r);
    double q = part_b + part_a == 0 ? 0.5 : part_b / (part_b + part_a);
    double rest = 1 - q, norm = sqrt(q * q + rest * rest);
    for (uint64_t i = 0; i < n; i += CHUNK) {
        double x1[CHUNK], x2[CHUNK];
        size_t count = chunk_of(n, i);
        fmix_load_for(type, out_type, from_a + i * size, count, x1);
        fmix_load_for(type, out_type, from_b + i * size, count, x2);
        for (size_t e = 0; e < count; e++)
            x1[e] = (q * (x1[e] - ma.mean) + rest * (x2[e] - mb.mean)) / norm;
        fmix_store(out_type, x1, count, to + i * out_size);
    }
}

/* Writes the weights of elements i … i+n-1 of a sample. */
static void spread_weights(const double *weights, uint64_t positions, const fmix_batch *batch,
                           uint64_t i, size_t n, double *m) {
    uint64_t repeat = batch->layout == FMIX_CHANNELS_LAST ? batch->channels : 1;
    uint64_t at = i / repeat % positions, used = i % repeat;
    for (size_t e = 0; e < n; e++) {
        m[e] = weights[at];
        if (++used == repeat) {
            used = 0;
            at = at + 1 == positions ? 0 : at + 1;
        }
    }
}

static void soften(const double *m, size_t n, double *restrict a, const double *restrict b) {
    for (size_t e = 0; e < n; e++) {
        double v = m[e] * a[e] + (1 - m[e]) * b[e];
        a[e] = m[e] == 1 ? a[e] : m[e] == 0 ? b[e] : v;
    }
}

void fmix_blend_soft(const double *weights, uint64_t positions, const fmix_batch *batch,
                     const void *a, const void *b, void *out) {
    const unsigned char *from_a = a, *from_b = b;
    unsigned char *to = out;
    fmix_dtype type = batch->dtype, out_type = batch->out_dtype;
    uint64_t n = positions * batch->channels;
    size_t size = (size_t)fmix_dtype_bytes(type), out_size = (size_t)fmix_dtype_bytes(out_type);
    for (uint64_t i = 0; i < n; i += CHUNK) {
        double m[CHUNK], x1[CHUNK], x2[CHUNK];
        size_t count = chunk_of(n, i);
        spread_weights(weights, positions, batch, i, count, m);
        fmix_load_for(type, out_type, from_a + i * size, count, x1);
        fmix_load_for(type, out_type, from_b + i * size, count, x2);
        soften(m, count, x1, x2);
        fmix_store(out_type, x1, count, to + i * out_size);
        for (size_t e = 0; e < count && type == out_type; e++) /* NaN keeps its bits */
            if (m[e] == 0 || m[e] == 1)
                memcpy(to + (i + e) * size, (m[e] == 1 ? from_a : from_b) + (i + e) * size, size);
    }
}
