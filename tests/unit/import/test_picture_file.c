/* The bytes of a file that an import reads. */
#include "small_set.h"

#include "datasets/dataset_picture.h"
#include "import/picture_file.h"

static void a_whole_file_is_mapped_and_told_from_others(void **state) {
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

static void a_file_that_is_written_to_meanwhile_is_not_unchanged(void **state) {
    (void)state;
    picture_file f = {.length = 0};
    folder_write("a", "abc", 3);
    assert_true(picture_file_open(&f, folder_path("a")));
    assert_true(picture_file_is_unchanged(&f, folder_path("a")));
    assert_int_equal(truncate(folder_path("a"), 2), 0);
    assert_false(picture_file_is_unchanged(&f, folder_path("a")));
    picture_file_close(&f);
    assert_true(picture_file_is_unchanged(&f, folder_path("a"))); /* closed: nothing is read */
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

RUN(IN_FOLDER(a_whole_file_is_mapped_and_told_from_others),
    IN_FOLDER(a_file_that_is_written_to_meanwhile_is_not_unchanged),
    IN_FOLDER(a_part_is_copied_and_noticed_if_it_is_cut_off),
    T(a_file_has_at_most_as_many_bytes_as_a_picture))
