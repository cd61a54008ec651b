#include "importing.h"

static int import_pieces(const piece *pieces, unsigned count) {
    body b = {.length = 0};
    body_safetensors(&b, pieces, count);
    folder_write("file", b.bytes, b.length);
    return IMPORT("--from", "safetensors", folder_path("file"), "--layout", "none");
}

static void heads_are_named_as_in_the_file(void **state) {
    (void)state;
    assert_int_equal(import_pieces(body_pieces(), 3), 0);
    dataset *d = importing_open();
    assert_int_equal(d->heads, 2);
    assert_string_equal(d->head[0].name, "y");
    assert_string_equal(d->head[1].name, "y.share");
    assert_true(d->head[0].kind == DATASET_NUMBERS && d->head[1].kind == DATASET_ROWS &&
                d->head[1].classes == 2);
    assert_memory_equal(d->head[1].file.bytes, body_pieces()[2].data, body_pieces()[2].bytes);
    dataset_release(d);
}

static void the_order_of_the_arrays_does_not_matter_to_rows(void **state) {
    (void)state;
    const piece *pieces = body_pieces();
    const piece turned[] = {pieces[1], pieces[0]};
    assert_int_equal(import_pieces(turned, 2), 0);
    dataset *d = importing_open();
    assert_memory_equal(dataset_array_row(&d->x, 0), pieces[0].data, pieces[0].bytes);
    dataset_release(d);
}

static void an_array_of_another_name_is_refused(void **state) {
    (void)state;
    static const unsigned char z[4] = {0};
    const piece *pieces = body_pieces();
    const piece none[] = {pieces[1]};
    const piece other[] = {pieces[0], {"z", "|u1", "U8", "4", z, 4}};
    assert_true(importing_refused(import_pieces(none, 1), "holds no array named x"));
    assert_true(
        importing_refused(import_pieces(other, 2),
                          "holds an array named z; only x, y, y.NAME, dense and dense.NAME are"));
    assert_true(importing_refused(import_pieces(pieces, 4), "holds an array named x2"));
}

static void more_heads_than_a_set_may_have_are_refused(void **state) {
    (void)state;
    static const unsigned char x[2] = {1, 2}, y[2] = {0, 1};
    static char names[DATASET_HEADS + 1][8];
    piece pieces[DATASET_HEADS + 2] = {{"x", "|u1", "U8", "2, 1", x, 2}};
    for (unsigned i = 0; i <= DATASET_HEADS; i++) {
        snprintf(names[i], sizeof names[i], "y.%u", i);
        pieces[i + 1] = (piece){names[i], "|u1", "U8", "2", y, 2};
    }
    assert_true(importing_refused(import_pieces(pieces, DATASET_HEADS + 2),
                                  "there are more than 8 heads of labels"));
    assert_int_equal(import_pieces(pieces, DATASET_HEADS + 1), 0);
}

static void a_file_that_is_not_safetensors_is_refused(void **state) {
    (void)state;
    folder_write("file", "no header", 9);
    assert_true(importing_refused(IMPORT("--from", "safetensors", folder_path("file")), "file': "));
}

RUN(IN_FOLDER(heads_are_named_as_in_the_file),
    IN_FOLDER(the_order_of_the_arrays_does_not_matter_to_rows),
    IN_FOLDER(an_array_of_another_name_is_refused),
    IN_FOLDER(more_heads_than_a_set_may_have_are_refused),
    IN_FOLDER(a_file_that_is_not_safetensors_is_refused))
