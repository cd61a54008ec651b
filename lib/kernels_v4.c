/* The kernels for x86-64-v4: AVX-512 F, BW, CD, DQ and VL. */
#include "kernels.h"

#if defined(__x86_64__)

#if !defined(__AVX512F__)
#error "compile this file with -march=x86-64-v4, as the Makefile does"
#endif

#include <immintrin.h>
#include <string.h>

#define KERNELS fmix_kernels_v4
#define NAME    "x86-64-v4"
#define LANES   8
#define GROUPS  4

#define MADD(a, b, c) __builtin_fma(a, b, c)
#define WHOLE(x)      ((double)(int64_t)(x))

typedef uint64_t lanes __attribute__((vector_size(64)));
typedef __m512i vector;

static bool runs(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && fmix_kernels_v3.runs();
}

static inline lanes multiply(lanes a, lanes b) {
    return (lanes)_mm512_mul_epu32((__m512i)a, (__m512i)b);
}

#define OP(name) _mm512_##name

static inline vector negate_where_zero(vector v, vector of) {
    return _mm512_mask_sub_epi8(v, _mm512_testn_epi8_mask(of, of), _mm512_setzero_si512(), v);
}

static inline unsigned above(const double *v, double x) {
    return _mm512_cmp_pd_mask(_mm512_loadu_pd(v), _mm512_set1_pd(x), _CMP_GT_OQ);
}

static inline unsigned at_least(const double *v, double x) {
    return _mm512_cmp_pd_mask(_mm512_loadu_pd(v), _mm512_set1_pd(x), _CMP_GE_OQ);
}

static inline size_t keep(const double *v, unsigned set, double *out) {
    _mm512_storeu_pd(out, _mm512_maskz_compress_pd((__mmask8)set, _mm512_loadu_pd(v)));
    return (size_t)__builtin_popcount(set);
}

/* Eight places, clamped: the smaller size of two, with the sign of the first. */
static inline __m256i eight_places(const double *v, __m512d scale, __m512d offset) {
    __m512d at = _mm512_fmadd_pd(_mm512_loadu_pd(v), scale, offset);
    return _mm512_cvtpd_epi32(_mm512_range_pd(at, _mm512_set1_pd(127), 2));
}

static inline __m512i sixteen_places(const double *v, __m512d scale, __m512d offset) {
    return _mm512_inserti64x4(_mm512_castsi256_si512(eight_places(v, scale, offset)),
                              eight_places(v + 8, scale, offset), 1);
}

/* Packing takes four integers of each in turn. */
static inline void places(const double *v, double scale, double offset, signed char *out) {
    const __m512d s = _mm512_set1_pd(scale), o = _mm512_set1_pd(offset);
    const __m512i order = _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
    __m512i a = _mm512_packs_epi32(sixteen_places(v, s, o), sixteen_places(v + 16, s, o));
    __m512i b = _mm512_packs_epi32(sixteen_places(v + 32, s, o), sixteen_places(v + 48, s, o));
    _mm512_storeu_si512(out, _mm512_permutexvar_epi32(order, _mm512_packs_epi16(a, b)));
}

static inline uint64_t over(const signed char *q, signed char x) {
    return _mm512_cmpgt_epi8_mask(_mm512_loadu_si512(q), _mm512_set1_epi8(x));
}

#define INTEGERS 16
typedef int32_t integers __attribute__((vector_size(4 * INTEGERS)));

static inline integers to_integers(const unsigned char *from) {
    return (integers)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)from));
}

static inline void to_bytes(integers v, unsigned char *to) {
    __m512i whole = _mm512_max_epi32((__m512i)(v >> FMIX_TAPS_BITS), _mm512_setzero_si512());
    _mm_storeu_si128((__m128i *)(void *)to, _mm512_cvtusepi32_epi8(whole));
}

#define RUNS runs
#include "kernels_template.h"

#endif
