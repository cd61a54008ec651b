#include "unit.h"

#include "convert.h"

#include <math.h>

/* Every bit pattern of a 16-bit float, in the order of the values from 0 to infinity. */
enum { F16_INFINITY = 0x7c00, BF16_INFINITY = 0x7f80 };

static double widened(fmix_dtype type, unsigned bits) {
    uint16_t v = (uint16_t)bits;
    double x;
    fmix_load(type, &v, 1, &x);
    return x;
}

static unsigned narrowed(fmix_dtype type, double x) {
    uint16_t v;
    fmix_store(type, &x, 1, &v);
    return v;
}

static void sixteen_bit_floats_have_the_values_they_are_defined_to(void **state) {
    (void)state;
    for (unsigned b = 0; b < F16_INFINITY; b++) {
        double f = b & 0x3ff, e = b >> 10;
        assert_true(widened(FMIX_DTYPE_F16, b) ==
                    (e == 0 ? ldexp(f, -24) : ldexp(1024 + f, (int)e - 25)));
    }
    for (unsigned b = 0; b < BF16_INFINITY; b++) {
        uint32_t wide = (uint32_t)b << 16;
        float f;
        memcpy(&f, &wide, sizeof f);
        assert_true(widened(FMIX_DTYPE_BF16, b) == (double)f);
    }
}

static void every_sixteen_bit_float_comes_back(void **state) {
    (void)state;
    for (unsigned b = 0; b < 0x8000; b++)
        for (unsigned sign = 0; sign <= 0x8000; sign += 0x8000) {
            unsigned f16 = b <= F16_INFINITY ? b | sign : 0x7e00;
            unsigned bf16 = b <= BF16_INFINITY ? b | sign : 0x7fc0;
            assert_int_equal(narrowed(FMIX_DTYPE_F16, widened(FMIX_DTYPE_F16, b | sign)), f16);
            assert_int_equal(narrowed(FMIX_DTYPE_BF16, widened(FMIX_DTYPE_BF16, b | sign)), bf16);
        }
}

/* Between neighbours: just below the middle down, at it to the even one, just above up. */
static void rounding_is_to_nearest_half_to_even_and_only_once(void **state) {
    (void)state;
    static const struct {
        fmix_dtype type;
        unsigned infinity;
        double beyond; /* where the next number would be, were there one */
    } table[] = {{FMIX_DTYPE_F16, F16_INFINITY, 65536}, {FMIX_DTYPE_BF16, BF16_INFINITY, 0x1p128}};
    for (int t = 0; t < 2; t++)
        for (unsigned b = 0; b < table[t].infinity; b++) {
            fmix_dtype type = table[t].type;
            double low = widened(type, b);
            double high = b + 1 < table[t].infinity ? widened(type, b + 1) : table[t].beyond;
            double middle = (low + high) / 2;
            assert_int_equal(narrowed(type, nextafter(middle, 0)), b);
            assert_int_equal(narrowed(type, middle), b % 2 ? b + 1 : b);
            assert_int_equal(narrowed(type, nextafter(middle, INFINITY)), b + 1);
            assert_int_equal(narrowed(type, -middle), 0x8000 | (b % 2 ? b + 1 : b));
        }
}

static void nan_becomes_the_types_canonical_one(void **state) {
    (void)state;
    double nan = -NAN;
    uint32_t f32;
    uint64_t f64;
    int32_t i32 = 7;
    fmix_store(FMIX_DTYPE_F32, &nan, 1, &f32);
    fmix_store(FMIX_DTYPE_F64, &nan, 1, &f64);
    fmix_store(FMIX_DTYPE_I32, &nan, 1, &i32);
    assert_int_equal(f32, 0x7fc00000);
    assert_true(f64 == UINT64_C(0x7ff8000000000000));
    assert_int_equal(narrowed(FMIX_DTYPE_F16, nan), 0x7e00);
    assert_int_equal(narrowed(FMIX_DTYPE_BF16, nan), 0x7fc0);
    assert_int_equal(i32, 0);
}

static void integers_round_half_to_even_and_saturate(void **state) {
    (void)state;
    const double x[] = {0.5, 1.5, 2.5, -0.5, -1.5, 127.5, 254.5, 255.5, 1e300, -1e300};
    const uint8_t u8[] = {0, 2, 2, 0, 0, 128, 254, 255, 255, 0};
    const int8_t i8[] = {0, 2, 2, 0, -2, 127, 127, 127, 127, -128};
    const int16_t i16[] = {0, 2, 2, 0, -2, 128, 254, 256, INT16_MAX, INT16_MIN};
    const int64_t i64[] = {0, 2, 2, 0, -2, 128, 254, 256, INT64_MAX, INT64_MIN};
    uint8_t a[10];
    int8_t b[10];
    int16_t c[10];
    int64_t d[10];
    fmix_store(FMIX_DTYPE_U8, x, 10, a);
    fmix_store(FMIX_DTYPE_I8, x, 10, b);
    fmix_store(FMIX_DTYPE_I16, x, 10, c);
    fmix_store(FMIX_DTYPE_I64, x, 10, d);
    assert_memory_equal(a, u8, sizeof u8);
    assert_memory_equal(b, i8, sizeof i8);
    assert_memory_equal(c, i16, sizeof i16);
    assert_memory_equal(d, i64, sizeof i64);
}

