#include "blend.h"
#include "vector.h"

#include <math.h> /* sqrt */
#include <string.h>

/* Masks of images come in runs, so runs are copied: at delta = 3 some 75 positions at a time. */
void fmix_blend_select(const unsigned char *mask, uint64_t positions, size_t size,
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

FMIX_CLONES
void fmix_blend_f32(double m, uint64_t n, const void *a, const void *b, void *restrict out) {
    const unsigned char *from_a = a, *from_b = b;
    unsigned char *to = out;
    const uint32_t canonical_nan = UINT32_C(0x7fc00000);
    double rest = 1 - m;
    float nan;
    memcpy(&nan, &canonical_nan, sizeof nan);
    for (uint64_t i = 0; i < n; i++) {
        float x1, x2;
        memcpy(&x1, from_a + 4 * i, sizeof x1);
        memcpy(&x2, from_b + 4 * i, sizeof x2);
        float v = (float)(m * (double)x1 + rest * (double)x2);
        v = v == v ? v : nan;
        memcpy(to + 4 * i, &v, sizeof v);
    }
}

FMIX_CLONES
void fmix_blend_u8(double m, uint64_t n, const unsigned char *a, const unsigned char *b,
                   unsigned char *restrict out) {
    const double rounder = 0x1.8p52; /* its last bit is a unit: the sum is rounded half to even */
    double rest = 1 - m;
    for (uint64_t i = 0; i < n; i++) {
        double v = m * (double)a[i] + rest * (double)b[i];
        out[i] = (unsigned char)(int)((v + rounder) - rounder);
    }
}

#define LANES 8

static double load(const unsigned char *from, uint64_t i) {
    float x;
    memcpy(&x, from + 4 * i, sizeof x);
    return (double)x;
}

/* Element i goes into lane i mod 8; the lanes are added in order. */
static double add_lanes(const double lanes[LANES]) {
    double sum = lanes[0];
    for (int l = 1; l < LANES; l++)
        sum += lanes[l];
    return sum;
}

typedef struct moments {
    double mean, deviation;
} moments;

static moments moments_of(const unsigned char *from, uint64_t n) {
    double sums[LANES] = {0}, squares[LANES] = {0};
    for (uint64_t i = 0; i < n; i++)
        sums[i % LANES] += load(from, i);
    double mean = add_lanes(sums) / (double)n;
    for (uint64_t i = 0; i < n; i++) {
        double d = load(from, i) - mean;
        squares[i % LANES] += d * d;
    }
    return (moments){mean, sqrt(add_lanes(squares) / (double)n)};
}

void fmix_blend_standardised(double r, uint64_t n, const void *a, const void *b,
                             void *restrict out) {
    const uint32_t canonical_nan = UINT32_C(0x7fc00000);
    const unsigned char *from_a = a, *from_b = b;
    unsigned char *to = out;
    moments ma = moments_of(a, n), mb = moments_of(b, n);
    double part_b = mb.deviation * r, part_a = ma.deviation * (1 - r);
    double q = part_b + part_a == 0 ? 0.5 : part_b / (part_b + part_a);
    double rest = 1 - q, norm = sqrt(q * q + rest * rest);
    for (uint64_t i = 0; i < n; i++) {
        double x1 = load(from_a, i) - ma.mean, x2 = load(from_b, i) - mb.mean;
        float v = (float)((q * x1 + rest * x2) / norm);
        memcpy(to + 4 * i, v == v ? (const void *)&v : (const void *)&canonical_nan, sizeof v);
    }
}
