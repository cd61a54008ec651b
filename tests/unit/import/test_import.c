/* What kinds share: layouts, labels, and what is printed of the set that was written. */
#include "importing.h"

#include <math.h>

/* Imports x of u8 rows with these labels, which may be NULL. */
static bool arrays(const char *layout, unsigned rank, const array *y, unsigned long classes) {
    static const unsigned char bytes[64];
    static const char *const none[] = {NULL};
    const array x = {
        .name = "x", .bytes = bytes, .type = DTYPE_U8, .rank = rank, .shape = {3, 2, 2, 2, 2}};
    report counts;
import in = importing_of(none, 0, & counts);
    in.given = (layout ? IMPORT_LAYOUT : 0u) | (classes ? IMPORT_CLASSES : 0u);
    in.classes = classes;
    in.layout = !layout                                 ? 0
                : strcmp(layout, "channels_first") == 0 ? LAYOUT_CHANNELS_FIRST
                : strcmp(layout, "channels_last") == 0  ? LAYOUT_CHANNELS_LAST
                                                        : LAYOUT_NONE;
    return import_arrays(&in, &(import_sources){.x = &x, .y = &y, .heads = y != NULL});
}

static bool refused(bool good, const char *words) {
    return !good && folder_said(words) && !folder_exists("set");
}

static void rows_of_one_or_two_dimensions_need_no_layout(void **state) {
    (void)state;
    for (unsigned rank = 2; rank <= 3; rank++) {
        assert_true(arrays(NULL, rank, NULL, 0));
        dataset *d = importing_open();
        assert_int_equal(d->x.layout, LAYOUT_NONE);
        dataset_release(d);
        assert_int_equal(rename(folder_path("set"), folder_path(rank == 2 ? "one" : "two")), 0);
    }
    assert_true(refused(arrays(NULL, 4, NULL, 0), "3 dimensions, so --layout is required"));
}

static void a_row_has_one_to_three_spatial_dimensions(void **state) {
    (void)state;
    assert_true(refused(arrays(NULL, 1, NULL, 0),
                        "x must have at least 2 dimensions, the first for the rows, but has 1"));
    assert_true(refused(arrays("channels_last", 2, NULL, 0), "0 spatial dimensions"));
    assert_true(refused(arrays("none", 5, NULL, 0), "4 spatial dimensions"));
    assert_true(arrays("channels_first", 5, NULL, 0));
}

static void labels_are_checked_before_a_row_is_written(void **state) {
    (void)state;
    static const unsigned char numbers[] = {0, 3, 1};
    array y = {.name = "y", .bytes = numbers, .type = DTYPE_U8, .rank = 1, .shape = {3}};
    assert_true(refused(arrays("none", 2, &y, 3),
                        "row 1 of y is 3; class numbers are whole numbers from 0 to 2"));
    y.shape[0] = 2;
    assert_true(refused(arrays("none", 2, &y, 0), "there are 2 labels in y for 3 rows"));
    y.shape[0] = 3;
    strcpy(y.name, "z");
    assert_true(refused(arrays("none", 2, &y, 0), "labels must be named y or y.NAME"));
    strcpy(y.name, "y");
    assert_true(folder_said_nothing_of("%")); /* the progress of rows that were written */
    assert_true(arrays("none", 2, &y, 0));
    dataset *d = importing_open();
    assert_int_equal(d->head[0].classes, 4); /* one more than the largest */
    dataset_release(d);
    assert_true(folder_said("y: 4 classes; rows per class: 0: 1, 1: 1, 2: 0, 3: 1"));
}

static void classes_that_no_label_has_are_refused(void **state) {
    (void)state;
    static const float weights[6] = {0};
    const array y = {.name = "y",
                     .bytes = (const unsigned char *)weights,
                     .type = DTYPE_F32,
                     .rank = 2,
                     .shape = {3, 2}};
    assert_true(refused(arrays("none", 2, NULL, 3),
                        "--classes applies to labels, but there are no labels"));
    assert_true(refused(arrays("none", 2, &y, 3),
                        "--classes is 3, but the labels y are rows of 2 weights"));
    assert_true(arrays("none", 2, &y, 2));
}

static void weights_that_are_not_numbers_are_imported_and_counted(void **state) {
    (void)state;
    const float weights[6] = {0, NAN, 0.5f, INFINITY, NAN, 1};
    const array y = {.name = "y",
                     .bytes = (const unsigned char *)weights,
                     .type = DTYPE_F32,
                     .rank = 2,
                     .shape = {3, 2}};
    assert_true(arrays("none", 2, &y, 0));
    assert_true(folder_said("y: rows of 2 weights, from f32\n"));
    assert_true(folder_said("y: warning: number of NaN weights: 2\n"));
}

static void weights_that_are_numbers_are_told_without_a_warning(void **state) {
    (void)state;
    static const float weights[6] = {0, 1, 0.5f, 0.5f, 1, 0};
    const array y = {.name = "y",
                     .bytes = (const unsigned char *)weights,
                     .type = DTYPE_F32,
                     .rank = 2,
                     .shape = {3, 2}};
    assert_true(arrays("none", 2, &y, 0));
    assert_true(folder_said_nothing_of("warning"));
}

static void many_classes_are_told_by_the_fewest_and_the_most(void **state) {
    (void)state;
    static const unsigned char numbers[] = {7, 7, 3};
    const array y = {.name = "y", .bytes = numbers, .type = DTYPE_U8, .rank = 1, .shape = {3}};
    assert_true(arrays("none", 2, &y, 33));
    assert_true(folder_said("y: 33 classes; rows per class: from 0 (class 0) to 2 (class 7); "
                            "classes without rows: 31"));
}

static void a_file_that_changed_after_it_was_opened_is_named(void **state) {
    (void)state;
    report counts;
    const char *const files[] = {folder_path("file")};
    const import in = importing_of(files, 1, &counts);
    mapped_file file;
    folder_write("file", "12345", 5);
    assert_true(import_map(&in, files[0], &file));
    assert_true(import_unchanged(&in, files[0], &file));
    folder_write("file", "1234", 4);
    assert_false(import_unchanged(&in, files[0], &file));
    assert_true(folder_said("file' was truncated or changed while it was read"));
    mapped_file_close(&file);
}

static void bad_files_end_an_import_unless_they_may_be_skipped(void **state) {
    (void)state;
    report counts;
import in = importing_of(NULL, 0, & counts);
    assert_true(import_may_go_on(&in));
    counts.bad = 1;
    assert_false(import_may_go_on(&in));
    assert_true(folder_said("some files cannot be read; --skip-bad imports the others"));
    in.given = IMPORT_SKIP_BAD;
    assert_true(import_may_go_on(&in));
}

RUN(IN_FOLDER(rows_of_one_or_two_dimensions_need_no_layout),
    IN_FOLDER(a_row_has_one_to_three_spatial_dimensions),
    IN_FOLDER(labels_are_checked_before_a_row_is_written),
    IN_FOLDER(classes_that_no_label_has_are_refused),
    IN_FOLDER(weights_that_are_not_numbers_are_imported_and_counted),
    IN_FOLDER(weights_that_are_numbers_are_told_without_a_warning),
    IN_FOLDER(many_classes_are_told_by_the_fewest_and_the_most),
    IN_FOLDER(a_file_that_changed_after_it_was_opened_is_named),
    IN_FOLDER(bad_files_end_an_import_unless_they_may_be_skipped))
