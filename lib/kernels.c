#include "kernels.h"

#include <string.h>

/* The kernels in plain C, for any machine. */
#define KERNELS fmix_kernels_plain
#define NAME    "plain"
#define LANES   2
#define GROUPS  2

#define MADD(a, b, c) ((a) * (b) + (c))

typedef uint64_t lanes __attribute__((vector_size(16)));

static bool runs(void) {
    return true;
}

#if defined(__SSE2__)
#include <emmintrin.h>
static inline lanes multiply(lanes a, lanes b) {
    return (lanes)_mm_mul_epu32((__m128i)a, (__m128i)b);
}

typedef __m128i vector;
#define OP(name) _mm_##name

static inline vector negate_where_zero(vector v, vector of) {
    __m128i zero = _mm_cmpeq_epi8(of, _mm_setzero_si128());
    return _mm_sub_epi8(v ^ zero, zero);
}
#else
static inline lanes multiply(lanes a, lanes b) {
    return (a & UINT32_MAX) * (b & UINT32_MAX);
}
#endif

static inline unsigned above(const double *v, double x) {
    return (unsigned)(v[0] > x) | (unsigned)(v[1] > x) << 1;
}

static inline unsigned at_least(const double *v, double x) {
    return (unsigned)(v[0] >= x) | (unsigned)(v[1] >= x) << 1;
}

static inline size_t keep(const double *v, unsigned set, double *out) {
    size_t first = set & 1;
    out[0] = v[0];
    out[first] = v[1];
    return first + (set >> 1);
}

/* Truncates a positive number: monotone. */
static inline void places(const double *v, double scale, double offset, signed char *out) {
    for (int i = 0; i < 64; i++) {
        double at = v[i] * scale + offset;
        at = at > 127 ? 127 : at < -127 ? -127 : at;
        out[i] = (signed char)((int)(at + 128.5) - 128);
    }
}

static inline uint64_t over(const signed char *q, signed char x) {
    uint64_t set = 0;
    for (int i = 0; i < 64; i++)
        set |= (uint64_t)(q[i] > x) << i;
    return set;
}

#define RUNS runs
#include "kernels_template.h"

#if defined(__x86_64__)
static const fmix_kernels *const all[] = {&fmix_kernels_v4, &fmix_kernels_v3, &fmix_kernels_plain};
#else
static const fmix_kernels *const all[] = {&fmix_kernels_plain};
#endif

const fmix_kernels *fmix_kernels_nth(size_t n) {
    return n < sizeof all / sizeof *all ? all[n] : NULL;
}

const fmix_kernels *fmix_kernels_best(void) {
    size_t n = 0;
    while (!all[n]->runs())
        n++;
    return all[n];
}
