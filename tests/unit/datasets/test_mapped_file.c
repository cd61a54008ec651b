#include "unit.h"

#include "datasets/mapped_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];
static int directory;

static int begin(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/fmixd-unit-XXXXXX");
    directory = mkdtemp(folder) ? open(folder, O_RDONLY | O_DIRECTORY) : -1;
    return directory < 0;
}

static int end(void **state) {
    (void)state;
    static const char *const names[] = {"file", "empty", "link"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlinkat(directory, names[i], 0);
    close(directory);
    rmdir(folder);
    return 0;
}

static bool is_broken(const mapped_file *m) {
    return mapped_file_state_of(m) == MAPPED_FILE_BROKEN;
}

static const char *path_of(const char *name) {
    static char path[100];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, size_t bytes) {
    int fd = openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    for (size_t i = 0; i < bytes; i++)
        assert_int_equal(write(fd, "x", 1), 1);
    close(fd);
}

static void a_file_is_mapped_whole(void **state) {
    (void)state;
    mapped_file m;
    write_file("file", 5000);
    assert_true(mapped_file_open(directory, "file", &m));
    assert_int_equal(m.length, 5000);
    assert_true(m.bytes[0] == 'x' && m.bytes[4999] == 'x');
    assert_false(is_broken(&m));
    mapped_file_close(&m);
    assert_null(m.bytes);
    mapped_file_close(&m);
}

static void loading_bytes_that_cannot_be_read_breaks_the_map(void **state) {
    (void)state;
    mapped_file m;
    mapped_file_start();
    write_file("file", 5 * 4096);
    assert_true(mapped_file_open(directory, "file", &m));
    assert_int_equal(truncate(path_of("file"), 2 * 4096), 0);
    mapped_file_load(&m, 100, 8000);
    mapped_file_load(&m, 4096, 0);
    assert_false(is_broken(&m));
    mapped_file_load(&m, 8191, 2);
    assert_true(is_broken(&m));
    mapped_file_close(&m);
    mapped_file_load(&(mapped_file){.slot = -1}, 0, 10);
}

static void an_empty_file_has_no_bytes(void **state) {
    (void)state;
    mapped_file m;
    write_file("empty", 0);
    assert_true(mapped_file_open(directory, "empty", &m));
    assert_true(m.bytes == NULL && m.length == 0 && !is_broken(&m));
    mapped_file_close(&m);
}

static void only_regular_files_are_mapped(void **state) {
    (void)state;
    mapped_file m;
    write_file("file", 1);
    assert_int_equal(symlinkat("file", directory, "link"), 0);
    assert_false(mapped_file_open(directory, "link", &m));
    assert_true(mapped_file_open_path(path_of("link"), &m)); /* a path that a user gives */
    assert_true(m.length == 1 && mapped_file_is_current(&m, path_of("link")));
    mapped_file_close(&m);
    assert_false(mapped_file_open(directory, "nothing", &m));
    assert_int_equal(errno, ENOENT);
    assert_false(mapped_file_open(directory, ".", &m));
    assert_int_equal(errno, EISDIR);
    assert_int_equal(mkfifoat(directory, "tick", 0600), 0);
    assert_false(mapped_file_open(directory, "tick", &m)); /* and nobody waits for a writer */
    assert_int_equal(errno, MAPPED_FILE_NOT_REGULAR);
    assert_int_equal(unlinkat(directory, "tick", 0), 0);
}

static void errors_have_a_text_that_says_what_is_wrong(void **state) {
    (void)state;
    assert_string_equal(mapped_file_error(ENOENT), "No such file or directory");
    assert_string_equal(mapped_file_error(MAPPED_FILE_NOT_REGULAR), "Not a regular file");
    assert_string_equal(mapped_file_error(MAPPED_FILES_FULL),
                        "The limit of open data files is reached (32768)");
}

static void a_file_cut_short_reads_as_zeros_and_is_marked(void **state) {
    (void)state;
    mapped_file m, other;
    mapped_file_start(); /* cmocka has a handler of its own */
    write_file("file", 5 * 4096);
    write_file("empty", 4096);
    assert_true(mapped_file_open(directory, "file", &m) &&
                mapped_file_open(directory, "empty", &other));
    int fd = openat(directory, "file", O_WRONLY);
    assert_int_equal(ftruncate(fd, 4096), 0);
    close(fd);
    volatile const unsigned char *bytes = m.bytes;
    assert_int_equal(bytes[100], 'x');
    assert_false(is_broken(&m));
    assert_int_equal(bytes[2 * 4096 + 7], 0);
    assert_int_equal(bytes[4 * 4096], 0);
    assert_true(is_broken(&m));
    assert_false(is_broken(&other));
    mapped_file_close(&m);
    mapped_file_close(&other);
    write_file("file", 4096); /* the next file in the same slot is whole */
    assert_true(mapped_file_open(directory, "file", &m) && !is_broken(&m));
    mapped_file_close(&m);
}

static void change(const char *name, off_t length, const char *text) {
    int fd = openat(directory, name, O_WRONLY);
    assert_int_equal(ftruncate(fd, length), 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static long long written(const char *name) {
    struct stat s;
    assert_int_equal(fstatat(directory, name, &s, 0), 0);
    return s.st_mtim.tv_sec * 1000000000LL + s.st_mtim.tv_nsec;
}

/* Waits until the clock of the file system has moved on: what is written from now on is newer. */
static void await_tick(void) {
    write_file("tick", 1);
    const long long now = written("tick");
    UNIT_UNTIL((change("tick", 1, "t"), written("tick")) > now);
    assert_int_equal(unlinkat(directory, "tick", 0), 0);
}

static void a_cut_within_a_page_and_an_overwrite_are_seen(void **state) {
    (void)state;
    mapped_file cut, altered;
    write_file("file", 5000);
    write_file("empty", 5000);
    assert_true(mapped_file_open(directory, "file", &cut) &&
                mapped_file_open(directory, "empty", &altered));
    assert_true(mapped_file_is_current(&cut, path_of("file")) &&
                mapped_file_is_current(&altered, path_of("empty")));
    await_tick();
    change("file", 4999, "");
    change("empty", 5000, "y");
    assert_false(is_broken(&cut) || is_broken(&altered));
    assert_false(mapped_file_is_current(&cut, path_of("file")) ||
                 mapped_file_is_current(&altered, path_of("empty")));
    assert_true(is_broken(&cut) && is_broken(&altered));
    mapped_file_close(&cut);
    mapped_file_close(&altered);
}

static void assert_state(mapped_file *m, mapped_file_state state) {
    assert_int_equal(mapped_file_is_current(m, path_of("file")), state == MAPPED_FILE_WHOLE);
    assert_int_equal(mapped_file_state_of(m), state);
}

static void an_overwrite_with_its_time_set_back_is_doubtful(void **state) {
    (void)state;
    struct stat s;
    mapped_file m;
    write_file("file", 5000);
    assert_int_equal(stat(path_of("file"), &s), 0);
    assert_true(mapped_file_open(directory, "file", &m));
    assert_state(&m, MAPPED_FILE_WHOLE);
    await_tick();
    change("file", 5000, "y");
    const struct timespec back[2] = {s.st_atim, s.st_mtim};
    assert_int_equal(utimensat(directory, "file", back, 0), 0);
    assert_state(&m, MAPPED_FILE_DOUBTFUL);
    change("file", 4999, "");
    assert_state(&m, MAPPED_FILE_BROKEN); /* and never only doubtful again */
    assert_int_equal(truncate(path_of("file"), 5000), 0);
    assert_int_equal(utimensat(directory, "file", back, 0), 0);
    mapped_file_is_current(&m, path_of("file"));
    assert_int_equal(mapped_file_state_of(&m), MAPPED_FILE_BROKEN);
    mapped_file_close(&m);
}

static void a_mode_or_a_link_leaves_a_file_doubtful_and_not_broken(void **state) {
    (void)state;
    mapped_file m;
    write_file("file", 5000);
    assert_true(mapped_file_open(directory, "file", &m));
    await_tick();
    assert_int_equal(chmod(path_of("file"), 0640), 0);
    assert_state(&m, MAPPED_FILE_DOUBTFUL);
    mapped_file_close(&m);
    assert_true(mapped_file_open(directory, "file", &m)); /* anew, it is whole */
    assert_state(&m, MAPPED_FILE_WHOLE);
    await_tick();
    assert_int_equal(linkat(directory, "file", directory, "link", 0), 0);
    assert_state(&m, MAPPED_FILE_DOUBTFUL);
    mapped_file_close(&m);
}

static void a_file_that_is_removed_or_replaced_stays_mapped(void **state) {
    (void)state;
    mapped_file m, other;
    write_file("file", 5000);
    assert_true(mapped_file_open(directory, "file", &m));
    assert_int_equal(unlinkat(directory, "file", 0), 0);
    assert_true(mapped_file_is_current(&m, path_of("file")));
    write_file("empty", 0);
    write_file("file", 3);
    assert_true(mapped_file_is_current(&m, path_of("file")) &&
                mapped_file_open(directory, "empty", &other));
    assert_true(mapped_file_is_current(&other, path_of("empty")) && !is_broken(&m));
    mapped_file_close(&m);
}

static void one_file_more_than_the_limit_is_refused(void **state) {
    (void)state;
    static mapped_file maps[MAPPED_FILES_MOST];
    mapped_file more;
    write_file("file", 1);
    for (int i = 0; i < MAPPED_FILES_MOST; i++)
        assert_true(mapped_file_open(directory, "file", &maps[i]));
    assert_false(mapped_file_open(directory, "file", &more));
    assert_int_equal(errno, MAPPED_FILES_FULL);
    mapped_file_close(&maps[7]);
    assert_true(mapped_file_open(directory, "file", &maps[7]));
    for (int i = 0; i < MAPPED_FILES_MOST; i++)
        mapped_file_close(&maps[i]);
}

static void another_bus_error_ends_the_process(void **state) {
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        mapped_file_start();
        raise(SIGBUS);
        raise(SIGBUS);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, begin, end)
static void forgotten_bytes_are_read_again(void **state) {
    (void)state;
    static const size_t parts[][2] = {{0, 40000},   {0, 1},     {4095, 2},
                                      {4096, 4096}, {39999, 1}, {5, 0}};
    mapped_file m;
    write_file("file", 40000);
    assert_true(mapped_file_open(directory, "file", &m));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        mapped_file_forget(&m, parts[i][0], parts[i][1]);
        for (size_t at = 0; at < 40000; at++)
            assert_int_equal(m.bytes[at], 'x');
    }
    assert_false(is_broken(&m));
    mapped_file_close(&m);
    mapped_file_forget(&m, 0, 0);
}

RUN(IN_FOLDER(a_file_is_mapped_whole), IN_FOLDER(forgotten_bytes_are_read_again),
    IN_FOLDER(loading_bytes_that_cannot_be_read_breaks_the_map),
    IN_FOLDER(an_empty_file_has_no_bytes), IN_FOLDER(only_regular_files_are_mapped),
    T(errors_have_a_text_that_says_what_is_wrong),
    IN_FOLDER(a_file_cut_short_reads_as_zeros_and_is_marked),
    IN_FOLDER(a_cut_within_a_page_and_an_overwrite_are_seen),
    IN_FOLDER(an_overwrite_with_its_time_set_back_is_doubtful),
    IN_FOLDER(a_mode_or_a_link_leaves_a_file_doubtful_and_not_broken),
    IN_FOLDER(a_file_that_is_removed_or_replaced_stays_mapped),
    IN_FOLDER(one_file_more_than_the_limit_is_refused),
    IN_FOLDER(another_bus_error_ends_the_process))
