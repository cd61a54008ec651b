#include "unit.h"

#include "shape.h"

static void elements_are_the_product_within_the_limits_else_0(void **state) {
    (void)state;
    static const struct {
        fmix_shape shape;
        uint64_t elements;
    } table[] = {
        {{1, {1}}, 1},
        {{1, {FMIX_MAX_ELEMENTS}}, FMIX_MAX_ELEMENTS},
        {{1, {FMIX_MAX_ELEMENTS + 1}}, 0},
        {{2, {4096, 4096}}, FMIX_MAX_ELEMENTS},
        {{2, {4096, 4097}}, 0},
        {{2, {1, FMIX_MAX_ELEMENTS}}, FMIX_MAX_ELEMENTS},
        {{3, {256, 256, 256}}, FMIX_MAX_ELEMENTS},
        {{3, {256, 256, 257}}, 0},
        {{3, {2, 3, 5}}, 30},
        {{2, {0, 5}}, 0},
        {{3, {5, 5, 0}}, 0},
        {{0, {5, 5, 5}}, 0},
        {{4, {5, 5, 5}}, 0},
        {{UINT32_MAX, {5, 5, 5}}, 0},
        {{2, {UINT32_MAX, UINT32_MAX}}, 0},
        {{2, {65536, 65536}}, 0},              /* 2^32 */
        {{3, {1 << 22, 1 << 21, 1 << 21}}, 0}, /* 2^64 */
        {{1, {7, 0, 0}}, 7},                   /* sides beyond the rank say nothing */
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_true(fmix_shape_elements(&table[i].shape) == table[i].elements);
}

static void sides_stand_at_the_back(void **state) {
    (void)state;
    static const fmix_shape shapes[] = {{1, {7}}, {2, {5, 7}}, {3, {3, 5, 7}}};
    static const fmix_sides sides[] = {{{1, 1, 7}}, {{1, 5, 7}}, {{3, 5, 7}}};
    for (size_t i = 0; i < 3; i++) {
        fmix_sides s = fmix_shape_sides(&shapes[i]);
        assert_memory_equal(s.n, sides[i].n, sizeof s.n);
    }
}

static void bins_are_those_of_the_half_spectrum(void **state) {
    (void)state;
    static const struct {
        fmix_shape shape;
        uint64_t bins;
    } table[] = {
        {{1, {1}}, 1},     {{1, {2}}, 2},        {{1, {7}}, 4},    {{2, {5, 6}}, 20},
        {{2, {6, 5}}, 18}, {{3, {2, 3, 4}}, 18}, {{2, {9, 1}}, 9}, {{1, {1 << 24}}, (1 << 23) + 1}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_true(fmix_shape_bins(&table[i].shape) == table[i].bins);
}

/* As numpy.fft.fftfreq, but the middle of an even side, whose sign is never seen, is positive. */
static void signed_bins_run_up_to_the_middle_then_from_below(void **state) {
    (void)state;
    static const int64_t even[] = {0, 1, 2, 3, -2, -1}, odd[] = {0, 1, 2, -2, -1};
    for (uint32_t b = 0; b < 6; b++)
        assert_true(fmix_signed_bin(b, 6) == even[b]);
    for (uint32_t b = 0; b < 5; b++)
        assert_true(fmix_signed_bin(b, 5) == odd[b]);
    assert_true(fmix_signed_bin(0, 1) == 0);
}

static void only_zero_and_the_middle_of_an_even_side_mirror_themselves(void **state) {
    (void)state;
    for (uint32_t n = 1; n < 40; n++)
        for (uint32_t b = 0; b <= n / 2; b++)
            assert_int_equal(fmix_self_mirrored(b, n), (n - b) % n == b);
    assert_false(fmix_self_mirrored(UINT32_C(1) << 31, 0)); /* 2b does not wrap */
}

RUN(T(elements_are_the_product_within_the_limits_else_0), T(sides_stand_at_the_back),
    T(bins_are_those_of_the_half_spectrum), T(signed_bins_run_up_to_the_middle_then_from_below),
    T(only_zero_and_the_middle_of_an_even_side_mirror_themselves))
