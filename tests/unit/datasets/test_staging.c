/* The directory that a set is written in: nothing stands under the set's name before its end. */
#include "broken_list.h"
#include "folder.h"

#include "datasets/staging.h"

#include <stdarg.h>
#include <sys/file.h>
#include <sys/syscall.h>

/* An error that the file system gives to a rename without replacement; 0: none. */
static int no_rename;

static bool no_files_without_names; /* as of NFS */
static unsigned broken_sync_at;     /* the call from now on that fails; 0: none */

/* These take the place of libc's. */
int openat(int directory, const char *name, int flags, ...) {
    va_list more;
    va_start(more, flags);
    unsigned mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, unsigned) : 0;
    va_end(more);
    if (no_files_without_names && (flags & O_TMPFILE) == O_TMPFILE) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return (int)syscall(SYS_openat, directory, name, flags, mode);
}

int fsync(int fd) {
    if (broken_sync_at > 0 && --broken_sync_at == 0) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

int renameat2(int from_directory, const char *from, int to_directory, const char *to,
              unsigned flags) {
    if (flags && no_rename) {
        errno = no_rename;
        return -1;
    }
    return (int)syscall(SYS_renameat2, from_directory, from, to_directory, to, flags);
}

static int begin(void **state) {
    no_rename = 0;
    no_files_without_names = false;
    broken_sync_at = broken_list_at = 0;
    return folder_begin(state);
}

static void open_set(const char *name, staging *s) {
    assert_int_equal(staging_check(folder_path(name), s), STAGING_OK);
    assert_int_equal(staging_open(s), STAGING_OK);
}

static void write_file(const staging *s, const char *name) {
    FILE *file = staging_create(s, name);
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
}

static void a_set_has_its_name_once_it_is_published(void **state) {
    (void)state;
    staging s;
    open_set("set", &s);
    write_file(&s, "data.bin");
    assert_true(folder_exists(".set.partial/data.bin") && !folder_exists("set"));
    assert_int_equal(staging_publish(&s), STAGING_OK);
    staging_free(&s);
    assert_true(folder_exists("set/data.bin") && !folder_exists(".set.partial"));
}

static void a_set_that_is_given_up_leaves_nothing(void **state) {
    (void)state;
    staging s;
    open_set("set", &s);
    write_file(&s, "data.bin");
    write_file(&s, "labels.a.bin");
    staging_remove(&s);
    staging_free(&s);
    assert_int_equal(folder_count(""), 0);
}

static void a_name_that_is_not_valid_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"/tmp/a.b", "", "/", "x/..", "a b"};
    static const char *const blamed[] = {"a.b", "", "", "..", "a b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        staging s;
        assert_int_equal(staging_check(bad[i], &s), STAGING_BAD_NAME);
        assert_string_equal(s.blamed, blamed[i]);
        staging_free(&s);
    }
}

static void slashes_at_the_end_do_not_matter_and_a_bare_name_stands_here(void **state) {
    (void)state;
    staging s;
    assert_int_equal(staging_check("/a/b//", &s), STAGING_OK);
    assert_string_equal(s.path, "/a/b");
    assert_string_equal(s.parent, "/a");
    assert_string_equal(s.partial, ".b.partial");
    staging_free(&s);
    assert_int_equal(staging_check("no-such-set", &s), STAGING_OK);
    assert_string_equal(s.parent, ".");
    staging_free(&s);
    assert_int_equal(staging_check("/no-such-set", &s), STAGING_OK);
    assert_string_equal(s.parent, "/");
    staging_free(&s);
}

static void anything_under_the_name_counts_as_the_set(void **state) {
    (void)state;
    staging s;
    folder_make("set");
    assert_int_equal(staging_check(folder_path("set"), &s), STAGING_EXISTS);
    staging_free(&s);
    assert_int_equal(symlink("nowhere", folder_path("link")), 0);
    assert_int_equal(staging_check(folder_path("link"), &s), STAGING_EXISTS);
    staging_free(&s);
}

static void directories_above_the_set_are_made(void **state) {
    (void)state;
    staging s;
    open_set("a/b/c", &s);
    assert_true(folder_exists("a/b/.c.partial"));
    staging_remove(&s);
    staging_free(&s);
}

