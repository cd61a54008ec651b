#include "importing.h"

static void write_npy(const char *name, const piece *p) {
    body b = {.length = 0};
    body_npy(&b, p);
    folder_write(name, b.bytes, b.length);
}

static void rows_and_labels_come_from_two_files(void **state) {
    (void)state;
    const piece *pieces = body_pieces();
    write_npy("x.npy", &pieces[0]);
    write_npy("y.npy", &pieces[1]);
    assert_int_equal(IMPORT("--from", "npy", folder_path("x.npy"), folder_path("y.npy"), "--layout",
                            "channels_first", "--classes", "5"),
                     0);
    dataset *d = importing_open();
    assert_true(d->count == 4 && d->x.rank == 3 && d->x.side[0] == 3 && d->x.type == DTYPE_U8);
    assert_memory_equal(dataset_array_row(&d->x, 0), pieces[0].data, pieces[0].bytes);
    assert_true(d->heads == 1 && d->head[0].kind == DATASET_NUMBERS && d->head[0].classes == 5);
    assert_int_equal(d->head[0].file.bytes[4], 2);
    dataset_release(d);
    assert_true(folder_said("rows have shape 3x4x4, type u8 and layout channels_first"));
    assert_true(folder_said("imported 2 files"));
}

static void rows_may_come_without_labels(void **state) {
    (void)state;
    static const float x[6] = {1, 2, 3, 4, 5, 6};
    write_npy("x.npy", &(piece){"x", "<f4", "F32", "3, 2", x, sizeof x});
    assert_int_equal(IMPORT("--from", "npy", folder_path("x.npy")), 0);
    dataset *d = importing_open();
    assert_true(d->heads == 0 && d->x.layout == LAYOUT_NONE && d->x.type == DTYPE_F32);
    dataset_release(d);
    assert_true(folder_said("there are no labels"));
}

static void a_file_that_is_not_npy_is_refused_by_name(void **state) {
    (void)state;
    folder_write("x.npy", "not npy", 7);
    assert_true(importing_refused(IMPORT("--from", "npy", folder_path("x.npy")), "x.npy': "));
    assert_true(importing_refused(IMPORT("--from", "npy", folder_path("none.npy")),
                                  "none.npy' cannot be read: No such file or directory"));
    assert_true(importing_refused(IMPORT("--from", "npy", folder_path("")),
                                  "' cannot be read: Is a directory"));
}

/* The error of a FIFO was once "Invalid argument". */
static void a_fifo_is_refused_as_not_a_regular_file(void **state) {
    (void)state;
    assert_int_equal(mkfifo(folder_path("x.npy"), 0600), 0);
    assert_true(importing_refused(IMPORT("--from", "npy", folder_path("x.npy")),
                                  "x.npy' cannot be read: Not a regular file"));
}

static void big_endian_arrays_are_refused(void **state) {
    (void)state;
    static const unsigned char x[4] = {0, 1, 0, 2};
    write_npy("x.npy", &(piece){"x", ">i2", "I16", "2, 1", x, sizeof x});
    assert_true(importing_refused(IMPORT("--from", "npy", folder_path("x.npy")), ">i2"));
}

RUN(IN_FOLDER(rows_and_labels_come_from_two_files), IN_FOLDER(rows_may_come_without_labels),
    IN_FOLDER(a_file_that_is_not_npy_is_refused_by_name),
    IN_FOLDER(a_fifo_is_refused_as_not_a_regular_file), IN_FOLDER(big_endian_arrays_are_refused))
