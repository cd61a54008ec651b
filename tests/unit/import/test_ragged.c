#include "importing.h"

static void write_npy(const char *name, const piece *p) {
    body b = {.length = 0};
    body_npy(&b, p);
    folder_write(name, b.bytes, b.length);
}

static const unsigned char tokens[6] = {9, 8, 7, 6, 5, 4};
static const int64_t ends[4] = {0, 1, 5, 6};

/* Imports three rows of token ids by these offsets. */
static int import_with(const int64_t *offsets, const char *shape, size_t bytes) {
    folder_forget();
    write_npy("x.npy", &(piece){"x", "|u1", "U8", "6", tokens, sizeof tokens});
    write_npy("o.npy", &(piece){"o", "<i8", "I64", shape, offsets, bytes});
    return IMPORT("--from", "ragged", folder_path("x.npy"), folder_path("o.npy"));
}

static bool refused(const int64_t *offsets, const char *words) {
    return importing_refused(import_with(offsets, "4", sizeof ends), words);
}

static void rows_have_lengths_of_their_own(void **state) {
    (void)state;
    assert_int_equal(import_with(ends, "4", sizeof ends), 0);
    dataset *d = importing_open();
    assert_true(d->ragged && d->count == 3 && d->x.rank == 1 && d->x.layout == LAYOUT_NONE);
    assert_true(d->shortest == 1 && d->longest == 4 && small_span(d, 1).length == 4);
    assert_memory_equal(dataset_array_row(&d->x, 1), tokens + 1, 4);
    dataset_release(d);
    assert_true(folder_said("3 rows, digest "));
    assert_true(folder_said("rows have shape L, type u8 and layout none\n"));
    assert_true(folder_said("L, the length of a row: from 1 to 4, median 1, total 6\n"));
}

static void embeddings_have_their_channels_last_unless_another_layout_is_given(void **state) {
    (void)state;
    static const float x[12] = {1, 2, 3, 4};
    static const unsigned char y[3] = {1, 0, 1};
    write_npy("x.npy", &(piece){"x", "<f4", "F32", "6, 2", x, sizeof x});
    write_npy("o.npy", &(piece){"o", "<i8", "I64", "4", ends, sizeof ends});
    write_npy("y.npy", &(piece){"y", "|u1", "U8", "3", y, sizeof y});
    assert_true(importing_refused(IMPORT("--from", "ragged", folder_path("x.npy"),
                                         folder_path("o.npy"), "--layout", "channels_first"),
                                  "the first dimension of ragged rows is their length"));
    assert_int_equal(IMPORT("--from", "ragged", folder_path("x.npy"), folder_path("o.npy"),
                            folder_path("y.npy")),
                     0);
    dataset *d = importing_open();
    assert_true(d->x.layout == LAYOUT_CHANNELS_LAST && d->x.row_bytes == 8 && d->x.side[1] == 2);
    assert_true(d->heads == 1 && d->head[0].classes == 2);
    dataset_release(d);
    assert_true(folder_said("rows have shape Lx2, type f32 and layout channels_last"));
    assert_int_equal(rename(folder_path("set"), folder_path("first")), 0);
    assert_int_equal(
        IMPORT("--from", "ragged", folder_path("x.npy"), folder_path("o.npy"), "--layout", "none"),
        0);
    d = importing_open();
    assert_true(d->x.layout == LAYOUT_NONE && d->x.rank == 2);
    dataset_release(d);
}

static void an_empty_row_is_refused_by_its_number(void **state) {
    (void)state;
    assert_true(refused((const int64_t[]){0, 2, 2, 6},
                        "row 1 is empty: it begins and ends at 2 (empty rows: 1); leave such rows "
                        "out, with their labels, or give each one pad token"));
    assert_true(refused((const int64_t[]){0, 0, 6, 6}, "row 0 is empty: it begins and ends at 0 "
                                                       "(empty rows: 2)"));
}

static void offsets_rise_from_0_to_the_number_of_steps(void **state) {
    (void)state;
    assert_true(refused((const int64_t[]){1, 2, 5, 6}, "o.npy' begins with 1; offsets must begin"));
    assert_true(refused((const int64_t[]){0, 5, 2, 6}, "row 1 begins at 5 and ends at 2; offsets"));
    assert_true(refused((const int64_t[]){0, 1, 5, 7}, "the last row ends at 7, but '"));
    assert_true(refused((const int64_t[]){0, 1, 2, 5}, "x.npy' has 6 steps"));
    assert_true(refused((const int64_t[]){0, 1, 2, INT64_MAX}, "row 2 begins at 2 and ends at 92"));
}

static void offsets_are_integers_in_one_dimension(void **state) {
    (void)state;
    static const double reals[4] = {0, 1, 5, 6};
    assert_true(
        importing_refused(import_with(ends, "2, 2", sizeof ends),
                          "o.npy' must have one dimension, one longer than there are rows"));
    assert_true(importing_refused(import_with(ends, "1", 8), "o.npy' must have one dimension"));
    write_npy("o.npy", &(piece){"o", "<f8", "F64", "4", reals, sizeof reals});
    assert_true(
        importing_refused(IMPORT("--from", "ragged", folder_path("x.npy"), folder_path("o.npy")),
                          "o.npy' has type f64; offsets must be integers"));
}

static void labels_must_be_as_many_as_rows(void **state) {
    (void)state;
    assert_int_equal(import_with(ends, "4", sizeof ends), 0);
    assert_int_equal(rename(folder_path("set"), folder_path("aside")), 0);
    assert_true(importing_refused(IMPORT("--from", "ragged", folder_path("x.npy"),
                                         folder_path("o.npy"), folder_path("x.npy")),
                                  "there are 6 labels in y for 3 rows"));
}

RUN(IN_FOLDER(rows_have_lengths_of_their_own),
    IN_FOLDER(embeddings_have_their_channels_last_unless_another_layout_is_given),
    IN_FOLDER(an_empty_row_is_refused_by_its_number),
    IN_FOLDER(offsets_rise_from_0_to_the_number_of_steps),
    IN_FOLDER(offsets_are_integers_in_one_dimension), IN_FOLDER(labels_must_be_as_many_as_rows))
