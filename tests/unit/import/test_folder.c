#include "importing.h"

static int import_images(void) {
    return IMPORT("--from", "folder", folder_path("images"));
}

static void make_classes(unsigned count) {
    static const char *const names[] = {"images/a", "images/b", "images/c"};
    folder_make("images");
    for (unsigned i = 0; i < count; i++)
        folder_make(names[i]);
}

static void classes_are_numbered_in_the_order_of_their_names(void **state) {
    (void)state;
    make_classes(2);
    importing_png("images/b/1.png", 3, 2, 1, 9);
    importing_png("images/a/2.png", 3, 2, 1, 7);
    assert_int_equal(import_images(), 0);
    dataset *d = importing_open();
    assert_true(d->count == 2 && d->x.rank == 2 && d->x.side[0] == 2 && d->x.side[1] == 3);
    assert_true(d->x.layout == LAYOUT_NONE && d->x.type == DTYPE_U8);
    assert_true(dataset_array_row(&d->x, 0)[0] == 7 && dataset_array_row(&d->x, 1)[5] == 9);
    assert_true(d->head[0].file.bytes[0] == 0 && d->head[0].file.bytes[4] == 1);
    d->description.bytes[d->description.length - 1] = 0;
    assert_non_null(strstr((char *)d->description.bytes, "\"class_names\":[\"a\",\"b\"]"));
    dataset_release(d);
    assert_true(folder_said("images of 3 x 2 pixels: 0 colour, 2 grey; rows are grey\n"));
    assert_true(folder_said("y: 2 classes; rows per class: 'a': 1, 'b': 1\n"));
    assert_true(folder_said("imported 2 files\n"));
}

static void one_colour_image_makes_all_rows_rgb(void **state) {
    (void)state;
    make_classes(1);
    importing_png("images/a/1.png", 2, 2, 1, 7);
    importing_png("images/a/2.png", 2, 2, 3, 9);
    assert_int_equal(import_images(), 0);
    dataset *d = importing_open();
    assert_true(d->x.rank == 3 && d->x.side[2] == 3 && d->x.layout == LAYOUT_CHANNELS_LAST);
    assert_true(dataset_array_row(&d->x, 0)[11] == 7);
    dataset_release(d);
    assert_true(folder_said("converted 1 file: grey to RGB (first: '"));
}

static void channels_are_converted_as_the_option_says(void **state) {
    (void)state;
    make_classes(1);
    importing_png("images/a/1.png", 2, 2, 3, 50);
    assert_int_equal(IMPORT("--from", "folder", folder_path("images"), "--channels", "1"), 0);
    dataset *d = importing_open();
    assert_true(d->x.rank == 2 && dataset_array_row(&d->x, 0)[3] == 50);
    dataset_release(d);
    assert_true(folder_said("rows are grey (--channels)"));
    assert_true(folder_said("converted 1 file: colour to grey"));
}

static void sizes_that_differ_make_an_image_set_of_files(void **state) {
    (void)state;
    unsigned char file[400];
    dataset_picture p;
    make_classes(2);
    importing_png("images/a/0.png", 5, 4, 1, 1);
    importing_png("images/a/1.png", 4, 4, 1, 2);
    importing_png("images/b/0.png", 3, 2, 1, 3);
    assert_int_equal(import_images(), 0);
    dataset *d = importing_open();
    assert_true(d->images && d->store == DATASET_FILES && d->count == 3 && d->x.rank == 2);
    assert_true(dataset_picture_of(d, 0, &p) && p.height == 4 && p.width == 5);
    assert_int_equal(p.length, folder_read("images/a/0.png", file, sizeof file));
    assert_memory_equal(p.bytes, file, p.length);
    assert_true(dataset_picture_of(d, 2, &p) && p.height == 2 && p.width == 3);
    assert_int_equal(d->head[0].file.bytes[8], 1);
    dataset_release(d);
    assert_true(folder_said("from 3 x 2 to 5 x 4 pixels, median 4 x 4: 0 colour, 3 grey"));
    assert_true(folder_said("the sizes differ, so the files are stored as they are"));
    assert_true(folder_said("rows have shape HxW, type u8 and layout none"));
}

static void pixels_are_stored_where_they_are_asked_for(void **state) {
    (void)state;
    dataset_picture p;
    make_classes(1);
    importing_png("images/a/0.png", 6, 4, 3, 9);
    importing_png("images/a/1.png", 2, 3, 1, 7);
    assert_int_equal(
        IMPORT("--from", "folder", folder_path("images"), "--store", "pixels", "--short", "2"), 0);
    dataset *d = importing_open();
    assert_true(d->images && d->store == DATASET_PIXELS && d->x.rank == 3);
    assert_true(dataset_picture_of(d, 0, &p) && p.height == 2 && p.width == 3 && p.length == 18);
    assert_int_equal(p.bytes[17], 9);
    assert_true(dataset_picture_of(d, 1, &p) && p.height == 3 && p.width == 2 && p.bytes[17] == 7);
    dataset_release(d);
    assert_true(folder_said("converted 1 file: grey to RGB"));
    assert_true(folder_said("shrunk to a shorter side of 2: 1; not larger, and so unchanged: 1"));
}

