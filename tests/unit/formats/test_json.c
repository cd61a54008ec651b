#include "unit.h"

#include "formats/format.h"

#include <jansson.h>
#include <math.h>

/* What encode makes of a source whose tensors have these bytes, parsed back. */
static json_t *encoded(const tensor_source *s, const unsigned char *const *data) {
    buffer out = buffer_of(1 << 20);
    json_error_t error;
    assert_true(format_json.encode(s, data, &out));
    assert_int_equal(out.bytes[out.length - 1], '\n');
    json_t *root = json_loadb((const char *)out.bytes, out.length, JSON_REJECT_DUPLICATES, &error);
    assert_non_null(root);
    buffer_free(&out);
    return root;
}

/* Of one tensor "x" of one side: its parsed values. */
static json_t *encoded_row(dtype type, uint64_t n, const void *values) {
    const unsigned char *data[1] = {values};
    tensor_source *s = tensor_source_new(n);
    assert_true(tensor_source_add(s, "x", type, 0, NULL, 0, NULL, NULL));
    json_t *root = encoded(s, data);
    tensor_source_free(s);
    return root;
}

static const json_t *at(const json_t *root, const char *name, size_t i) {
    return json_array_get(json_object_get(root, name), i);
}

static void tensors_are_nested_lists_under_their_names(void **state) {
    (void)state;
    static const unsigned char x[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255};
    static const int64_t ones[] = {INT64_MAX, INT64_MIN};
    static const uint64_t sides[] = {3, 2};
    const unsigned char *data[] = {x, (const void *)ones};
    tensor_source *s = tensor_source_new(2);
    assert_true(tensor_source_add(s, "x", DTYPE_U8, 2, sides, 0, NULL, NULL));
    assert_true(tensor_source_add(s, "ones", DTYPE_I64, 0, NULL, 0, NULL, NULL));
    json_t *root = encoded(s, data);
    json_t *expected =
        json_pack("{s[[[ii][ii][ii]][[ii][ii][ii]]] s[II]}", "x", 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
                  255, "ones", (json_int_t)INT64_MAX, (json_int_t)INT64_MIN);
    assert_non_null(expected);
    assert_true(json_equal(root, expected));
    json_decref(expected);
    json_decref(root);
    tensor_source_free(s);
}

static void float64_comes_back_bit_for_bit(void **state) {
    (void)state;
    enum { RANDOM = 2000, N = RANDOM + 8 };
    static double values[N] = {0.1,     1.0 / 3,  5e-324, 1.7976931348623157e308,
                               -0x1p53, 123456.0, 0.0,    -0.0};
    uint64_t random = 21;
    for (size_t i = 8; i < N; i++)
        do {
            uint64_t bits = unit_random(&random);
            memcpy(&values[i], &bits, sizeof bits);
        } while (!isfinite(values[i]));
    json_t *root = encoded_row(DTYPE_F64, N, values);
    for (size_t i = 0; i < N; i++) {
        double back = json_number_value(at(root, "x", i));
        assert_memory_equal(&back, &values[i], sizeof back);
    }
    json_decref(root);
}

static void float32_keeps_its_value_as_float64(void **state) {
    (void)state;
    static const float values[] = {0.1F, 1.17549435e-38F, 3.4028235e38F, 1e-45F, 1, 0};
    json_t *root = encoded_row(DTYPE_F32, 6, values);
    for (size_t i = 0; i < 6; i++)
        assert_true(json_real_value(at(root, "x", i)) == (double)values[i]);
    json_decref(root);
}

static void small_floats_are_the_float64_that_they_are(void **state) {
    (void)state;
    static const struct {
        dtype type;
        uint16_t bits;
        double value; /* NAN: null */
    } table[] = {
        {DTYPE_F16, 0x3c00, 1},         {DTYPE_F16, 0xc000, -2},
        {DTYPE_F16, 0x7bff, 65504},     {DTYPE_F16, 0x8400, -0x1p-14},
        {DTYPE_F16, 0x0001, 0x1p-24},   {DTYPE_F16, 0x83ff, -0x3ffp-24},
        {DTYPE_F16, 0x3555, 0x555p-12}, {DTYPE_F16, 0x0000, 0},
        {DTYPE_F16, 0x7c00, NAN},       {DTYPE_F16, 0xfc00, NAN},
        {DTYPE_F16, 0x7e01, NAN},       {DTYPE_BF16, 0x3f80, 1},
        {DTYPE_BF16, 0x4049, 3.140625}, {DTYPE_BF16, 0x8001, -0x1p-133},
        {DTYPE_BF16, 0x7f7f, 0xffp120}, {DTYPE_BF16, 0xff80, NAN},
        {DTYPE_BF16, 0x7fc0, NAN},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        json_t *root = encoded_row(table[i].type, 1, &table[i].bits);
        const json_t *x = at(root, "x", 0);
        if (isnan(table[i].value))
            assert_true(json_is_null(x));
        else
            assert_true(json_is_real(x) && json_real_value(x) == table[i].value);
        json_decref(root);
    }
}

