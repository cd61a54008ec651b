#include "unit.h"

#include "taps.h"

/* Taps with memory of their own. */
static fmix_taps taps_of(const fmix_view_side *side, fmix_filter filter, bool reversed) {
    fmix_taps taps;
    size_t count = fmix_span_of(side).count, most = fmix_taps_most(side, filter);
    taps.first = malloc(count * sizeof *taps.first);
    taps.number = malloc(count * sizeof *taps.number);
    taps.weights = malloc(count * most * sizeof *taps.weights);
    assert_true(taps.first && taps.number && taps.weights);
    fmix_taps_fill(side, filter, reversed, &taps);
    assert_true(taps.count == count && taps.most == most);
    return taps;
}

static void taps_free(fmix_taps *taps) {
    free(taps->first);
    free(taps->number);
    free(taps->weights);
}

static fmix_view_side whole(uint32_t length, uint64_t resized) {
    return (fmix_view_side){
        .length = length, .resized = resized, .size = resized > 500 ? 500 : (uint32_t)resized};
}

/* A line of 7 to 3, from Pillow's formulas by hand: centres 7/6, 21/6, 35/6, reach 7/3. */
static void weights_are_those_of_the_formula(void **state) {
    (void)state;
    const fmix_view_side side = whole(7, 3);
    fmix_taps taps = taps_of(&side, FMIX_FILTER_BILINEAR, false);
    static const uint32_t first[] = {0, 1, 4}, number[] = {4, 5, 3};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(taps.first[i], first[i]);
        assert_int_equal(taps.number[i], number[i]);
    }
    /* 1 - |x + 1/2 - 7/6| * 3/7: 15/21, 18/21, 9/21, 0 */
    static const int weights[] = {15, 18, 9, 0};
    for (int k = 0; k < 4; k++)
        assert_int_equal(taps.weights[k], (weights[k] * (1 << 22) + 21) / 42);
    taps_free(&taps);
}

/* What passes.c relies on: sums of 255 times the weights fit in 32 bits. */
static void weights_sum_to_one_and_positive_ones_to_less_than_1_8(void **state) {
    (void)state;
    for (uint32_t length = 1; length < 70; length++)
        for (uint32_t resized = 1; resized < 200; resized += 1 + resized / 16)
            for (int filter = FMIX_FILTER_BILINEAR; filter <= FMIX_FILTER_BICUBIC; filter++) {
                const fmix_view_side side = whole(length, resized);
                fmix_taps taps = taps_of(&side, (fmix_filter)filter, false);
                for (uint32_t i = 0; i < taps.count; i++) {
                    int64_t sum = 0, positive = 0, number = taps.number[i];
                    assert_true(number >= 1 && number <= taps.most);
                    for (int64_t k = 0; k < number; k++) {
                        int32_t weight = taps.weights[i * taps.most + (uint32_t)k];
                        sum += weight;
                        positive += weight > 0 ? weight : 0;
                    }
                    assert_true(sum >= (1 << 22) - number && sum <= (1 << 22) + number);
                    assert_true(positive * 10 < INT64_C(18) << 22);
                }
                taps_free(&taps);
            }
}

static void the_range_is_what_all_taps_reach(void **state) {
    (void)state;
    uint64_t random = 5;
    for (int n = 0; n < 2000; n++) {
        uint64_t r = unit_random(&random);
        fmix_filter filter = r & 1 ? FMIX_FILTER_BILINEAR : FMIX_FILTER_BICUBIC;
        fmix_view_side side = {.length = 1 + (uint32_t)(r >> 8) % 300,
                               .resized = 1 + (uint32_t)(r >> 20) % 300,
                               .begin = (int64_t)(r >> 40 & 255) - 100,
                               .size = 1 + (uint32_t)(r >> 56)};
        if (side.length == side.resized)
            continue;
        fmix_taps taps = taps_of(&side, filter, false), mirrored = taps_of(&side, filter, true);
        uint32_t low = taps.count ? UINT32_MAX : 0, high = 0;
        for (uint32_t i = 0; i < taps.count; i++) {
            uint32_t j = taps.count - 1 - i, end = taps.first[i] + taps.number[i];
            low = taps.first[i] < low ? taps.first[i] : low;
            high = end > high ? end : high;
            assert_true(mirrored.first[j] == taps.first[i] && mirrored.number[j] == taps.number[i]);
            assert_memory_equal(mirrored.weights + (size_t)j * taps.most,
                                taps.weights + (size_t)i * taps.most, taps.number[i] * 4);
        }
        assert_int_equal(taps.low, low);
        assert_int_equal(taps.high, high);
        assert_true(high <= side.length);
        taps_free(&taps);
        taps_free(&mirrored);
    }
}

static void a_line_that_keeps_its_length_reads_what_it_shows(void **state) {
    (void)state;
    const fmix_view_side side = {.length = 10, .resized = 10, .begin = 3, .size = 4};
    uint32_t low, high;
    for (int filter = 0; filter < 3; filter++) {
        fmix_taps_range(&side, (fmix_filter)filter, &low, &high);
        assert_true(low == 3 && high == 7);
    }
}

static void spans_leave_out_what_does_not_exist(void **state) {
    (void)state;
    static const struct {
        int64_t begin;
        uint32_t size, first, count, before;
    } cases[] = {{0, 10, 0, 10, 0}, {-3, 20, 0, 10, 3}, {-3, 5, 0, 2, 3}, {4, 20, 4, 6, 0},
                 {-9, 9, 0, 0, 9},  {10, 4, 0, 0, 4},   {9, 4, 9, 1, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const fmix_view_side side = {
            .length = 7, .resized = 10, .begin = cases[i].begin, .size = cases[i].size};
        fmix_span span = fmix_span_of(&side);
        assert_int_equal(span.begin, cases[i].first);
        assert_int_equal(span.count, cases[i].count);
        assert_int_equal(span.before, cases[i].before);
    }
}

static void nearest_is_the_pixel_at_the_middle(void **state) {
    (void)state;
    const fmix_view_side down = whole(7, 3), up = whole(3, 7);
    static const uint32_t from_7[] = {1, 3, 5}, from_3[] = {0, 0, 1, 1, 1, 2, 2};
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(fmix_nearest(&down, i), from_7[i]);
    for (uint32_t i = 0; i < 7; i++)
        assert_int_equal(fmix_nearest(&up, i), from_3[i]);
}

/* One pixel is made of a million, and a million of one. */
static void the_longest_lines_have_taps(void **state) {
    (void)state;
    const fmix_view_side down = whole(FMIX_MAX_PICTURE_SIDE, 1), up = {1, 1, 1u << 20, 0, 4};
    fmix_taps taps = taps_of(&down, FMIX_FILTER_BICUBIC, false);
    assert_true(taps.low == 0 && taps.high == FMIX_MAX_PICTURE_SIDE);
    taps_free(&taps);
    const fmix_view_side far = {0, 1, UINT64_C(1) << 40, INT64_C(1) << 39, 4};
    for (int i = 0; i < 2; i++) {
        taps = taps_of(i ? &up : &far, FMIX_FILTER_BICUBIC, false);
        assert_true(taps.number[3] == 1 && taps.weights[0] == 1 << 22);
        taps_free(&taps);
    }
}

RUN(T(weights_are_those_of_the_formula), T(weights_sum_to_one_and_positive_ones_to_less_than_1_8),
    T(the_range_is_what_all_taps_reach), T(a_line_that_keeps_its_length_reads_what_it_shows),
    T(spans_leave_out_what_does_not_exist), T(nearest_is_the_pixel_at_the_middle),
    T(the_longest_lines_have_taps))
