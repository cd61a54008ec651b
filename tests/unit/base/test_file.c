#include "unit.h"

#include "base/file.h"

#include <dirent.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[] = "/tmp/fmixd-file-XXXXXX";

static const char *path_of(const char *name) {
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* The messages that a call printed on `errors`; closes `errors`. */
static char *said(FILE *errors) {
    static char text[1000];
    rewind(errors);
    text[fread(text, 1, sizeof text - 1, errors)] = 0;
    fclose(errors);
    return text;
}

static unsigned files_in(const char *path) {
    unsigned count = 0;
    DIR *d = opendir(path);
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d));)
        count += e->d_name[0] != '.';
    closedir(d);
    return count;
}

static void text_that_is_written_is_read_again(void **state) {
    (void)state;
    static const char *const texts[] = {"first, the longer one\n", "second\n", ""};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_true(file_write("wisdom", path_of("text"), texts[i], stderr));
        char *text = file_read("wisdom", path_of("text"), 100, false, stderr);
        assert_non_null(text);
        assert_string_equal(text, texts[i]);
        file_free(text);
    }
    assert_int_equal(files_in(folder), 1);
    unlink(path_of("text"));
}

static void a_failure_to_write_has_a_message_and_leaves_no_file(void **state) {
    (void)state;
    FILE *errors = tmpfile();
    assert_false(file_write("wisdom", path_of("no/such/place"), "text", errors));
    assert_non_null(strstr(said(errors), "wisdom: '"));
    errors = tmpfile();
    assert_int_equal(mkdir(path_of("taken"), 0700), 0);
    assert_false(file_write("wisdom", path_of("taken"), "text", errors));
    assert_non_null(strstr(said(errors), "is a directory; it must be a regular file"));
    assert_int_equal(files_in(folder), 1);
    rmdir(path_of("taken"));
}

static void a_file_that_is_too_long_or_holds_a_nul_is_refused(void **state) {
    (void)state;
    FILE *out = fopen(path_of("text"), "w");
    fwrite("ab\0cd", 1, 5, out);
    fclose(out);
    FILE *errors = tmpfile();
    assert_null(file_read("tokens", path_of("text"), 100, false, errors));
    assert_non_null(strstr(said(errors), "NUL"));
    errors = tmpfile();
    assert_null(file_read("tokens", path_of("text"), 4, false, errors));
    assert_non_null(strstr(said(errors), "more than 4 bytes"));
    errors = tmpfile();
    assert_null(file_read("tokens", path_of("absent"), 4, false, errors));
    assert_non_null(strstr(said(errors), "tokens: '"));
    unlink(path_of("text"));
}

static void a_secret_that_others_may_read_has_a_warning(void **state) {
    (void)state;
    static const struct {
        mode_t mode;
        bool said;
    } table[] = {{0600, false}, {0640, false}, {0644, true}, {0602, true}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        FILE *errors = tmpfile();
        assert_true(file_write("tokens", path_of("text"), "secret", stderr));
        assert_int_equal(chmod(path_of("text"), table[i].mode), 0);
        char *text = file_read("tokens", path_of("text"), 100, true, errors);
        assert_string_equal(text, "secret");
        file_free(text);
        assert_int_equal(strstr(said(errors), "warning") != NULL, table[i].said);
    }
    unlink(path_of("text"));
}

/* A call that waited for a writer would never return. */
static void a_file_that_is_not_regular_is_refused_at_once_by_its_kind(void **state) {
    (void)state;
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s/socket", folder);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
    assert_int_equal(symlink("fifo", path_of("link")), 0);
    static const struct {
        const char *name, *kind;
    } table[] = {
        {"fifo", "a FIFO"}, {"link", "a FIFO"}, {".", "a directory"}, {"socket", "a socket"}};
    alarm(60);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char wanted[100];
        snprintf(wanted, sizeof wanted, "/%s' is %s; it must be a regular file\n", table[i].name,
                 table[i].kind);
        FILE *errors = tmpfile();
        assert_null(file_read("tokens", path_of(table[i].name), 100, true, errors));
        assert_non_null(strstr(said(errors), wanted));
        errors = tmpfile();
        assert_false(file_write("wisdom", path_of(table[i].name), "text", errors));
        assert_non_null(strstr(said(errors), wanted));
    }
    FILE *errors = tmpfile();
    assert_null(file_read("tokens", "/dev/null", 100, true, errors));
    assert_non_null(strstr(said(errors), "'/dev/null' is a character device; it must be"));
    alarm(0);
    close(fd);
    unlink(path_of("socket"));
    unlink(path_of("link"));
    unlink(path_of("fifo"));
}

static void a_fifo_in_place_of_the_temporary_file_is_not_waited_for(void **state) {
    (void)state;
    char beside[32];
    snprintf(beside, sizeof beside, "text.%ld", (long)getpid());
    assert_int_equal(mkfifo(path_of(beside), 0600), 0);
    alarm(60);
    FILE *errors = tmpfile();
    assert_false(file_write("wisdom", path_of("text"), "text", errors));
    assert_non_null(strstr(said(errors), "cannot be written"));
    alarm(0);
    unlink(path_of(beside));
}

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(text_that_is_written_is_read_again),
        T(a_failure_to_write_has_a_message_and_leaves_no_file),
        T(a_file_that_is_too_long_or_holds_a_nul_is_refused),
        T(a_secret_that_others_may_read_has_a_warning),
        T(a_file_that_is_not_regular_is_refused_at_once_by_its_kind),
        T(a_fifo_in_place_of_the_temporary_file_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
