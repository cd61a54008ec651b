/* The bytes of a file that an import reads. */
#include "small_set.h"

#include "datasets/dataset_picture.h"
#include "import/picture_file.h"

static void a_whole_file_is_read_and_told_from_others(void **state) {
    (void)state;
    picture_file a = {.length = 0}, b = {.length = 0}, none = {.length = 0};
    folder_write("a", "abc", 3);
    folder_write("b", "abcd", 4);
    assert_true(picture_file_open(&a, folder_path("a")));
    assert_true(a.length == 3 && memcmp(picture_file_bytes(&a), "abc", 3) == 0);
    assert_true(picture_file_open(&b, folder_path("b")) && a.stamp != b.stamp);
    assert_false(picture_file_open(&none, folder_path("none")));
    assert_string_equal(none.why, "No such file or directory");
    picture_file_close(&a);
    picture_file_close(&b);
    picture_file_close(&none);
    assert_null(picture_file_bytes(&a));
}

static const size_t lengths[] = {0, 1, PICTURE_FILE_COPIED, PICTURE_FILE_COPIED + 1};
#define LENGTHS (sizeof lengths / sizeof *lengths)

static void short_files_are_copied_and_long_ones_mapped(void **state) {
    (void)state;
    static unsigned char bytes[PICTURE_FILE_COPIED + 1];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i % 251);
    for (size_t i = 0; i < LENGTHS; i++) {
        picture_file f = {.length = 0};
        folder_write("a", bytes, lengths[i]);
        assert_true(picture_file_open(&f, folder_path("a")) && f.length == lengths[i]);
        if (f.length > 0)
            assert_memory_equal(picture_file_bytes(&f), bytes, lengths[i]);
        assert_int_equal(f.copy != NULL, lengths[i] > 0 && lengths[i] <= PICTURE_FILE_COPIED);
        assert_int_equal(f.mapped.bytes != NULL, lengths[i] > PICTURE_FILE_COPIED);
        picture_file_close(&f);
    }
}

static void what_is_no_regular_file_is_refused(void **state) {
    (void)state;
    picture_file folder = {.length = 0}, pipe = {.length = 0};
    assert_int_equal(mkfifo(folder_path("pipe"), 0600), 0);
    assert_false(picture_file_open(&folder, folder_path(".")));
    assert_string_equal(folder.why, "Is a directory");
    assert_false(picture_file_open(&pipe, folder_path("pipe")));
    assert_string_equal(pipe.why, "Not a regular file");
}

static void a_file_that_is_written_to_meanwhile_is_not_unchanged(void **state) {
    (void)state;
    static const unsigned char bytes[PICTURE_FILE_COPIED + 1];
    for (size_t i = 1; i < LENGTHS; i++) {
        picture_file f = {.length = 0};
        folder_write("a", bytes, lengths[i]);
        assert_true(picture_file_open(&f, folder_path("a")));
        assert_true(picture_file_is_unchanged(&f, folder_path("a")));
        assert_int_equal(truncate(folder_path("a"), (off_t)lengths[i] - 1), 0);
        assert_false(picture_file_is_unchanged(&f, folder_path("a")));
        picture_file_close(&f);
        assert_true(picture_file_is_unchanged(&f, folder_path("a"))); /* closed: nothing is read */
    }
}

static void a_part_is_copied_and_noticed_if_it_is_cut_off(void **state) {
    (void)state;
    picture_file f = {.length = 0}, cut = {.length = 0};
    folder_write("a", "abcdef", 6);
    int fd = open(folder_path("a"), O_RDONLY);
    assert_true(picture_file_copy(&f, fd, 2, 3, 7) && f.length == 3);
    assert_memory_equal(picture_file_bytes(&f), "cde", 3);
    assert_false(picture_file_copy(&cut, fd, 5, 2, 7));
    assert_true(cut.changed && strstr(cut.why, "cut short"));
    picture_file_close(&f);
    picture_file_close(&cut);
    close(fd);
}

static void a_file_has_at_most_as_many_bytes_as_a_picture(void **state) {
    (void)state;
    picture_file f = {.length = 0};
    assert_true(picture_file_fits(&f, DATASET_PICTURE_BYTES));
    assert_false(picture_file_fits(&f, DATASET_PICTURE_BYTES + 1ull));
    assert_string_equal(f.why, "the file has 1073741825 bytes; the limit is 1073741824");
}

RUN(IN_FOLDER(a_whole_file_is_read_and_told_from_others),
    IN_FOLDER(short_files_are_copied_and_long_ones_mapped),
    IN_FOLDER(what_is_no_regular_file_is_refused),
    IN_FOLDER(a_file_that_is_written_to_meanwhile_is_not_unchanged),
    IN_FOLDER(a_part_is_copied_and_noticed_if_it_is_cut_off),
    T(a_file_has_at_most_as_many_bytes_as_a_picture))
