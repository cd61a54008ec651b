/*
 * kernels_template.h - included once by each build, after kernels.h, its LANES and
 *
 *   KERNELS, NAME, RUNS        the table, and two of its fields
 *   GROUPS                     of LANES blocks of words that are made at once
 *   MADD(a, b, c)              a*b + c, fused if that is one instruction
 *   WHOLE(x)                   the bits x, a signed integer, as a double: if it is one instruction
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

/* The keys of round r at 2r and 2r + 1. */
static void schedule(const fmix_key *key, uint64_t keys[2 * PHILOX_ROUNDS]) {
    for (uint32_t r = 0; r < PHILOX_ROUNDS; r++) {
        keys[2 * r] = key->k[0] + r * PHILOX_WEYL_0;
        keys[2 * r + 1] = key->k[1] + r * PHILOX_WEYL_1;
    }
}

/* A word of the counter is the lower half of a lane. Nothing reads the upper half, and no round
 * clears it. */
typedef struct counters {
    lanes c[4];
} counters;

static inline counters next_round(counters x, uint64_t key0, uint64_t key1) {
    lanes p0 = multiply(x.c[0], spread(PHILOX_MULTIPLIER_0));
    lanes p1 = multiply(x.c[2], spread(PHILOX_MULTIPLIER_1));
    return (counters){{p1 >> 32 ^ x.c[1] ^ key0, p1, p0 >> 32 ^ x.c[3] ^ key1, p0}};
}

static inline void store_words(counters x, uint32_t *u, uint32_t *v) {
    lanes even = join(x.c[0], x.c[2]), odd = join(x.c[1], x.c[3]);
    memcpy(u, &even, sizeof even);
    memcpy(v, &odd, sizeof odd);
}

/* Philox4x32-10 of `groups` times LANES blocks: several at once, since a round waits for the one
 * before. */
static inline void blocks(counters from, const uint64_t keys[2 * PHILOX_ROUNDS], size_t groups,
                          uint32_t *u, uint32_t *v) {
    counters x[GROUPS];
    for (size_t g = 0; g < groups; g++) {
        x[g] = from;
        x[g].c[0] += g * LANES;
    }
    for (int r = 0; r < PHILOX_ROUNDS; r++)
        for (size_t g = 0; g < groups; g++)
            x[g] = next_round(x[g], keys[2 * r], keys[2 * r + 1]);
    for (size_t g = 0; g < groups; g++)
        store_words(x[g], u + 2 * g * LANES, v + 2 * g * LANES);
}

static void words(const fmix_key *key, uint64_t index, uint32_t first, size_t n, uint32_t *u,
                  uint32_t *v) {
    uint64_t keys[2 * PHILOX_ROUNDS];
    lanes numbers = {0};
    schedule(key, keys);
    for (unsigned l = 0; l < LANES; l++)
        numbers[l] = l;
    n = (n + FMIX_KERNELS_PAD / 2 - 1) / (FMIX_KERNELS_PAD / 2) * (FMIX_KERNELS_PAD / 2);
    counters x = {{numbers + first, spread(0), spread(index), spread(index >> 32)}};
    size_t i = 0;
    for (; i + GROUPS * LANES <= n; i += GROUPS * LANES) {
        blocks(x, keys, GROUPS, u + 2 * i, v + 2 * i);
        x.c[0] += GROUPS * LANES;
    }
    for (; i < n; i += LANES) {
        blocks(x, keys, 1, u + 2 * i, v + 2 * i);
        x.c[0] += LANES;
    }
}

#define MANTISSA_BITS 52

/* (w+1) UNIT is exact: w are the lowest bits of a double whose last place is UNIT. EXPONENT_UNIT is
 * what one is in `exponent_of`, given a multiple of 2^52. */
#ifdef WHOLE
#define UNIT          0x1p-32
#define EXPONENT_UNIT 0x1p52
static inline double exponent_of(uint64_t over) {
    return WHOLE(over);
}
#else
#define UNIT          1.0
#define EXPONENT_UNIT 1.0
static inline double exponent_of(uint64_t over) { /* not negative, as (w+1) UNIT >= 1 */
    return from_bits(bits_of(0x1p52) | over >> MANTISSA_BITS) - (0x1p52 + 32);
}
#endif

/*
 * sqrt(-2 ln((w+1)/2^32)). (w+1)/2^32 = 2^e m with m in [sqrt(1/2), sqrt 2), and -2 ln m = 4 atanh
 * s, s = (1-m)/(1+m), by a polynomial in s^2 <= 0.02944 that interpolates at Chebyshev's points,
 * within 2^-43.0. Where e is not 0 the sum is larger than 2 ln m, and the root halves the relative
 * error.
 */
static inline double radius_of(uint32_t w) {
    double x = from_bits(bits_of(0x1p52 * UNIT) | w) - (0x1p52 - 1) * UNIT;
    uint64_t over = (bits_of(x) - ROOT_HALF_BITS) >> MANTISSA_BITS << MANTISSA_BITS;
    double m = from_bits(bits_of(x) - over);
    double s = (1.0 - m) / (1.0 + m), z = s * s;
    double y = z * z;
    double even = MADD(MADD(0x1.c67ada017cbbfp-2, y, 0x1.999998cafbf29p-1), y, 4.0);
    double odd = MADD(0x1.8c8c11e550da4p-2, y, 0x1.249323e4d7fd2p-1);
    double p = MADD(MADD(odd, y, 0x1.5555555564e96p+0), z, even);
    return sqrt(MADD(exponent_of(over), -0x1.62e42fefa39efp0 / EXPONENT_UNIT, s * p));
}

typedef struct turn {
    double cosine, sine;
} turn;

/*
 * Half the angle is h 2 pi / 2^33, within pi/2 as the word is read with a sign. Polynomials in h^2,
 * interpolating at Chebyshev's points, give sqrt 2 times its sine, within 2^-43.5 of it, and sqrt 2
 * times its cosine, within 2^-48.3. The angle's are 1 - s^2 and s c.
 */
static inline turn turn_of(uint32_t w) {
    double h = (double)(int32_t)w, z = h * h;
    double y = z * z;
    double even = MADD(0x1.4bcb9af837bf8p-427, y, 0x1.dbd55ecf86ac5p-292);
    double odd = MADD(-0x1.5541484cf6dcbp-359, y, -0x1.b1e9eec5ec356p-225);
    even = MADD(MADD(even, y, 0x1.cda1062c11d97p-159), y, 0x1.1c5831add61e8p-30);
    double s = h * MADD(MADD(odd, y, -0x1.d3ba5c1c472ccp-94), z, even);
    even = MADD(0x1.655b794177acap-393, y, 0x1.54cb8b52ef2b4p-258);
    odd = MADD(-0x1.29d13687e1e53p-461, y, -0x1.2af98ca0dd8a2p-325);
    even = MADD(MADD(even, y, 0x1.6f5a49b2776efp-126), y, 0x1.6a09e667f3bc0p+0);
    odd = MADD(MADD(odd, y, -0x1.e36ab0b0fca17p-192), y, -0x1.bea5b6072ac34p-62);
    double c = MADD(odd, z, even);
    return (turn){MADD(-s, s, 1.0), s * c};
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
