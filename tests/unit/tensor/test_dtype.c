#include "unit.h"

#include "tensor/dtype.h"

#include <math.h>

static void elements_are_read_from_their_lowest_byte_on(void **state) {
    (void)state;
    static const unsigned char f64[] = {0, 0, 0, 0, 0, 0, 0xf8, 0xbf}, f32[] = {0, 0, 0x20, 0xc0};
    static const unsigned char f16[] = {0x01, 0x3c}, bf16[] = {0x40, 0xc0};
    assert_true(dtype_real(DTYPE_F64, f64) == -1.5);
    assert_true(dtype_real(DTYPE_F32, f32) == -2.5);
    assert_true(dtype_real(DTYPE_F16, f16) == 1 + 1.0 / 1024);
    assert_true(dtype_real(DTYPE_BF16, bf16) == -3);
}

static void halves_are_every_value_that_there_is(void **state) {
    (void)state;
    static const struct {
        unsigned char bytes[2];
        double value;
    } table[] = {{{0, 0}, 0},       {{1, 0}, 0x1p-24},     {{0xff, 3}, 1023 * 0x1p-24},
                 {{0, 4}, 0x1p-14}, {{0xff, 0x7b}, 65504}, {{0, 0xfc}, -INFINITY}};
    static const unsigned char none[] = {1, 0x7c};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_true(dtype_real(DTYPE_F16, table[i].bytes) == table[i].value);
    assert_true(isnan(dtype_real(DTYPE_F16, none)));
}

static void integers_keep_their_sign(void **state) {
    (void)state;
    static const unsigned char ones[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const unsigned char least[] = {0, 0, 0, 0, 0, 0, 0, 0x80};
    static const dtype signed_types[] = {DTYPE_I8, DTYPE_I16, DTYPE_I32, DTYPE_I64};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(dtype_integer(signed_types[i], ones), -1);
    assert_int_equal(dtype_integer(DTYPE_U8, ones), 255);
    assert_true(dtype_integer(DTYPE_I64, least) == INT64_MIN);
    assert_true(dtype_integer(DTYPE_I16, least + 6) == INT16_MIN);
}

/* What a machine of either order puts down as 1, 2, 3 is then 1, 2, 3 from the lowest byte on. */
static void swapping_brings_the_machine_s_order_to_little_endian_and_back(void **state) {
    (void)state;
    const int32_t numbers[] = {1, 2, -3};
    int32_t copy[3];
    memcpy(copy, numbers, sizeof copy);
    dtype_swap(DTYPE_I32, copy, sizeof copy);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(dtype_integer(DTYPE_I32, (const unsigned char *)&copy[i]), numbers[i]);
    dtype_swap(DTYPE_I32, copy, sizeof copy);
    assert_memory_equal(copy, numbers, sizeof copy);
}

static void descriptions_of_other_orders_are_no_types(void **state) {
    (void)state;
    dtype type;
    for (unsigned i = 0; i < DTYPE_COUNT; i++)
        if (dtype_table[i].descr) {
            assert_true(dtype_of_descr(dtype_table[i].descr, &type));
            assert_int_equal(type, i);
        }
    assert_true(dtype_of_descr("<u1", &type) && type == DTYPE_U8);
    assert_false(dtype_of_descr(">f4", &type) || dtype_of_descr("=f4", &type) ||
                 dtype_of_descr("<f3", &type) || dtype_of_descr("", &type));
}

static void the_library_agrees_on_size_and_floats(void **state) {
    (void)state;
    for (unsigned i = 0; i < DTYPE_COUNT; i++) {
        assert_int_equal(dtype_table[i].size, fmix_dtype_bytes(dtype_table[i].library));
        assert_int_equal(dtype_floats((dtype)i), dtype_table[i].name[0] == 'f' ||
                                                     strncmp(dtype_table[i].name, "bf", 2) == 0);
        assert_ptr_equal(dtype_name(i), dtype_table[i].name);
    }
    for (unsigned i = DTYPE_COUNT; i < DTYPE_READ; i++)
        assert_false(dtype_floats((dtype)i));
    assert_null(dtype_name(DTYPE_COUNT));
}

static void a_half_that_is_not_a_number_keeps_its_sign_alone(void **state) {
    (void)state;
    static const unsigned char payload[] = {0x55, 0xfd};
    double value = dtype_real(DTYPE_F16, payload), plain = -(double)NAN;
    assert_memory_equal(&value, &plain, sizeof value);
}

RUN(T(the_library_agrees_on_size_and_floats), T(a_half_that_is_not_a_number_keeps_its_sign_alone),
    T(elements_are_read_from_their_lowest_byte_on), T(halves_are_every_value_that_there_is),
    T(integers_keep_their_sign), T(swapping_brings_the_machine_s_order_to_little_endian_and_back),
    T(descriptions_of_other_orders_are_no_types))