static void a_directory_that_cannot_be_made_is_blamed(void **state) {
    (void)state;
    staging s;
    folder_write("plain", "", 0);
    assert_int_equal(staging_check(folder_path("plain/a"), &s), STAGING_OK);
    assert_int_equal(staging_open(&s), STAGING_FAILED);
    assert_int_equal(errno, ENOTDIR);
    assert_string_equal(s.blamed, folder_path("plain"));
    staging_free(&s);
    assert_int_equal(symlink("nothing", folder_path("dangling")), 0);
    assert_int_equal(staging_check(folder_path("dangling/b/set"), &s), STAGING_OK);
    assert_int_equal(staging_open(&s), STAGING_FAILED);
    assert_string_equal(s.blamed, folder_path("dangling/b"));
    staging_free(&s);
}

static void of_two_writers_the_second_is_refused_until_the_first_ends(void **state) {
    (void)state;
    staging first, second;
    open_set("set", &first);
    assert_int_equal(staging_check(folder_path("set"), &second), STAGING_OK);
    assert_int_equal(staging_open(&second), STAGING_BUSY);
    staging_remove(&second); /* which must not touch the files of the first */
    assert_true(folder_exists(".set.partial"));
    staging_remove(&first);
    staging_free(&first);
    assert_int_equal(staging_open(&second), STAGING_OK);
    staging_remove(&second);
    staging_free(&second);
}

static void files_of_a_writer_that_was_killed_stay_until_they_are_removed(void **state) {
    (void)state;
    staging s;
    folder_make(".set.partial");
    folder_write(".set.partial/data.bin", "stale", 5);
    folder_write(".set.partial/labels.bin", "stale", 5);
    open_set("set", &s);
    assert_true(s.left);
    assert_int_equal(folder_count(".set.partial"), 2);
    staging_empty(&s);
    assert_int_equal(folder_count(".set.partial"), 0);
    staging_remove(&s);
    staging_free(&s);
}

static void a_file_that_was_left_is_cut_and_written_on(void **state) {
    (void)state;
    unsigned char read[8];
    staging s;
    folder_make(".set.partial");
    folder_write(".set.partial/data.bin", "stale", 5);
    open_set("set", &s);
    assert_null(staging_reopen(&s, "data.bin", 6)); /* it is shorter */
    assert_null(staging_reopen(&s, "index.bin", 0));
    FILE *file = staging_reopen(&s, "data.bin", 3);
    assert_true(file && fputs("ge", file) >= 0 && fclose(file) == 0);
    assert_int_equal(folder_read(".set.partial/data.bin", read, sizeof read), 5);
    assert_memory_equal(read, "stage", 5);
    staging_remove(&s);
    staging_free(&s);
}

static void a_scratch_file_has_no_name_and_a_replaced_file_is_whole(void **state) {
    (void)state;
    unsigned char read[8];
    staging s;
    open_set("set", &s);
    FILE *file = staging_scratch(&s);
    assert_true(file && fputs("x", file) >= 0 && fflush(file) == 0);
    assert_int_equal(folder_count(".set.partial"), 0);
    assert_true(staging_replace(&s, "journal", "one") && staging_replace(&s, "journal", "two"));
    assert_int_equal(folder_read(".set.partial/journal", read, sizeof read), 3);
    assert_memory_equal(read, "two", 3);
    assert_int_equal(folder_count(".set.partial"), 1);
    assert_true(staging_drop(&s, "journal") && staging_drop(&s, "journal"));
    assert_int_equal(folder_count(".set.partial"), 0);
    assert_int_equal(fclose(file), 0);
    staging_remove(&s);
    staging_free(&s);
}

static void a_scratch_file_takes_the_place_of_one_that_was_left(void **state) {
    (void)state;
    staging s;
    folder_make(".set.partial");
    folder_write(".set.partial/scratch", "stale", 5);
    open_set("set", &s);
    no_files_without_names = true;
    FILE *file = staging_scratch(&s);
    assert_true(file && fgetc(file) == EOF && fclose(file) == 0);
    assert_int_equal(folder_count(".set.partial"), 0);
    staging_remove(&s);
    staging_free(&s);
}

/* They may be hours of rows, which the next writer goes on with. */
static void files_that_are_not_known_to_be_there_stay(void **state) {
    (void)state;
    staging s;
    folder_make(".set.partial");
    folder_write(".set.partial/data.bin", "stale", 5);
    assert_int_equal(staging_check(folder_path("set"), &s), STAGING_OK);
    broken_list_at = 1;
    assert_int_equal(staging_open(&s), STAGING_FAILED);
    assert_int_equal(errno, EIO);
    assert_string_equal(s.blamed, ".set.partial");
    staging_remove(&s);
    staging_free(&s);
    open_set("set", &s);
    assert_true(s.left);
    staging_remove(&s);
    staging_free(&s);
}

