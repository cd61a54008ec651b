#include "unit.h"

#include "blend.h"

#include <math.h>

#define MOST 1200 /* positions */

/* Masks of several textures: even coins, long runs, all one value. */
static void fill_mask(unsigned char *mask, size_t n, uint64_t *random) {
    uint64_t texture = unit_random(random) % 4, run = texture == 1 ? 40 : 2;
    unsigned char value = (unsigned char)(unit_random(random) % 2);
    for (size_t i = 0; i < n; i++) {
        if (texture < 2 && unit_random(random) % run == 0)
            value = !value;
        mask[i] = texture == 3 ? 1 : value;
    }
}

static void fill_bytes(unsigned char *bytes, size_t n, uint64_t *random) {
    for (size_t i = 0; i < n; i++)
        bytes[i] = (unsigned char)(unit_random(random) >> 56);
}

static void select_moves_each_position_from_the_right_sample(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 2, 3, 4, 8, 12, 36};
    static unsigned char mask[MOST], a[MOST * 36], b[MOST * 36], out[MOST * 36 + 1];
    uint64_t random = 1;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int i = 0; i < 400; i++) {
            size_t size = sizes[s], n = i < 40 ? (size_t)i : 1 + unit_random(&random) % MOST;
            fill_mask(mask, n, &random);
            fill_bytes(a, n * size, &random);
            fill_bytes(b, n * size, &random);
            memset(out, 0xa5, sizeof out);
            fmix_blend_select(fmix_kernels_best(), mask, n, size, a, b, out);
            for (size_t p = 0; p < n; p++)
                for (size_t byte = 0; byte < size; byte++)
                    assert_int_equal(out[p * size + byte], (mask[p] ? a : b)[p * size + byte]);
            assert_int_equal(out[n * size], 0xa5);
        }
}

static void select_leaves_every_bit_of_nan_infinity_and_zero(void **state) {
    (void)state;
    static const uint32_t odd[] = {0x7fc00001, 0xffc12345, 0x7f800001 /* signalling */,
                                   0xffbfffff, 0x7f800000, 0xff800000,
                                   0x80000000, 0x00000001};
    uint32_t a[8], b[8], out[8];
    for (int i = 0; i < 8; i++) {
        a[i] = odd[i];
        b[i] = odd[7 - i];
    }
    for (unsigned pattern = 0; pattern < 256; pattern++) {
        unsigned char mask[8];
        for (unsigned i = 0; i < 8; i++)
            mask[i] = pattern >> i & 1;
        fmix_blend_select(fmix_kernels_best(), mask, 8, 4, (unsigned char *)a, (unsigned char *)b,
                          (unsigned char *)out);
        for (int i = 0; i < 8; i++)
            assert_true(out[i] == (mask[i] ? a[i] : b[i]));
    }
}

/* m*a + (1-m)*b, each step rounded to float64 and kept from the compiler. */
static double long_hand(double m, double a, double b) {
    volatile double rest = 1.0 - m;
    volatile double left = m * a;
    volatile double right = rest * b;
    volatile double sum = left + right;
    return sum;
}

static unsigned char half_to_even(double v) {
    double below = floor(v), rest = v - below;
    int whole = (int)below;
    if (rest > 0.5 || (rest == 0.5 && whole % 2 == 1))
        whole++;
    return (unsigned char)whole;
}

static double some_weight(uint64_t *random) {
    static const double notable[] = {0, 1, 0.5, 0.25, 0x1p-32, 1 - 0x1p-32, 1.0 / 3};
    uint64_t pick = unit_random(random) % 14;
    return pick < 7 ? notable[pick] : (double)(unit_random(random) >> 32) * 0x1p-32;
}

static float some_float(uint64_t *random) {
    static const float notable[] = {0.0f,           -0.0f,           1.0f,   -1.0f,
                                    3.40282347e38f, -3.40282347e38f, 1e-45f, -1e-45f,
                                    1e-38f,         16777216.0f};
    uint64_t pick = unit_random(random) % 30;
    if (pick < 10)
        return notable[pick];
    return (float)ldexp((double)(int64_t)unit_random(random),
                        (int)(unit_random(random) % 120) - 123);
}

