#include "small_set.h"

#include "datasets/dataset_check.h"

/* Writes 64-bit numbers over a file of the set "a", and asks whether the set is refused with these
 * words. */
static bool refused(const char *file, const int64_t *numbers, size_t count, const char *words) {
    unsigned char bytes[8 * 8];
    for (size_t i = 0; i < 8 * count; i++)
        bytes[i] = (unsigned char)((uint64_t)numbers[i / 8] >> 8 * (i % 8));
    folder_forget();
    folder_write(file, bytes, 8 * count);
    dataset *d = small_open("a", false);
    dataset_release(d);
    return !d && folder_said(words);
}

static void a_neighbour_is_a_row(void **state) {
    (void)state;
    small_write_dense("a");
    assert_true(refused("a/neighbours.bin", (const int64_t[]){0, 1, 2, 3, 0, 0}, 6,
                        "neighbour 1 of row 1 is row 3, but the rows are 0 to 2"));
    assert_true(refused("a/neighbours.bin", (const int64_t[]){0, 1, 2, 0, -1, 0}, 6,
                        "neighbour 0 of row 2 is row -1, but the rows are 0 to 2"));
    assert_true(refused("a/neighbours.bin", (const int64_t[]){0, 1, 2, 0, 1}, 5,
                        "neighbours.bin has 40 bytes; by manifest.json it must have 48"));
}

static void offsets_rise_from_0_to_the_number_of_steps(void **state) {
    (void)state;
    small_write_ragged("a");
    small_make_old("a");
    assert_true(refused("a/offsets.bin", (const int64_t[]){1, 2, 5, 6}, 4,
                        "its offsets begin with 1; they must begin with 0"));
    assert_true(refused("a/offsets.bin", (const int64_t[]){0, 1, 1, 6}, 4,
                        "row 1 begins at 1 and ends at 1; every row must have 1 to"));
    assert_true(refused("a/offsets.bin", (const int64_t[]){0, 5, 1, 6}, 4,
                        "row 1 begins at 5 and ends at 1; every row must have 1 to"));
    assert_true(refused("a/offsets.bin", (const int64_t[]){0, INT64_MIN, 1, 6}, 4,
                        "row 0 begins at 0 and ends at -9223372036854775808"));
    assert_true(refused("a/offsets.bin", (const int64_t[]){0, 1, 2, INT64_MAX}, 4,
                        "row 2 begins at 2 and ends at 9223372036854775807"));
    assert_true(refused("a/offsets.bin", (const int64_t[]){0, 1, 5, 7}, 4,
                        "its data have 12 bytes; by its offsets they must have 7 times 2"));
    assert_true(refused("a/offsets.bin", (const int64_t[]){0, 1, 5}, 3,
                        "offsets.bin has 24 bytes; by manifest.json it must have 32"));
    assert_false(refused("a/offsets.bin", (const int64_t[]){0, 2, 5, 6}, 4, ""));
}

static void data_of_a_ragged_set_are_whole_steps(void **state) {
    (void)state;
    small_write_ragged("a");
    small_make_old("a");
    folder_write("a/data.bin", small_pixels, 11);
    assert_null(small_open("a", false));
    assert_true(folder_said("its data have 11 bytes; by its offsets they must have 6 times 2"));
    folder_write("a/data.bin", (const unsigned char[13]){0}, 13);
    assert_null(small_open("a", false));
    assert_true(folder_said("its data have 13 bytes; by its offsets they must have 6 times 2"));
    folder_write("a/data.bin", small_pixels, 0);
    assert_null(small_open("a", false));
    assert_true(folder_said("its data have 0 bytes"));
}

static void lengths_are_those_of_the_manifest_if_it_has_any(void **state) {
    (void)state;
    small_write_ragged("a");
    assert_true(refused("a/offsets.bin", (const int64_t[]){0, 2, 5, 6}, 4,
                        "its rows have lengths from 1 to 3; by its manifest they have lengths from "
                        "1 to 4"));
    folder_write("a/data.bin", small_pixels, 11);
    assert_null(small_open("a", false));
    assert_true(folder_said("data.bin has 11 bytes; by manifest.json it must have 12"));
}

static void lengths_are_found(void **state) {
    (void)state;
    small_write_ragged("a");
    dataset *d = small_open("a", true);
    assert_non_null(d);
    assert_true(d->ragged && d->shortest == 1 && d->longest == 4 && d->steps == 6);
    assert_true(small_span(d, 0).length == 1 && small_span(d, 1).length == 4);
    assert_true(small_span(d, 1).begin == 1 && small_span(d, 2).begin == 5);
    dataset_release(d);
}

/* Enough numbers that the check looks at `stop` on its way. */
static void a_check_is_given_up_when_told_to_stop(void **state) {
    (void)state;
    enum { ROWS = 1 << 22 };
    static const char *const words[] = {"interrupted before its labels were checked",
                                        "interrupted before its neighbours were checked"};
    unsigned char *zeros = calloc(ROWS, 8);
    atomic_bool stop = true;
    char reason[DATASET_REASON];
    dataset d = {.count = ROWS, .heads = 1};
    assert_non_null(zeros);
    d.head[0] = (dataset_head){.kind = DATASET_NUMBERS, .classes = 1, .file = {.bytes = zeros}};
    assert_false(dataset_check(&d, &stop, reason));
    assert_string_equal(reason, words[0]);
    d.heads = 0;
    d.neighbours = (dataset_neighbours){.k = 1, .file = {.bytes = zeros}};
    assert_false(dataset_check(&d, &stop, reason));
    assert_string_equal(reason, words[1]);
    atomic_store(&stop, false);
    assert_true(dataset_check(&d, &stop, reason) && dataset_check(&d, NULL, reason));
    free(zeros);
}

RUN(IN_FOLDER(a_neighbour_is_a_row), IN_FOLDER(offsets_rise_from_0_to_the_number_of_steps),
    IN_FOLDER(data_of_a_ragged_set_are_whole_steps),
    IN_FOLDER(lengths_are_those_of_the_manifest_if_it_has_any), IN_FOLDER(lengths_are_found),
    T(a_check_is_given_up_when_told_to_stop))
