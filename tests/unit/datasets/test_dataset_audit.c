#include "small_set.h"

#include "datasets/dataset_audit.h"
#include "datasets/pieces.h"

static bool audit(const char *name) {
    dataset *d = dataset_open(folder_root, name, DATASET_VERIFY_FACTS, NULL, folder_errors);
    assert_non_null(d);
    folder_forget();
    bool good = dataset_audit(d, NULL, folder_errors);
    dataset_release(d);
    return good;
}

static void a_set_as_it_was_imported_is_good(void **state) {
    (void)state;
    small_write_dense("a");
    small_write_ragged("b");
    small_write_images("c", DATASET_PIXELS);
    small_write_dense("old");
    small_make_old("old");
    assert_true(audit("a") && audit("b") && audit("c") && audit("old"));
    assert_true(folder_said_nothing_of("data set"));
}

static void every_wrong_file_is_named(void **state) {
    (void)state;
    static const char *const files[] = {"data.bin",      "labels.bin", "labels.b.bin",
                                        "dense.map.bin", "dense.bin",  "neighbours.bin"};
    small_write_dense("a");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[64], words[64];
        unsigned char byte;
        snprintf(path, sizeof path, "a/%s", files[i]);
        snprintf(words, sizeof words, "of %s (rows 0 to 2) are not what was imported", files[i]);
        int fd = open(folder_path(path), O_RDONLY);
        assert_int_equal(read(fd, &byte, 1), 1);
        close(fd);
        small_alter(path, byte ^ 0x80);
        assert_false(audit("a"));
        assert_true(folder_said(words) && folder_said("its digest is "));
        small_alter(path, byte);
        assert_true(audit("a"));
    }
    small_alter("a/pieces.bin", 1);
    assert_false(audit("a"));
    assert_true(folder_said("pieces.bin or manifest.json was altered"));
    assert_true(folder_said_nothing_of("its digest is"));
}

static void wrong_pieces_beside_each_other_are_one_range(void **state) {
    (void)state;
    const dataset_writer_facts facts = {
        .type = DTYPE_U8, .rank = 1, .side = {PIECE_BYTES / 2}, .layout = LAYOUT_NONE};
    unsigned char *zeros = calloc(10, PIECE_BYTES / 2);
    dataset_writer *w = dataset_writer_new(folder_path("a"), &facts, folder_errors);
    assert_true(zeros && w && dataset_writer_rows(w, zeros, 10) && dataset_writer_finish(w));
    free(zeros);
    int fd = open(folder_path("a/data.bin"), O_WRONLY);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(
            pwrite(fd, "x", 1, (off_t[]){1 << 20, (3 << 20) - 1, 5 * (1 << 20) - 1}[i]), 1);
    close(fd);
    assert_false(audit("a"));
    assert_true(folder_said("bytes 1048576 to 3145727 of data.bin (rows 2 to 5) are not"));
    assert_true(folder_said("bytes 4194304 to 5242879 of data.bin (rows 8 to 9) are not"));
}

static void contents_are_checked_where_there_are_no_pieces(void **state) {
    (void)state;
    small_write_dense("a");
    small_make_old("a");
    small_alter("a/labels.bin", 7);
    assert_false(audit("a"));
    assert_true(folder_said("its digest is ") && folder_said("row 0 of y is class 7 of 3"));
    small_write_images("b", DATASET_PIXELS);
    small_alter("b/index.bin", 12);
    assert_false(audit("b"));
    assert_true(folder_said("row 0 of its index does not lie in the data"));
}

static void label_maps_and_their_index_are_checked(void **state) {
    (void)state;
    small_write_maps("a", DATASET_PIXELS);
    assert_true(audit("a"));
    small_alter("a/dense.map.bin", 77);
    assert_false(audit("a"));
    assert_true(folder_said("bytes 0 to 3 of dense.map.bin (rows 0 to 2) are not what was"));
    small_write_maps("b", DATASET_PIXELS);
    small_make_old("b");
    small_alter("b/index.dense.map.bin", 12);
    assert_false(audit("b"));
    assert_true(folder_said("row 0 of the index of dense.map does not lie in the label maps"));
}

RUN(IN_FOLDER(a_set_as_it_was_imported_is_good), IN_FOLDER(every_wrong_file_is_named),
    IN_FOLDER(wrong_pieces_beside_each_other_are_one_range),
    IN_FOLDER(contents_are_checked_where_there_are_no_pieces),
    IN_FOLDER(label_maps_and_their_index_are_checked))