static void the_files_of_a_set_stay_where_its_name_is_not_known_to_be_on_the_disk(void **state) {
    (void)state;
    staging s;
    open_set("set", &s);
    write_file(&s, "data.bin");
    broken_sync_at = 2; /* that of the directory above; the first is the set's */
    assert_int_equal(staging_publish(&s), STAGING_FAILED);
    assert_int_equal(errno, EIO);
    assert_string_equal(s.blamed, folder_path("set"));
    staging_remove(&s);
    staging_free(&s);
    assert_true(folder_exists("set/data.bin"));
    open_set("other", &s);
    write_file(&s, "data.bin");
    broken_sync_at = 1;
    assert_int_equal(staging_publish(&s), STAGING_FAILED);
    staging_remove(&s);
    staging_free(&s);
    assert_false(folder_exists("other") || folder_exists(".other.partial"));
}

/* They are not this program's, so they are not removed. */
static void files_of_other_names_stay(void **state) {
    (void)state;
    staging s;
    folder_make(".set.partial");
    folder_write(".set.partial/notes", "mine", 4);
    open_set("set", &s);
    staging_remove(&s);
    staging_free(&s);
    assert_true(folder_exists(".set.partial/notes"));
}

static void a_staging_directory_that_is_a_link_is_refused(void **state) {
    (void)state;
    staging s;
    folder_make("elsewhere");
    assert_int_equal(symlink("elsewhere", folder_path(".set.partial")), 0);
    assert_int_equal(staging_check(folder_path("set"), &s), STAGING_OK);
    assert_int_equal(staging_open(&s), STAGING_FAILED);
    assert_string_equal(s.blamed, ".set.partial");
    staging_free(&s);
}

static void a_set_that_came_meanwhile_is_not_replaced(void **state) {
    (void)state;
    static const int errors[] = {0, EINVAL, ENOSYS};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        staging s;
        open_set("set", &s);
        folder_make("set");
        no_rename = errors[i];
        assert_int_equal(staging_publish(&s), STAGING_FAILED);
        assert_int_equal(errno, EEXIST);
        no_rename = 0;
        staging_remove(&s);
        staging_free(&s);
        assert_int_equal(rmdir(folder_path("set")), 0);
    }
}

/* As NFS cannot. */
static void a_file_system_without_exclusive_renames_publishes_too(void **state) {
    (void)state;
    staging s;
    open_set("set", &s);
    no_rename = EINVAL;
    assert_int_equal(staging_publish(&s), STAGING_OK);
    staging_free(&s);
    assert_true(folder_exists("set"));
}

static void another_error_of_the_rename_is_given(void **state) {
    (void)state;
    staging s;
    open_set("set", &s);
    no_rename = EACCES;
    assert_int_equal(staging_publish(&s), STAGING_FAILED);
    assert_int_equal(errno, EACCES);
    assert_string_equal(s.blamed, folder_path("set"));
    staging_remove(&s);
    staging_free(&s);
}

#define STAGED(test) cmocka_unit_test_setup_teardown(test, begin, folder_end)
RUN(STAGED(a_set_has_its_name_once_it_is_published), STAGED(a_set_that_is_given_up_leaves_nothing),
    STAGED(a_name_that_is_not_valid_is_refused),
    STAGED(slashes_at_the_end_do_not_matter_and_a_bare_name_stands_here),
    STAGED(anything_under_the_name_counts_as_the_set), STAGED(directories_above_the_set_are_made),
    STAGED(a_directory_that_cannot_be_made_is_blamed),
    STAGED(of_two_writers_the_second_is_refused_until_the_first_ends),
    STAGED(files_of_a_writer_that_was_killed_stay_until_they_are_removed),
    STAGED(a_file_that_was_left_is_cut_and_written_on),
    STAGED(a_scratch_file_has_no_name_and_a_replaced_file_is_whole),
    STAGED(a_scratch_file_takes_the_place_of_one_that_was_left),
    STAGED(files_that_are_not_known_to_be_there_stay),
    STAGED(the_files_of_a_set_stay_where_its_name_is_not_known_to_be_on_the_disk),
    STAGED(files_of_other_names_stay), STAGED(a_staging_directory_that_is_a_link_is_refused),
    STAGED(a_set_that_came_meanwhile_is_not_replaced),
    STAGED(a_file_system_without_exclusive_renames_publishes_too),
    STAGED(another_error_of_the_rename_is_given))