static void short_needs_pixels_and_dense_targets_one_size(void **state) {
    (void)state;
    make_classes(1);
    importing_png("images/a/0.png", 6, 4, 3, 9);
    importing_png("images/a/1.png", 2, 3, 1, 7);
    assert_true(importing_refused(IMPORT("--from", "folder", folder_path("images"), "--short", "2"),
                                  "--store pixels"));
    char dense[500];
    snprintf(dense, sizeof dense, "m=%s", folder_path("x.npy"));
    assert_int_equal(IMPORT("--from", "folder", folder_path("images"), "--dense", dense), 2);
    assert_true(folder_said("x.npy' cannot be read: No such file or directory"));
    folder_write("x.npy", "", 0);
    assert_true(
        importing_refused(IMPORT("--from", "folder", folder_path("images"), "--dense", dense),
                          "x.npy' holds dense targets of one size, but the pictures have sizes"));
}

/* Of one size too, where the option says so. */
static void the_store_that_is_asked_for_makes_an_image_set(void **state) {
    (void)state;
    make_classes(1);
    importing_png("images/a/0.png", 4, 4, 1, 9);
    assert_int_equal(IMPORT("--from", "folder", folder_path("images"), "--store", "files"), 0);
    dataset *d = importing_open();
    assert_true(d->images && d->store == DATASET_FILES);
    dataset_release(d);
}

static void bad_files_are_all_named(void **state) {
    (void)state;
    make_classes(2);
    importing_png("images/a/1.png", 3, 3, 1, 0);
    importing_png("images/b/1.png", 3, 3, 1, 0);
    importing_png("images/b/2.png", 3, 3, 1, 0);
    assert_int_equal(truncate(folder_path("images/b/2.png"), 60), 0); /* past the header */
    folder_write("images/a/0.png", "GIF89a", 6);
    assert_true(importing_refused(import_images(), "some files cannot be read"));
    assert_true(folder_said("a/0.png': the file is neither PNG nor JPEG"));
    assert_true(folder_said("b/2.png': the file is truncated after 60 bytes"));
    assert_true(folder_said("2 files could not be read, named above"));
    assert_int_equal(IMPORT("--from", "folder", "--skip-bad", folder_path("images")), 0);
    assert_true(folder_said("imported 2 files"));
}

static void empty_classes_are_refused_unless_they_are_allowed(void **state) {
    (void)state;
    make_classes(3);
    importing_png("images/a/1.png", 3, 3, 1, 0);
    assert_true(importing_refused(import_images(), "2 of 3 classes are empty; --allow-empty"));
    assert_true(folder_said("the class 'b' has no PNG or JPEG file\n"));
    assert_true(folder_said("the class 'c' has no PNG or JPEG file\n"));
    assert_int_equal(IMPORT("--from", "folder", "--allow-empty", folder_path("images")), 0);
    dataset *d = importing_open();
    assert_int_equal(d->head[0].classes, 3);
    dataset_release(d);
}

static void a_class_is_empty_where_all_its_files_are_bad(void **state) {
    (void)state;
    make_classes(2);
    importing_png("images/a/1.png", 3, 3, 1, 0);
    importing_png("images/b/1.png", 3, 3, 1, 0);
    assert_int_equal(truncate(folder_path("images/b/1.png"), 60), 0);
    assert_true(importing_refused(IMPORT("--from", "folder", "--skip-bad", folder_path("images")),
                                  "the class 'b' has no PNG or JPEG file that can be read"));
}

static void a_folder_without_images_is_refused(void **state) {
    (void)state;
    make_classes(1);
    assert_true(importing_refused(import_images(), "holds no PNG or JPEG file that can be read"));
}

RUN(IN_FOLDER(classes_are_numbered_in_the_order_of_their_names),
    IN_FOLDER(one_colour_image_makes_all_rows_rgb),
    IN_FOLDER(channels_are_converted_as_the_option_says),
    IN_FOLDER(sizes_that_differ_make_an_image_set_of_files),
    IN_FOLDER(pixels_are_stored_where_they_are_asked_for),
    IN_FOLDER(short_needs_pixels_and_dense_targets_one_size),
    IN_FOLDER(the_store_that_is_asked_for_makes_an_image_set), IN_FOLDER(bad_files_are_all_named),
    IN_FOLDER(empty_classes_are_refused_unless_they_are_allowed),
    IN_FOLDER(a_class_is_empty_where_all_its_files_are_bad),
    IN_FOLDER(a_folder_without_images_is_refused))
