/* Bytes of a set are verified before their use, and numbers are checked where they are used. */
#include "small_set.h"

#include "datasets/dataset_part.h"
#include "datasets/verification.h"

static char text[DATASET_FAULT];

static const char *text_of(const dataset *d, const dataset_fault *met) {
    dataset_fault_text(d, met, text);
    return text;
}

static void damage_is_noted_and_logged_once_and_others_are_served(void **state) {
    (void)state;
    small_write_dense("a");
    dataset *d = small_open_lazily("a");
    dataset_fault met = 0;
    unsigned char labels[8];
    d->log = folder_errors;
    assert_string_equal(text_of(d, &met), "");
    small_alter("a/data.bin", 9);
    assert_true(dataset_is_whole(d)); /* whoever reads before this look reads again */
    assert_int_equal(dataset_need_row(d, &d->x, 2, &met), DATASET_WRONG);
    assert_string_equal(text_of(d, &met),
                        "bytes 0 to 11 of data.bin (rows 0 to 2) are not what was imported");
    assert_true(
        folder_said("fmixd: data set 'a': bytes 0 to 11 of data.bin (rows 0 to 2) are not"));
    folder_forget();
    assert_int_equal(dataset_need_row(d, &d->x, 0, &met), DATASET_WRONG);
    assert_true(folder_said_nothing_of("data.bin"));
    met = 0;
    assert_int_equal(dataset_need_row(d, &d->dense[1], 2, &met), DATASET_TRUE);
    assert_int_equal(dataset_labels(d, 1, 2, labels, &met), DATASET_TRUE);
    assert_true(met == 0 && small_neighbour(d, 2, 1) == 1);
    dataset_release(d);
}

/* A set whose hashes are those of bytes that no import writes. */
static dataset *open_forged(const char *file, unsigned char byte, dataset_fault *met) {
    dataset *d = small_open_lazily("a");
    uint64_t piece;
    assert_non_null(d);
    for (unsigned i = 0; i < dataset_files(d); i++)
        assert_int_equal(verification_need(d->verification, i, 0, 1, &piece), VERIFICATION_TRUE);
    small_alter(file, byte); /* after the hashes were compared */
    *met = 0;
    return d;
}

static void a_class_number_is_below_the_number_of_classes(void **state) {
    (void)state;
    dataset_fault met;
    int32_t number;
    small_write_dense("a");
    dataset *d = open_forged("a/labels.bin", 3, &met);
    assert_int_equal(dataset_labels(d, 0, 1, &number, &met), DATASET_TRUE);
    assert_int_equal(dataset_labels(d, 0, 0, &number, &met), DATASET_WRONG);
    assert_string_equal(text_of(d, &met),
                        "bytes 0 to 11 of labels.bin (rows 0 to 2) are not what was imported");
    assert_int_equal(dataset_labels(d, 0, 1, &number, &met), DATASET_WRONG); /* the same piece */
    dataset_release(d);
}

static void a_neighbour_is_a_row_of_the_set(void **state) {
    (void)state;
    dataset_fault met;
    uint64_t number;
    small_write_dense("a");
    dataset *d = open_forged("a/neighbours.bin", 3, &met);
    assert_int_equal(dataset_neighbour(d, 1, 0, &met, &number), DATASET_TRUE);
    assert_int_equal(dataset_neighbour(d, 0, 0, &met, &number), DATASET_WRONG);
    assert_non_null(strstr(text_of(d, &met), "of neighbours.bin (rows 0 to 2)"));
    dataset_release(d);
}

static void a_row_lies_in_the_data_and_is_not_longer_than_the_longest(void **state) {
    (void)state;
    static const unsigned char bad[] = {1, 2, 0xff}; /* no step, past the end of the row, far out */
    dataset_fault met;
    dataset_span span;
    small_write_ragged("a");
    for (size_t i = 0; i < sizeof bad; i++) {
        dataset *d = open_forged("a/offsets.bin", bad[i], &met);
        assert_int_equal(dataset_find_span(d, 1, &met, &span), DATASET_TRUE);
        assert_true(span.begin == 1 && span.length == 4);
        assert_int_equal(dataset_need_span(d, &span, &met), DATASET_TRUE);
        assert_int_equal(dataset_find_span(d, 0, &met, &span), DATASET_WRONG);
        assert_non_null(strstr(text_of(d, &met), "bytes 0 to 31 of offsets.bin"));
        small_alter("a/offsets.bin", 0);
        dataset_release(d);
    }
}

