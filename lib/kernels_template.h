/*
 * kernels_template.h - included once by each build, after kernels.h, its LANES and
 *
 *   KERNELS, NAME, RUNS        the table, and two of its fields
 *   MADD(a, b, c)              a*b + c, fused if that is one instruction
 *   lanes multiply(a, b)       the products of the lower halves of a's and b's lanes
 *   unsigned above(v, x)       bit i: whether v[i] > x, of LANES doubles
 *   unsigned at_least(v, x)    bit i: whether v[i] >= x
 *   size_t keep(v, set, out)   writes those of LANES doubles whose bit is set, in order, and
 * returns how many; may write LANES
 */
#include "binary64.h"
#include "vector.h"

#include <math.h> /* sqrt: one IEEE 754 operation, correctly rounded; HUGE_VAL */

typedef double doubles __attribute__((vector_size(8 * LANES)));

#define ROUNDS       10
#define MULTIPLIER_0 UINT64_C(0xD2511F53)
#define MULTIPLIER_1 UINT64_C(0xCD9E8D57)
#define WEYL_0       UINT32_C(0x9E3779B9)
#define WEYL_1       UINT32_C(0xBB67AE85)

static inline lanes spread(uint64_t x) {
    return (lanes){0} + x;
}

/* Puts two words next to each other in memory. */
static inline lanes join(lanes first, lanes second) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return first << 32 | (second & UINT32_MAX);
#else
    return (first & UINT32_MAX) | second << 32;
#endif
}

/* Philox4x32-10 of LANES blocks at once. A word of the counter is the lower half of a lane. Nothing
 * reads the upper half, and no round clears it. */
static void words(const fmix_key *key, uint64_t index, uint32_t first, size_t n, uint32_t *u,
                  uint32_t *v) {
    lanes numbers = {0};
    for (unsigned l = 0; l < LANES; l++)
        numbers[l] = l;
    n = (n + FMIX_KERNELS_PAD / 2 - 1) / (FMIX_KERNELS_PAD / 2) * (FMIX_KERNELS_PAD / 2);
    for (size_t i = 0; i < n; i += LANES) {
        lanes c0 = numbers + (first + i), c1 = spread(0);
        lanes c2 = spread(index), c3 = spread(index >> 32);
        uint32_t k0 = key->k[0], k1 = key->k[1];
        for (int round = 0; round < ROUNDS; round++) {
            lanes p0 = multiply(c0, spread(MULTIPLIER_0)), p1 = multiply(c2, spread(MULTIPLIER_1));
            c0 = p1 >> 32 ^ c1 ^ k0;
            c2 = p0 >> 32 ^ c3 ^ k1;
            c1 = p1;
            c3 = p0;
            k0 += WEYL_0;
            k1 += WEYL_1;
        }
        lanes even = join(c0, c2), odd = join(c1, c3);
        memcpy(u + 2 * i, &even, sizeof even);
        memcpy(v + 2 * i, &odd, sizeof odd);
    }
}

#define TWO_52      0x1p52
#define TWO_52_BITS UINT64_C(0x4330000000000000)
#define ROOT_HALF   UINT64_C(0x3fe6a09e667f3bcd) /* the bits of sqrt(1/2) */

/*
 * sqrt(-2 ln((w+1)/2^32)). w+1 = 2^(e+32) m with m in [sqrt(1/2), sqrt 2), and ln m = 2 atanh s,
 * s = (m-1)/(m+1), by a polynomial in s^2 <= 0.02944 that interpolates at Chebyshev's points,
 * within 2^-43.0. Where e is not 0 the sum is larger than ln m, and the root halves the relative
 * error.
 */
static inline double radius_of(uint32_t w) {
    double x = (from_bits(TWO_52_BITS | w) - TWO_52) + 1.0;
    uint64_t e = (bits_of(x) - ROOT_HALF) >> 52; /* x >= 1, so this is not negative */
    double m = from_bits(bits_of(x) - (e << 52));
    double exponent = from_bits(TWO_52_BITS | e) - (TWO_52 + 32);
    double s = (m - 1.0) / (m + 1.0), z = s * s;
    double p = 0x1.8c8c11e550da4p-4;
    p = MADD(p, z, 0x1.c67ada017cbbfp-4);
    p = MADD(p, z, 0x1.249323e4d7fd2p-3);
    p = MADD(p, z, 0x1.999998cafbf29p-3);
    p = MADD(p, z, 0x1.5555555564e96p-2);
    double near = MADD(2.0 * s, z * p, 2.0 * s);
    return sqrt(-2.0 * MADD(exponent, 0x1.62e42fefa39efp-1, near));
}

