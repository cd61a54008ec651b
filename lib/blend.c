#include "blend.h"
#include "vector.h"

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