static void f32_blend_equals_the_written_out_sum_bit_by_bit(void **state) {
    (void)state;
    static float a[MOST], b[MOST], out[MOST + 1], expected[MOST];
    uint64_t random = 2;
    for (int i = 0; i < 600; i++) {
        size_t n = i < 70 ? (size_t)i : 1 + unit_random(&random) % MOST;
        double m = some_weight(&random);
        for (size_t e = 0; e < n; e++) {
            a[e] = some_float(&random);
            b[e] = some_float(&random);
            expected[e] = (float)long_hand(m, (double)a[e], (double)b[e]);
        }
        memset(out, 0x5a, sizeof out);
        fmix_blend_f32(m, n, a, b, out);
        assert_memory_equal(out, expected, n * sizeof *out);
        memset(expected, 0x5a, sizeof *expected);
        assert_memory_equal(out + n, expected, sizeof *out);
    }
}

static void f32_keeps_infinities(void **state) {
    (void)state;
    const float a[] = {INFINITY, -INFINITY, 1}, b[] = {1, 2, INFINITY};
    float out[3];
    fmix_blend_f32(0.25, 3, a, b, out);
    assert_true(out[0] == INFINITY && out[1] == -INFINITY && out[2] == INFINITY);
}

/* Whatever payloads and signs go in, and in a loop's vector body as in its tail. */
static void every_nan_of_an_f32_blend_is_canonical(void **state) {
    (void)state;
    static uint32_t a[MOST], b[MOST], out[MOST];
    uint64_t random = 8;
    for (int i = 0; i < MOST; i++) {
        uint32_t nan = 0x7f800001 + (uint32_t)(unit_random(&random) % 0x7ffffe);
        nan |= (uint32_t)(unit_random(&random) & 1) << 31;
        a[i] = i % 3 == 1 ? 0x3f800000 : i % 5 ? nan : 0x7f800000; /* 1, a NaN, infinity */
        b[i] = i % 3 == 1 ? nan : i % 5 ? nan ^ 0x80000123 : 0xff800000;
    }
    for (size_t n = MOST - 20; n <= MOST; n++) {
        memset(out, 0, sizeof out);
        fmix_blend_f32(0.3, n, a, b, out);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(out[i], 0x7fc00000);
    }
}

static void f32_need_not_be_aligned(void **state) {
    (void)state;
    const float a[] = {1, 2, 3, 4, 5, 6, 7}, b[] = {8, 9, 10, 11, 12, 13, 14};
    unsigned char at[2][sizeof a + 3];
    float out[7], expected[7];
    fmix_blend_f32(0.4, 7, a, b, expected);
    for (size_t offset = 1; offset < 4; offset++) {
        memcpy(at[0] + offset, a, sizeof a);
        memcpy(at[1] + offset, b, sizeof b);
        fmix_blend_f32(0.4, 7, at[0] + offset, at[1] + offset, out);
        assert_memory_equal(out, expected, sizeof out);
    }
}

static void u8_blend_equals_the_written_out_sum_for_every_pair(void **state) {
    (void)state;
    static unsigned char a[65536], b[65536], out[65536];
    uint64_t random = 3;
    for (int i = 0; i < 65536; i++) {
        a[i] = (unsigned char)(i >> 8);
        b[i] = (unsigned char)i;
    }
    for (int weight = 0; weight < 60; weight++) {
        double m = some_weight(&random);
        fmix_blend_u8(fmix_kernels_best(), m, 65536, a, b, out);
        for (int i = 0; i < 65536; i++)
            if (out[i] != half_to_even(long_hand(m, a[i], b[i])))
                fail_msg("m %a: %d and %d give %d", m, a[i], b[i], out[i]);
    }
}