typedef struct turn {
    double cosine, sine;
} turn;

/*
 * Quarter q and remainder in integers, so |t| <= pi/4. Polynomials in t^2 <= 0.6169, interpolating
 * at Chebyshev's points: the sine's within 2^-45.7, the cosine's within 2^-41.5 (relative).
 */
static inline turn turn_of(uint32_t w) {
    uint32_t q = (w + (UINT32_C(1) << 29)) >> 30, r = w - (q << 30) + (UINT32_C(1) << 29);
    double t = (from_bits(TWO_52_BITS | r) - (TWO_52 + 0x1p29)) * 0x1.921fb54442d18p-30;
    double z = t * t;
    double p = -0x1.aa28578198a33p-26;
    p = MADD(p, z, 0x1.71d9a9f40d166p-19);
    p = MADD(p, z, -0x1.a019fd9b35da2p-13);
    p = MADD(p, z, 0x1.1111110fd3d42p-7);
    p = MADD(p, z, -0x1.555555555516bp-3);
    double sine = MADD(t * z, p, t);
    p = -0x1.2474e1a3c09cap-22;
    p = MADD(p, z, 0x1.a01298d84d7ffp-16);
    p = MADD(p, z, -0x1.6c16bae5ef4c8p-10);
    p = MADD(p, z, 0x1.555555514f772p-5);
    p = MADD(p, z, -0x1.fffffffffe697p-2);
    double cosine = MADD(z, p, 1.0);
    /* Quarters 1 and 3 swap; 1 and 2 negate the cosine, 2 and 3 the sine. */
    uint64_t sb = bits_of(sine), cb = bits_of(cosine);
    uint64_t exchange = (sb ^ cb) & -(uint64_t)(q & 1);
    uint64_t negate_cosine = (uint64_t)((q + 1) & 2) << 62, negate_sine = (uint64_t)(q & 2) << 62;
    return (turn){from_bits(cb ^ exchange ^ negate_cosine), from_bits(sb ^ exchange ^ negate_sine)};
}

#define CHUNK 256
_Static_assert(CHUNK % FMIX_KERNELS_PAD == 0 && FMIX_KERNELS_PAD % LANES == 0, "chunks are whole");

static inline doubles load(const double *from) {
    doubles v;
    memcpy(&v, from, sizeof v);
    return v;
}

/* n is a multiple of FMIX_KERNELS_PAD. */
static double sum_of(const double *v, size_t n) {
    doubles sums = {0};
    double sum = 0;
    for (size_t i = 0; i < n; i += LANES)
        sums += load(v + i);
    for (size_t l = 0; l < LANES; l++)
        sum += sums[l];
    return sum;
}

static double normals(const double *restrict w, const uint32_t *restrict u,
                      const uint32_t *restrict v, size_t n, double *restrict x) {
    double size[CHUNK], sum = 0;
    n = (n + FMIX_KERNELS_PAD - 1) / FMIX_KERNELS_PAD * FMIX_KERNELS_PAD;
    for (size_t from = 0; from < n; from += CHUNK) {
        size_t count = n - from < CHUNK ? n - from : CHUNK;
        for (size_t i = 0; i < count; i++) {
            turn z = turn_of(v[from + i]);
            size[i] = w[from + i] * radius_of(u[from + i]);
            x[2 * (from + i)] = size[i] * z.cosine;
            x[2 * (from + i) + 1] = size[i] * z.sine;
        }
        sum += sum_of(size, count);
    }
    return sum;
}

#include "kernels_rank_template.h"

static void bytes(const double *restrict g, size_t n, double low, unsigned char *restrict out) {
    for (size_t i = 0; i < n; i++)
        out[i] = g[i] >= low;
}

/* Bit i to bit 7 - i of each byte. */
static inline uint64_t mirror(uint64_t x) {
    const uint64_t one = UINT64_C(0x5555555555555555), two = UINT64_C(0x3333333333333333);
    const uint64_t four = UINT64_C(0x0f0f0f0f0f0f0f0f);
    x = (x >> 1 & one) | (x & one) << 1;
    x = (x >> 2 & two) | (x & two) << 2;
    return (x >> 4 & four) | (x & four) << 4;
}