static void integers_keep_their_sign_and_bools_are_true_or_false(void **state) {
    (void)state;
    static const int8_t i8[] = {INT8_MIN, -1, INT8_MAX};
    static const int16_t i16[] = {INT16_MIN, -1, INT16_MAX};
    static const int32_t i32[] = {INT32_MIN, -1, INT32_MAX};
    static const unsigned char truths[] = {0, 1, 1};
    json_t *bytes = encoded_row(DTYPE_I8, 3, i8), *shorts = encoded_row(DTYPE_I16, 3, i16);
    json_t *ints = encoded_row(DTYPE_I32, 3, i32), *bools = encoded_row(DTYPE_BOOL, 3, truths);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(json_integer_value(at(bytes, "x", i)), i8[i]);
        assert_int_equal(json_integer_value(at(shorts, "x", i)), i16[i]);
        assert_int_equal(json_integer_value(at(ints, "x", i)), i32[i]);
        assert_true(json_is_boolean(at(bools, "x", i)));
        assert_int_equal(json_is_true(at(bools, "x", i)), truths[i]);
    }
    json_decref(bytes);
    json_decref(shorts);
    json_decref(ints);
    json_decref(bools);
}

static void nan_and_infinity_are_null(void **state) {
    (void)state;
    static const float singles[] = {NAN, -NAN, INFINITY, -INFINITY, 1};
    static const double doubles[] = {NAN, -NAN, INFINITY, -INFINITY, 1};
    json_t *roots[] = {encoded_row(DTYPE_F32, 5, singles), encoded_row(DTYPE_F64, 5, doubles)};
    for (int r = 0; r < 2; r++) {
        for (size_t i = 0; i < 4; i++)
            assert_true(json_is_null(at(roots[r], "x", i)));
        assert_true(json_is_real(at(roots[r], "x", 4)));
        json_decref(roots[r]);
    }
}

static void numbers_beside_the_tensors_are_text(void **state) {
    (void)state;
    static const unsigned char x[] = {1};
    const unsigned char *data[] = {x};
    tensor_source *s = tensor_source_new(1);
    assert_true(tensor_source_add(s, "x", DTYPE_U8, 0, NULL, 0, NULL, NULL));
    tensor_source_note(s, "seed", UINT64_MAX);
    tensor_source_note(s, "index", 0);
    json_t *root = encoded(s, data);
    assert_string_equal(json_string_value(json_object_get(root, "seed")), "18446744073709551615");
    assert_string_equal(json_string_value(json_object_get(root, "index")), "0");
    assert_int_equal(json_object_size(root), 3);
    json_decref(root);
    tensor_source_free(s);
}

static void encoding_past_the_cap_of_the_buffer_fails(void **state) {
    (void)state;
    static const unsigned char x[100];
    const unsigned char *data[] = {x};
    tensor_source *s = tensor_source_new(100);
    assert_true(tensor_source_add(s, "x", DTYPE_U8, 0, NULL, 0, NULL, NULL));
    for (size_t cap = 0; cap < 200; cap += 40) {
        buffer out = buffer_of(cap);
        assert_false(format_json.encode(s, data, &out));
        assert_true(out.length <= cap);
        buffer_free(&out);
    }
    tensor_source_free(s);
}

RUN(T(tensors_are_nested_lists_under_their_names), T(float64_comes_back_bit_for_bit),
    T(float32_keeps_its_value_as_float64), T(small_floats_are_the_float64_that_they_are),
    T(integers_keep_their_sign_and_bools_are_true_or_false), T(nan_and_infinity_are_null),
    T(numbers_beside_the_tensors_are_text), T(encoding_past_the_cap_of_the_buffer_fails))
