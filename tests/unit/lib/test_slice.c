#include "unit.h"

#include "slice.h"

static void each_scope_draws_at_the_t_of_the_row_it_names(void **state) {
    (void)state;
    static const uint64_t t[7] = {90, 80, 70, 60, 50, 40, 30};
    static const uint64_t pair[7] = {0, 1, 2, 3, 2, 1, 0};
    for (int own = 0; own < 2; own++) {
        const fmix_rows rows = {.count = 7, .index = 100, .t = own ? t : NULL};
        for (uint64_t i = 0; i < 7; i++) {
            const fmix_slice sample = {&rows, FMIX_SCOPE_SAMPLE, 0, 7};
            const fmix_slice batch = {&rows, FMIX_SCOPE_BATCH, i, 1};
            const fmix_slice paired = {&rows, FMIX_SCOPE_PAIR, i, 1};
            assert_true(fmix_slice_t(&sample, i) == (own ? t[i] : 100 + i));
            assert_true(fmix_slice_t(&batch, i) == (own ? 90 : 100));
            assert_true(fmix_slice_t(&paired, i) == (own ? t[pair[i]] : 100 + pair[i]));
        }
    }
}

static void pairs_of_an_even_batch_share_a_t(void **state) {
    (void)state;
    const fmix_rows rows = {.count = 10, .index = 5};
    const fmix_slice slice = {&rows, FMIX_SCOPE_PAIR, 0, 10};
    for (uint64_t i = 0; i < 10; i++) {
        assert_true(fmix_slice_t(&slice, i) == fmix_slice_t(&slice, 9 - i));
        assert_true(fmix_slice_t(&slice, i) == 5 + (i < 5 ? i : 9 - i));
    }
}

static bool is_valid(const fmix_rows *rows, uint64_t first, uint64_t n) {
    const fmix_slice slice = {rows, FMIX_SCOPE_SAMPLE, first, n};
    return fmix_slice_is_valid(&slice);
}

static void rows_outside_the_batch_and_t_past_64_bits_are_invalid(void **state) {
    (void)state;
    static const uint64_t t[4] = {UINT64_MAX, 0, UINT64_MAX, 1};
    const fmix_rows rows = {.count = 4, .index = 7}, last = {.count = 4, .index = UINT64_MAX - 2};
    const fmix_rows listed = {.count = 4, .index = UINT64_MAX, .t = t}, none = {.count = 0};
    assert_true(is_valid(&rows, 0, 4) && is_valid(&rows, 3, 1) && is_valid(&rows, 9, 0));
    assert_false(is_valid(&rows, 0, 5) || is_valid(&rows, 4, 1));
    assert_false(is_valid(&rows, 1, UINT64_MAX) || is_valid(&rows, UINT64_MAX, 2));
    assert_true(is_valid(&last, 0, 3));
    assert_false(is_valid(&last, 0, 4) || is_valid(&last, 3, 1));
    assert_true(is_valid(&listed, 0, 4));
    assert_false(is_valid(&none, 0, 1));
}

RUN(T(each_scope_draws_at_the_t_of_the_row_it_names), T(pairs_of_an_even_batch_share_a_t),
    T(rows_outside_the_batch_and_t_past_64_bits_are_invalid))
