#include "importing.h"

#define PIXELS 3072

/* A file of records with these labels; each pixel is the number of the record. */
static void write_records(const char *name, unsigned labels, unsigned records,
                          const unsigned char *numbers) {
    size_t record = PIXELS + labels;
    unsigned char *bytes = malloc(records * record);
    for (unsigned r = 0; r < records; r++) {
        memcpy(bytes + r * record, numbers + r * labels, labels);
        memset(bytes + r * record + labels, (int)r, PIXELS);
    }
    folder_write(name, bytes, records * record);
    free(bytes);
}

/* A file without bytes on the disk. */
static void write_zeros(const char *name, size_t length) {
    folder_write(name, "", 0);
    assert_int_equal(truncate(folder_path(name), (off_t)length), 0);
}

static void files_of_ten_classes_become_rows_in_their_order(void **state) {
    (void)state;
    write_records("a", 1, 2, (const unsigned char[]){9, 3});
    write_records("b", 1, 1, (const unsigned char[]){4});
    assert_int_equal(IMPORT("--from", "cifar", folder_path("a"), folder_path("b")), 0);
    dataset *d = importing_open();
    assert_true(d->count == 3 && d->x.rank == 3 && d->x.side[0] == 3 && d->x.side[1] == 32);
    assert_true(d->x.layout == LAYOUT_CHANNELS_FIRST && d->head[0].classes == 10);
    assert_true(dataset_array_row(&d->x, 1)[0] == 1 &&
                dataset_array_row(&d->x, 1)[PIXELS - 1] == 1);
    assert_true(dataset_array_row(&d->x, 2)[7] == 0);
    const unsigned char *numbers = d->head[0].file.bytes;
    assert_true(numbers[0] == 9 && numbers[4] == 3 && numbers[8] == 4);
    dataset_release(d);
}

static void a_hundred_classes_are_two_heads(void **state) {
    (void)state;
    write_records("a", 2, 2, (const unsigned char[]){19, 99, 0, 1});
    assert_int_equal(IMPORT("--from", "cifar", folder_path("a")), 0);
    dataset *d = importing_open();
    assert_int_equal(d->heads, 2);
    assert_string_equal(d->head[0].name, "y.coarse");
    assert_string_equal(d->head[1].name, "y.fine");
    assert_true(d->head[0].classes == 20 && d->head[1].classes == 100);
    assert_true(d->head[0].file.bytes[0] == 19 && d->head[1].file.bytes[0] == 99);
    dataset_release(d);
}

static void a_length_that_fits_both_versions_needs_the_option(void **state) {
    (void)state;
    write_zeros("either", (size_t)3073 * 3074);
    assert_true(importing_refused(IMPORT("--from", "cifar", folder_path("either")),
                                  "select one by --cifar 10 or --cifar 100"));
    assert_int_equal(IMPORT("--from", "cifar", folder_path("either"), "--cifar", "100"), 0);
    dataset *d = importing_open();
    assert_true(d->count == 3073 && d->heads == 2);
    dataset_release(d);
}

static void another_file_may_tell_the_version(void **state) {
    (void)state;
    write_zeros("either", (size_t)3073 * 3074);
    write_zeros("ten", 3073);
    write_zeros("hundred", 3074);
    assert_int_equal(IMPORT("--from", "cifar", folder_path("either"), folder_path("ten")), 0);
    dataset *d = importing_open();
    assert_int_equal(d->count, 3075);
    dataset_release(d);
    assert_int_equal(rename(folder_path("set"), folder_path("aside")), 0);
    assert_true(
        importing_refused(IMPORT("--from", "cifar", folder_path("ten"), folder_path("hundred")),
                          "some files are CIFAR-10 and others CIFAR-100"));
}

static void bad_files_are_all_named_and_end_the_import(void **state) {
    (void)state;
    write_records("good", 1, 2, (const unsigned char[]){1, 2});
    write_records("label", 1, 3, (const unsigned char[]){1, 2, 10});
    write_zeros("short", PIXELS);
    assert_true(
        importing_refused(IMPORT("--from", "cifar", folder_path("good"), folder_path("label"),
                                 folder_path("short"), folder_path("missing")),
                          "--skip-bad imports the others"));
    assert_true(folder_said("label': record 2: label y is 10; the maximum is 9"));
    assert_true(folder_said(
        "short': the file has 3072 bytes, which is not a whole number of CIFAR-10 records"));
    assert_true(folder_said("missing': No such file or directory"));
    assert_true(folder_said("3 files could not be read, named above"));
    assert_int_equal(IMPORT("--from", "cifar", "--skip-bad", folder_path("good"),
                            folder_path("label"), folder_path("short"), folder_path("missing")),
                     0);
    assert_true(folder_said("imported 1 file\n"));
    dataset *d = importing_open();
    assert_int_equal(d->count, 2);
    dataset_release(d);
}

static void files_without_a_whole_record_are_refused(void **state) {
    (void)state;
    write_zeros("a", 0);
    assert_true(importing_refused(IMPORT("--from", "cifar", folder_path("a"), "--skip-bad"),
                                  "the files hold no records"));
    assert_true(folder_said("not a whole number of CIFAR-10 or CIFAR-100 records"));
}

RUN(IN_FOLDER(files_of_ten_classes_become_rows_in_their_order),
    IN_FOLDER(a_hundred_classes_are_two_heads),
    IN_FOLDER(a_length_that_fits_both_versions_needs_the_option),
    IN_FOLDER(another_file_may_tell_the_version),
    IN_FOLDER(bad_files_are_all_named_and_end_the_import),
    IN_FOLDER(files_without_a_whole_record_are_refused))
