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

/* Which file comes first must not decide. */
static void the_most_frequent_size_is_the_size_of_the_set(void **state) {
    (void)state;
    make_classes(1);
    importing_png("images/a/0.png", 5, 5, 1, 0);
    importing_png("images/a/1.png", 4, 4, 1, 0);
    importing_png("images/a/2.png", 4, 4, 1, 0);
    importing_png("images/a/3.png", 3, 3, 1, 0);
    assert_true(importing_refused(
        import_images(), "0.png': the image has 5 x 5 pixels, but most images have 4 x 4"));
    assert_int_equal(IMPORT("--from", "folder", "--skip-bad", folder_path("images")), 0);
    dataset *d = importing_open();
    assert_true(d->count == 2 && d->x.side[0] == 4);
    dataset_release(d);
}

static void of_equally_frequent_sizes_the_one_of_fewest_rows_is_taken(void **state) {
    (void)state;
    make_classes(1);
    importing_png("images/a/0.png", 2, 5, 1, 0);
    importing_png("images/a/1.png", 9, 4, 1, 0);
    assert_int_equal(IMPORT("--from", "folder", "--skip-bad", folder_path("images")), 0);
    dataset *d = importing_open();
    assert_true(d->count == 1 && d->x.side[0] == 4 && d->x.side[1] == 9);
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
    IN_FOLDER(the_most_frequent_size_is_the_size_of_the_set),
    IN_FOLDER(of_equally_frequent_sizes_the_one_of_fewest_rows_is_taken),
    IN_FOLDER(bad_files_are_all_named),
    IN_FOLDER(empty_classes_are_refused_unless_they_are_allowed),
    IN_FOLDER(a_class_is_empty_where_all_its_files_are_bad),
    IN_FOLDER(a_folder_without_images_is_refused))