static void integers_up_to_their_ends_come_back(void **state) {
    (void)state;
    const int32_t ends[] = {INT32_MIN, -1, 0, 1, INT32_MAX};
    const double half = 0x1p51 + 0.5; /* the last range of halves */
    int64_t even;
    fmix_store(FMIX_DTYPE_I64, &half, 1, &even);
    assert_true(even == INT64_C(1) << 51);
    const int64_t wide[] = {INT64_MIN, -(INT64_C(1) << 53), 0, INT64_C(1) << 53};
    double x[5];
    int32_t back[5];
    int64_t wide_back[4];
    fmix_load(FMIX_DTYPE_I32, ends, 5, x);
    fmix_store(FMIX_DTYPE_I32, x, 5, back);
    assert_memory_equal(back, ends, sizeof ends);
    fmix_load(FMIX_DTYPE_I64, wide, 4, x);
    fmix_store(FMIX_DTYPE_I64, x, 4, wide_back);
    assert_memory_equal(wide_back, wide, sizeof wide);
}

static void any_byte_but_0_is_a_bool_that_is_true(void **state) {
    const uint8_t bytes[] = {0, 1, 2, 128, 255};
    double x[5];
    int32_t whole[5];
    uint8_t same[5];
    (void)state;
    fmix_load(FMIX_DTYPE_BOOL, bytes, 5, x);
    fmix_convert(FMIX_DTYPE_BOOL, bytes, 5, FMIX_DTYPE_I32, whole);
    for (int i = 0; i < 5; i++) {
        assert_true(x[i] == (i > 0));
        assert_int_equal(whole[i], i > 0);
    }
    fmix_convert(FMIX_DTYPE_BOOL, bytes, 5, FMIX_DTYPE_BOOL, same);
    assert_memory_equal(same, bytes, sizeof bytes);
}

static void only_types_whose_elements_are_whole_bytes_have_a_size(void **state) {
    (void)state;
    static const uint64_t bytes[FMIX_DTYPES] = {4, 1, 0, 2, 2, 8, 1, 2, 4, 8, 1};
    for (unsigned type = 0; type < FMIX_DTYPES; type++)
        assert_int_equal(fmix_dtype_bytes((fmix_dtype)type), bytes[type]);
    assert_int_equal(fmix_dtype_bytes(FMIX_DTYPES), 0);
    assert_int_equal(fmix_dtype_bytes((fmix_dtype)99), 0);
}

/* Each byte's share of 255 is divided in float64 and rounded once (STREAM §8). */
static void bytes_become_shares_of_255(void **state) {
    (void)state;
    static const fmix_dtype types[] = {FMIX_DTYPE_F16, FMIX_DTYPE_BF16, FMIX_DTYPE_F32,
                                       FMIX_DTYPE_F64};
    unsigned char bytes[256], out[256 * 8], alone[8];
    double values[256];
    for (int v = 0; v < 256; v++)
        bytes[v] = (unsigned char)v;
    for (size_t t = 0; t < 4; t++) {
        const size_t size = (size_t)fmix_dtype_bytes(types[t]);
        fmix_convert(FMIX_DTYPE_U8, bytes, 256, types[t], out);
        fmix_load_for(FMIX_DTYPE_U8, types[t], bytes, 256, values);
        for (int v = 0; v < 256; v++) {
            double share = v / 255.0;
            fmix_store(types[t], &share, 1, alone);
            assert_memory_equal(out + (size_t)v * size, alone, size);
            assert_true(fmix_dtype_real(types[t], alone) == values[v]);
        }
    }
}

RUN(T(bytes_become_shares_of_255), T(sixteen_bit_floats_have_the_values_they_are_defined_to),
    T(every_sixteen_bit_float_comes_back), T(rounding_is_to_nearest_half_to_even_and_only_once),
    T(nan_becomes_the_types_canonical_one), T(integers_round_half_to_even_and_saturate),
    T(integers_up_to_their_ends_come_back), T(any_byte_but_0_is_a_bool_that_is_true),
    T(only_types_whose_elements_are_whole_bytes_have_a_size))