static void bits(const double *g, size_t n, double low, unsigned char *out) {
    size_t i = 0;
    for (; i + 64 <= n; i += 64) {
        uint64_t set = 0;
        for (size_t l = 0; l < 64; l += LANES)
            set |= (uint64_t)at_least(g + i + l, low) << l;
        set = mirror(set);
        for (size_t b = 0; b < 8; b++)
            out[i / 8 + b] = (unsigned char)(set >> 8 * b);
    }
    for (; i < n; i++) {
        unsigned bit = (unsigned)(g[i] >= low) << (7 - i % 8);
        out[i / 8] = (unsigned char)(i % 8 ? out[i / 8] | bit : bit);
    }
}

/* Chooses elements of this type, from … to-1. */
#define CHOOSE(type)                                                                               \
    for (size_t i = from; i < to; i++) {                                                           \
        type x1, x2;                                                                               \
        memcpy(&x1, a + i * sizeof x1, sizeof x1);                                                 \
        memcpy(&x2, b + i * sizeof x2, sizeof x2);                                                 \
        x1 = mask[i] ? x1 : x2;                                                                    \
        memcpy(out + i * sizeof x1, &x1, sizeof x1);                                               \
    }

static void choose(const unsigned char *restrict mask, size_t n, size_t size,
                   const unsigned char *a, const unsigned char *b, unsigned char *restrict out) {
    const size_t piece = FMIX_FETCH_PIECE / size;
    for (size_t from = 0, to; from < n; from = to) {
        to = n - from < piece ? n : from + piece;
        fmix_fetch(a + from * size, b + from * size);
        if (size == 1)
            CHOOSE(uint8_t)
        else if (size == 2)
            CHOOSE(uint16_t)
        else
            CHOOSE(uint32_t)
    }
}

/*
 * With m = L 2^-32 doubles would be exact, so the result is b + (L (a - b) 2^-32 to the nearest). L
 * (a - b) is never half way, so the rounding is the same for both signs. Let d = |a - b| and L =
 * 2^16 high + low. The result needs the upper half of L d + 2^31. low d adds its own upper half to
 * it, and a carry where the rest reaches 2^15.
 */
#ifdef OP
static inline vector moved_by(vector d, vector high, vector low) {
    vector rest = OP(adds_epu16)(OP(mullo_epi16)(d, high), OP(mulhi_epu16)(d, low));
    return OP(add_epi16)(OP(mulhi_epu16)(d, high), OP(srli_epi16)(rest, 15));
}

static inline void blend_vector(vector high, vector low, const unsigned char *a,
                                const unsigned char *b, unsigned char *out) {
    const vector zero = {0};
    vector x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    vector more = OP(subs_epu8)(x, y), d = more | OP(subs_epu8)(y, x);
    vector moved = OP(packus_epi16)(moved_by(OP(unpacklo_epi8)(d, zero), high, low),
                                    moved_by(OP(unpackhi_epi8)(d, zero), high, low));
    vector mixed = OP(add_epi8)(y, negate_where_zero(moved, more));
    memcpy(out, &mixed, sizeof mixed);
}

static void blend_u8(uint32_t weight, size_t n, const unsigned char *a, const unsigned char *b,
                     unsigned char *restrict out) {
    const vector high = OP(set1_epi16)((int16_t)(weight >> 16));
    const vector low = OP(set1_epi16)((int16_t)weight);
    unsigned char x[sizeof high] = {0}, y[sizeof high] = {0}, mixed[sizeof high];
    size_t i = 0;
    for (; i + sizeof high <= n; i += sizeof high) {
        if (i % FMIX_FETCH_PIECE == 0)
            fmix_fetch(a + i, b + i);
        blend_vector(high, low, a + i, b + i, out + i);
    }
    memcpy(x, a + i, n - i);
    memcpy(y, b + i, n - i);
    blend_vector(high, low, x, y, mixed);
    memcpy(out + i, mixed, n - i);
}
#else
static void blend_u8(uint32_t weight, size_t n, const unsigned char *a, const unsigned char *b,
                     unsigned char *restrict out) {
    const uint32_t high = weight >> 16, low = weight & 0xffff;
    for (size_t i = 0; i < n; i++) {
        uint32_t d = a[i] > b[i] ? a[i] - b[i] : b[i] - a[i];
        uint32_t moved = (high * d + (low * d >> 16) + 0x8000) >> 16;
        out[i] = (unsigned char)(a[i] > b[i] ? b[i] + moved : b[i] - moved);
    }
}
#endif

#include "kernels_resize_template.h"

const fmix_kernels KERNELS = {NAME, RUNS,   words,    normals,      rank_pair,    bytes,
                              bits, choose, blend_u8, resize_along, resize_across};