static void a_picture_lies_in_the_data_and_is_verified(void **state) {
    (void)state;
    dataset_fault met;
    dataset_picture picture;
    small_write_images("a", DATASET_PIXELS);
    dataset *d = open_forged("a/index.bin", 12, &met); /* the offset of picture 0 is 12 */
    assert_int_equal(dataset_find_picture(d, &d->x, 1, &met, &picture), DATASET_TRUE);
    assert_int_equal(dataset_need_picture(d, &d->x, &picture, &met), DATASET_TRUE);
    assert_true(picture.length == 6 && picture.width == 2);
    assert_memory_equal(picture.bytes, small_pixels + 3, 6);
    assert_int_equal(dataset_find_picture(d, &d->x, 0, &met, &picture), DATASET_WRONG);
    assert_non_null(strstr(text_of(d, &met), "of index.bin (rows 0 to 2)"));
    small_alter("a/index.bin", 0);
    dataset_release(d);
    d = small_open_lazily("a");
    met = 0;
    small_alter("a/data.bin", 99);
    assert_int_equal(dataset_find_picture(d, &d->x, 1, &met, &picture), DATASET_TRUE);
    assert_int_equal(dataset_need_picture(d, &d->x, &picture, &met), DATASET_WRONG);
    assert_string_equal(text_of(d, &met),
                        "bytes 0 to 11 of data.bin (rows 0 to 2) are not what was imported");
    dataset_release(d);
}

static void a_label_map_has_the_sides_of_its_picture_and_is_verified(void **state) {
    (void)state;
    dataset_fault met;
    dataset_picture map;
    small_write_maps("a", DATASET_PIXELS);
    dataset *d = open_forged("a/index.dense.map.bin", 2, &met); /* map 0 is 2 bytes behind */
    const dataset_array *of = &d->dense[0];
    assert_int_equal(dataset_find_picture(d, of, 1, &met, &map), DATASET_TRUE);
    assert_int_equal(dataset_need_picture(d, of, &map, &met), DATASET_TRUE);
    assert_true(map.length == 2 && map.height == 1 && map.width == 2);
    assert_memory_equal(map.bytes, small_pixels + 1, 2);
    assert_int_equal(dataset_find_picture(d, of, 0, &met, &map), DATASET_TRUE);
    small_alter("a/index.dense.map.bin", 0);
    dataset_release(d);
    d = small_open_lazily("a");
    met = 0;
    small_alter("a/dense.map.bin", 99);
    assert_int_equal(dataset_find_picture(d, &d->dense[0], 1, &met, &map), DATASET_TRUE);
    assert_int_equal(dataset_need_picture(d, &d->dense[0], &map, &met), DATASET_WRONG);
    assert_string_equal(text_of(d, &met),
                        "bytes 0 to 3 of dense.map.bin (rows 0 to 2) are not what was imported");
    dataset_release(d);
}

static void a_reader_learns_that_a_file_was_touched_meanwhile(void **state) {
    (void)state;
    small_write("a");
    dataset *d = small_open_lazily("a");
    uint64_t reading = dataset_read_begin(d);
    assert_true(dataset_read_ended(d, reading));
    small_await_tick("a/data.bin");
    small_alter("a/data.bin", 1);
    assert_true(dataset_is_whole(d)); /* another reader looks first */
    assert_false(dataset_read_ended(d, reading));
    reading = dataset_read_begin(d);
    assert_true(dataset_read_ended(d, reading));
    assert_int_equal(truncate(folder_path("a/data.bin"), 3), 0);
    assert_false(dataset_read_ended(d, reading));
    assert_int_equal(dataset_state(d), MAPPED_FILE_BROKEN);
    dataset_release(d);
}

static void what_is_verified_costs_nothing(void **state) {
    (void)state;
    dataset_fault met = 0;
    small_write("a");
    dataset *d = small_open_lazily("a"), *whole = small_open("a", true);
    double one = dataset_read_cost(d, 0, 1, 4, true);
    assert_true(one > 0 && dataset_read_cost(d, 0, 3, 4, true) <= 12);
    assert_true(dataset_read_cost(d, 0, 0, 4, true) == 0);
    assert_int_equal(dataset_need_row(d, &d->x, 1, &met), DATASET_TRUE);
    assert_true(dataset_read_cost(d, 0, 3, 4, true) == 0);
    assert_true(dataset_read_cost(whole, 0, 3, 4, true) == 0);
    dataset_release(d);
    dataset_release(whole);
}

RUN(IN_FOLDER(damage_is_noted_and_logged_once_and_others_are_served),
    IN_FOLDER(a_class_number_is_below_the_number_of_classes),
    IN_FOLDER(a_neighbour_is_a_row_of_the_set),
    IN_FOLDER(a_row_lies_in_the_data_and_is_not_longer_than_the_longest),
    IN_FOLDER(a_picture_lies_in_the_data_and_is_verified),
    IN_FOLDER(a_label_map_has_the_sides_of_its_picture_and_is_verified),
    IN_FOLDER(a_reader_learns_that_a_file_was_touched_meanwhile),
    IN_FOLDER(what_is_verified_costs_nothing))