static void u8_blend_of_any_length_stays_in_bounds(void **state) {
    (void)state;
    unsigned char a[131], b[131], out[131];
    uint64_t random = 4;
    for (size_t n = 0; n <= 130; n++) {
        fill_bytes(a, sizeof a, &random);
        fill_bytes(b, sizeof b, &random);
        memset(out, 0xa5, sizeof out);
        fmix_blend_u8(fmix_kernels_best(), 0.3, n, a, b, out);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(out[i], half_to_even(long_hand(0.3, a[i], b[i])));
        for (size_t i = n; i < sizeof out; i++)
            assert_int_equal(out[i], 0xa5);
    }
}

static void u8_halves_go_to_the_even_number(void **state) {
    (void)state;
    const unsigned char a[] = {1, 2, 0, 3, 254, 253, 128, 255},
                        b[] = {2, 3, 1, 4, 255, 254, 127, 0};
    const unsigned char expected[] = {2, 2, 0, 4, 254, 254, 128, 128};
    unsigned char out[8];
    fmix_blend_u8(fmix_kernels_best(), 0.5, 8, a, b, out);
    assert_memory_equal(out, expected, sizeof out);
    const unsigned char c[] = {2, 6}, d[] = {0, 0}; /* a quarter: 0.5 and 1.5 */
    fmix_blend_u8(fmix_kernels_best(), 0.25, 2, c, d, out);
    assert_true(out[0] == 0 && out[1] == 2);
}

/* The float64 sum of m*c and (1-m)*c is within 2u c of c, far nearer to c than to any other float
 * or byte. */
static void a_constant_image_mixed_with_itself_stays(void **state) {
    (void)state;
    static float x[MOST], out[MOST];
    unsigned char bytes[256], mixed[256];
    uint64_t random = 5;
    for (int i = 0; i < 256; i++)
        bytes[i] = (unsigned char)i;
    for (int weight = 0; weight < 500; weight++) {
        double m = (double)(unit_random(&random) >> 11) * 0x1p-53;
        for (int i = 0; i < MOST; i++)
            x[i] = some_float(&random);
        fmix_blend_f32(m, MOST, x, x, out);
        for (int i = 0; i < MOST; i++)
            assert_true(out[i] == x[i]);
        fmix_blend_u8(fmix_kernels_best(), m, 256, bytes, bytes, mixed);
        assert_memory_equal(bytes, mixed, 256);
    }
}

static void weights_0_and_1_give_one_sample_alone(void **state) {
    (void)state;
    static float a[MOST], b[MOST], out[MOST];
    unsigned char p[256], q[256], r[256];
    uint64_t random = 6;
    for (int i = 0; i < MOST; i++) {
        a[i] = some_float(&random);
        b[i] = some_float(&random);
    }
    fill_bytes(p, 256, &random);
    fill_bytes(q, 256, &random);
    fmix_blend_f32(1, MOST, a, b, out);
    for (int i = 0; i < MOST; i++)
        assert_true(out[i] == a[i]);
    fmix_blend_f32(0, MOST, a, b, out);
    for (int i = 0; i < MOST; i++)
        assert_true(out[i] == b[i]);
    fmix_blend_u8(fmix_kernels_best(), 1, 256, p, q, r);
    assert_memory_equal(r, p, 256);
    fmix_blend_u8(fmix_kernels_best(), 0, 256, p, q, r);
    assert_memory_equal(r, q, 256);
}

RUN(T(select_moves_each_position_from_the_right_sample),
    T(select_leaves_every_bit_of_nan_infinity_and_zero),
    T(f32_blend_equals_the_written_out_sum_bit_by_bit), T(f32_keeps_infinities),
    T(every_nan_of_an_f32_blend_is_canonical), T(f32_need_not_be_aligned),
    T(u8_blend_equals_the_written_out_sum_for_every_pair),
    T(u8_blend_of_any_length_stays_in_bounds), T(u8_halves_go_to_the_even_number),
    T(a_constant_image_mixed_with_itself_stays), T(weights_0_and_1_give_one_sample_alone))
