#include "unit.h"

#include "datasets/dataset_array.h"

static const dataset_array first = {.rank = 3, .side = {3, 4, 5}, .layout = LAYOUT_CHANNELS_FIRST};
static const dataset_array last = {.rank = 3, .side = {4, 5, 2}, .layout = LAYOUT_CHANNELS_LAST};
static const dataset_array plain = {.rank = 2, .side = {4, 5}, .layout = LAYOUT_NONE};

static void spatial_sides_are_those_without_channels(void **state) {
    (void)state;
    const dataset_array *const all[] = {&first, &last, &plain};
    for (size_t i = 0; i < 3; i++) {
        const uint64_t *sides;
        assert_int_equal(dataset_array_spatial(all[i], &sides), 2);
        assert_true(sides[0] == 4 && sides[1] == 5);
    }
    assert_int_equal(dataset_array_channels(&first), 3);
    assert_int_equal(dataset_array_channels(&last), 2);
    assert_int_equal(dataset_array_channels(&plain), 1);
}

static void arrays_fit_by_their_spatial_sides(void **state) {
    (void)state;
    assert_true(dataset_array_fits(&first, &last) && dataset_array_fits(&plain, &first));
    dataset_array other = plain;
    other.side[1] = 6;
    assert_false(dataset_array_fits(&other, &plain) || dataset_array_fits(&plain, &other));
    other = (dataset_array){.rank = 3, .side = {4, 5, 1}, .layout = LAYOUT_NONE};
    assert_false(dataset_array_fits(&other, &plain) || dataset_array_fits(&plain, &other));
}

static void rows_of_no_first_side_are_ragged(void **state) {
    (void)state;
    const dataset_array ragged = {.rank = 2, .side = {0, 5}, .layout = LAYOUT_CHANNELS_LAST};
    assert_true(dataset_array_is_ragged(&ragged));
    assert_false(dataset_array_is_ragged(&plain) || dataset_array_is_ragged(&first));
}

static void rows_follow_one_another(void **state) {
    (void)state;
    static const unsigned char bytes[12];
    dataset_array a = plain;
    a.row_bytes = 4;
    a.file.bytes = bytes;
    assert_ptr_equal(dataset_array_row(&a, 2), bytes + 8);
}

RUN(T(spatial_sides_are_those_without_channels), T(arrays_fit_by_their_spatial_sides),
    T(rows_of_no_first_side_are_ragged), T(rows_follow_one_another))
