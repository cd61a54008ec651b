#include "unit.h"

#include "api/sequence_padding.h"

static sequence_padding of(double value, dtype type) {
    sequence_padding s;
    problem p = {0};
    const query q = {.pad_value = value};
    if (!sequence_padding_begin(&s, &q, type, &p))
        fail_msg("%s", p.errors[0].detail);
    return s;
}

static void refuses(double value, dtype type, const char *why) {
    sequence_padding s;
    problem p = {0};
    const query q = {.pad_value = value};
    assert_false(sequence_padding_begin(&s, &q, type, &p));
    assert_int_equal(p.status, 400);
    assert_string_equal(p.errors[0].parameter, "pad_value");
    assert_non_null(strstr(p.errors[0].detail, why));
}

static void integers_are_held_to_the_end_of_their_range(void **state) {
    (void)state;
    static const struct {
        dtype type;
        int64_t least, most;
        const char *why;
    } table[] = {{DTYPE_U8, 0, 255, "integers from 0 to 255"},
                 {DTYPE_BOOL, 0, 1, "integers from 0 to 1;"},
                 {DTYPE_I8, -128, 127, "integers from -128 to 127"},
                 {DTYPE_I16, -32768, 32767, "integers from -32768 to 32767"},
                 {DTYPE_I32, -1000000000, 1000000000, NULL},
                 {DTYPE_I64, -1000000000, 1000000000, NULL}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const int64_t ends[] = {table[i].least, table[i].most};
        for (unsigned j = 0; j < 2; j++) {
            sequence_padding s = of((double)ends[j], table[i].type);
            dtype_swap(table[i].type, s.value, s.size);
            uint64_t mask = s.size == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * s.size) - 1, got = 0;
            for (size_t b = s.size; b-- > 0;)
                got = got << 8 | s.value[b];
            assert_int_equal(got & mask, (uint64_t)ends[j] & mask);
        }
        if (table[i].why) {
            refuses((double)table[i].least - 1, table[i].type, table[i].why);
            refuses((double)table[i].most + 1, table[i].type, table[i].why);
        }
        refuses(0.5, table[i].type, "integers from");
    }
}

static void reals_are_rounded_to_nearest(void **state) {
    (void)state;
    sequence_padding f32 = of(0.1, DTYPE_F32), f64 = of(0.1, DTYPE_F64), f16 = of(0.1, DTYPE_F16);
    const float wanted = 0.1f;
    const double exact = 0.1;
    const uint16_t half = 0x2e66;
    assert_memory_equal(f32.value, &wanted, sizeof wanted);
    assert_memory_equal(f64.value, &exact, sizeof exact);
    assert_memory_equal(f16.value, &half, sizeof half);
    of(65504, DTYPE_F16);
}

static void a_real_that_would_be_infinite_is_refused(void **state) {
    (void)state;
    refuses(65520, DTYPE_F16, "infinite");
    refuses(-1e6, DTYPE_F16, "infinite");
}

/* 2 planes of 3 elements each become planes of 5. */
static void each_plane_gets_a_tail_and_keeps_its_elements(void **state) {
    (void)state;
    const sequence_padding s = of(-2, DTYPE_I16);
    int16_t row[] = {1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 99};
    static const int16_t wanted[] = {1, 2, 3, -2, -2, 4, 5, 6, -2, -2, 99};
    sequence_padding_append(&s, 2, 6, 10, (unsigned char *)row);
    assert_memory_equal(row, wanted, sizeof row);
}

static void a_row_as_long_as_the_longest_is_left_alone(void **state) {
    (void)state;
    const sequence_padding s = of(9, DTYPE_U8);
    unsigned char row[] = {1, 2, 3, 4};
    sequence_padding_append(&s, 2, 2, 2, row);
    assert_memory_equal(row, ((unsigned char[]){1, 2, 3, 4}), 4);
}

RUN(T(integers_are_held_to_the_end_of_their_range), T(reals_are_rounded_to_nearest),
    T(a_real_that_would_be_infinite_is_refused), T(each_plane_gets_a_tail_and_keeps_its_elements),
    T(a_row_as_long_as_the_longest_is_left_alone))
