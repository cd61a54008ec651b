/* The kernels for x86-64-v3: AVX2 and FMA. */
#include "kernels.h"

#if defined(__x86_64__)

#if !defined(__AVX2__)
#error "compile this file with -march=x86-64-v3, as the Makefile does"
#endif

#include <immintrin.h>
#include <string.h>

#define KERNELS fmix_kernels_v3
#define NAME    "x86-64-v3"
#define LANES   4
#define GROUPS  2

#define MADD(a, b, c) __builtin_fma(a, b, c)

typedef uint64_t lanes __attribute__((vector_size(32)));
typedef __m256i vector;

static bool runs(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma");
}

static inline lanes multiply(lanes a, lanes b) {
    return (lanes)_mm256_mul_epu32((__m256i)a, (__m256i)b);
}

#define OP(name) _mm256_##name

static inline vector negate_where_zero(vector v, vector of) {
    __m256i zero = _mm256_cmpeq_epi8(of, _mm256_setzero_si256());
    return _mm256_sub_epi8(v ^ zero, zero);
}

static inline unsigned above(const double *v, double x) {
    __m256d is = _mm256_cmp_pd(_mm256_loadu_pd(v), _mm256_set1_pd(x), _CMP_GT_OQ);
    return (unsigned)_mm256_movemask_pd(is);
}

static inline unsigned at_least(const double *v, double x) {
    __m256d is = _mm256_cmp_pd(_mm256_loadu_pd(v), _mm256_set1_pd(x), _CMP_GE_OQ);
    return (unsigned)_mm256_movemask_pd(is);
}

/* The source of each half of each double that is kept. */
#define FROM(a, b, c, d)                                                                           \
    { 2 * (a), 2 * (a) + 1, 2 * (b), 2 * (b) + 1, 2 * (c), 2 * (c) + 1, 2 * (d), 2 * (d) + 1 }
static const int32_t order_of[16][8] = {
    FROM(0, 0, 0, 0), FROM(0, 0, 0, 0), FROM(1, 0, 0, 0), FROM(0, 1, 0, 0),
    FROM(2, 0, 0, 0), FROM(0, 2, 0, 0), FROM(1, 2, 0, 0), FROM(0, 1, 2, 0),
    FROM(3, 0, 0, 0), FROM(0, 3, 0, 0), FROM(1, 3, 0, 0), FROM(0, 1, 3, 0),
    FROM(2, 3, 0, 0), FROM(0, 2, 3, 0), FROM(1, 2, 3, 0), FROM(0, 1, 2, 3),
};

static inline size_t keep(const double *v, unsigned set, double *out) {
    __m256i order = _mm256_loadu_si256((const __m256i *)order_of[set]);
    __m256i kept = _mm256_permutevar8x32_epi32(_mm256_castpd_si256(_mm256_loadu_pd(v)), order);
    _mm256_storeu_pd(out, _mm256_castsi256_pd(kept));
    return (size_t)__builtin_popcount(set);
}

static inline __m256i eight_places(const double *v, __m256d scale, __m256d offset) {
    const __m256d most = _mm256_set1_pd(127), least = _mm256_set1_pd(-127);
    __m256d a = _mm256_fmadd_pd(_mm256_loadu_pd(v), scale, offset);
    __m256d b = _mm256_fmadd_pd(_mm256_loadu_pd(v + 4), scale, offset);
    __m128i low = _mm256_cvtpd_epi32(_mm256_max_pd(_mm256_min_pd(a, most), least));
    __m128i high = _mm256_cvtpd_epi32(_mm256_max_pd(_mm256_min_pd(b, most), least));
    return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}

/* Packing takes four integers of each in turn. */
static inline void places(const double *v, double scale, double offset, signed char *out) {
    const __m256d s = _mm256_set1_pd(scale), o = _mm256_set1_pd(offset);
    const __m256i order = _mm256_set_epi32(7, 3, 6, 2, 5, 1, 4, 0);
    for (int i = 0; i < 64; i += 32) {
        __m256i a = _mm256_packs_epi32(eight_places(v + i, s, o), eight_places(v + i + 8, s, o));
        __m256i b =
            _mm256_packs_epi32(eight_places(v + i + 16, s, o), eight_places(v + i + 24, s, o));
        _mm256_storeu_si256((__m256i *)(void *)(out + i),
                            _mm256_permutevar8x32_epi32(_mm256_packs_epi16(a, b), order));
    }
}

static inline uint32_t half_over(const signed char *q, __m256i x) {
    __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)q);
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpgt_epi8(v, x));
}

static inline uint64_t over(const signed char *q, signed char x) {
    __m256i limit = _mm256_set1_epi8(x);
    return half_over(q, limit) | (uint64_t)half_over(q + 32, limit) << 32;
}

#define INTEGERS 8
typedef int32_t integers __attribute__((vector_size(4 * INTEGERS)));

static inline integers to_integers(const unsigned char *from) {
    return (integers)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)from));
}

static inline void to_bytes(integers v, unsigned char *to) {
    __m256i whole = (__m256i)(v >> FMIX_TAPS_BITS);
    __m128i halves =
        _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
    _mm_storel_epi64((__m128i *)(void *)to, _mm_packus_epi16(halves, halves));
}

#define RUNS runs
#include "kernels_template.h"

#endif
