/* Sets that break, come in numbers, or take long to read, and the thread that looks for them. */
#include "unit.h"

#include "datasets/catalog_scanner.h"
#include "datasets/dataset_writer.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64], reason[CATALOG_REASON];
static FILE *said; /* what was complained of */
static char *text;
static size_t length;

static int begin(void **state) {
    (void)state;
    snprintf(root, sizeof root, "/tmp/fmixd-shelf-XXXXXX");
    said = open_memstream(&text, &length);
    return mkdtemp(root) && said ? 0 : -1;
}

static const char *path_of(const char *name) {
    static char path[2][400];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", root, name);
    return path[turn];
}

static void remove_set(const char *name) {
    static const char *const files[] = {"manifest.json", "data.bin"};
    char path[400];
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s/%s", root, name, files[i]);
        unlink(path);
    }
    rmdir(path_of(name));
}

static int end(void **state) {
    (void)state;
    DIR *d = opendir(root);
    for (const struct dirent *e; d && (e = readdir(d));)
        if (e->d_name[0] != '.')
            remove_set(e->d_name);
    closedir(d);
    fclose(said);
    free(text);
    return rmdir(root);
}

static void write_set(const char *name) {
    static const unsigned char pixels[12] = {1, 2, 3};
    const dataset_writer_facts facts = {
        .type = DTYPE_U8, .rank = 2, .side = {2, 2}, .layout = LAYOUT_NONE};
    dataset_writer *w = dataset_writer_new(path_of(name), &facts, said);
    assert_true(w && dataset_writer_rows(w, pixels, 3) && dataset_writer_finish(w));
}

/* Of zeros that the disk need not hold; to read it takes half a minute, and then its digest is
 * wrong.
 */
static void write_large(const char *name) {
    assert_int_equal(mkdir(path_of(".large"), 0700), 0);
    FILE *file = fopen(path_of(".large/manifest.json"), "w");
    assert_non_null(file);
    fputs("{\"fmixd\": 1, \"count\": 32768, \"dtype\": \"u8\", \"shape\": [1024, 1024],"
          " \"layout\": \"none\", \"heads\": [], \"digest\": \"",
          file);
    for (int i = 0; i < 64; i++)
        fputc('0', file);
    fputs("\"}", file);
    assert_int_equal(fclose(file), 0);
    int fd = open(path_of(".large/data.bin"), O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0 && ftruncate(fd, (off_t)32 << 30) == 0);
    close(fd);
    assert_int_equal(rename(path_of(".large"), path_of(name)), 0);
}

static catalog *filled(void) {
    catalog *s = catalog_new(root, true, said);
    assert_non_null(s);
    return s;
}

static bool is_served(catalog *s, const char *name) {
    dataset *d = catalog_find(s, name, reason);
    bool served = d && dataset_state(d) == MAPPED_FILE_WHOLE;
    dataset_release(d);
    return served;
}

/* One byte of a set's data, in place; then its time of writing as it was. */
static void alter(const char *name, unsigned char byte) {
    struct stat s;
    int fd = open(path_of(name), O_RDWR);
    assert_true(fd >= 0 && fstat(fd, &s) == 0);
    assert_int_equal(pwrite(fd, &byte, 1, 0), 1);
    const struct timespec back[2] = {s.st_atim, s.st_mtim};
    assert_int_equal(futimens(fd, back), 0);
    close(fd);
}

static void
what_cannot_be_opened_is_known_with_the_reason_and_is_none_of_those_served(void **state) {
    (void)state;
    write_set("a");
    write_set("b");
    assert_int_equal(unlink(path_of("a/data.bin")), 0);
    catalog *s = filled();
    assert_false(is_served(s, "a"));
    assert_string_equal(reason, "data set 'a': data.bin cannot be read: No such file or directory");
    assert_true(is_served(s, "b"));
    dataset *first = catalog_nth(s, 0);
    assert_string_equal(first->name, "b");
    dataset_release(first);
    assert_null(catalog_nth(s, 1));
    assert_int_equal(unlink(path_of("b/manifest.json")), 0);
    assert_int_equal(mkdir(path_of("nothing"), 0700), 0);
    assert_true(catalog_scan(s, NULL, said));
    assert_false(is_served(s, "b")); /* without a manifest it is no set */
    assert_string_equal(reason, "");
    assert_false(is_served(s, "nothing"));
    assert_string_equal(reason, "");
    catalog_free(s);
}

static void a_manifest_that_is_no_file_is_a_reason(void **state) {
    (void)state;
    assert_int_equal(mkdir(path_of("a"), 0700), 0);
    assert_int_equal(mkfifo(path_of("a/manifest.json"), 0600), 0);
    catalog *s = filled();
    assert_false(is_served(s, "a"));
    assert_non_null(strstr(reason, "data set 'a': manifest.json cannot be read: "));
    catalog_free(s);
}

static void hundreds_are_served_in_the_order_of_their_names(void **state) {
    (void)state;
    enum { ALL = 300 };
    char name[16];
    for (int i = ALL; i-- > 0;) {
        snprintf(name, sizeof name, "s%03d", i);
        write_set(name);
    }
    catalog *s = filled();
    for (int i = 0; i < ALL; i++) {
        snprintf(name, sizeof name, "s%03d", i);
        dataset *d = catalog_nth(s, (size_t)i);
        assert_non_null(d);
        assert_string_equal(d->name, name);
        dataset_release(d);
        assert_true(is_served(s, name));
    }
    assert_null(catalog_nth(s, ALL));
    catalog_free(s);
}

/* Until the clock of files has moved on since the set was opened. */
static void await_tick(catalog *s, const char *name) {
    dataset *d = catalog_find(s, name, reason);
    struct stat now;
    do {
        FILE *file = fopen(path_of(".tick"), "w");
        assert_non_null(file);
        fclose(file);
        assert_int_equal(stat(path_of(".tick"), &now), 0);
    } while (mapped_file_stamp_of(&now).changed == d->data.stamp.changed);
    unlink(path_of(".tick"));
    dataset_release(d);
}

/* As an answer does. */
static void look_at(catalog *s, const char *name) {
    dataset *d = catalog_find(s, name, reason);
    dataset_is_whole(d);
    dataset_release(d);
}

static void a_new_mode_makes_a_set_doubtful_until_the_scanner_has_read_it(void **state) {
    (void)state;
    write_set("a");
    catalog *s = filled();
    await_tick(s, "a");
    assert_int_equal(chmod(path_of("a/data.bin"), 0640), 0);
    assert_false(catalog_has_doubtful(s));
    look_at(s, "a");
    assert_true(catalog_has_doubtful(s));
    assert_false(is_served(s, "a"));
    catalog_scanner *thread = catalog_scanner_new(s, said);
    assert_non_null(thread);
    UNIT_UNTIL(is_served(s, "a"));
    assert_false(catalog_has_doubtful(s));
    catalog_scanner_free(thread);
    catalog_free(s);
}

static void bytes_altered_with_their_time_put_back_are_found_and_never_served(void **state) {
    (void)state;
    write_set("a");
    catalog *s = filled();
    await_tick(s, "a");
    alter("a/data.bin", 9);
    look_at(s, "a");
    assert_false(is_served(s, "a"));
    catalog_scanner *thread = catalog_scanner_new(s, said);
    UNIT_UNTIL(!is_served(s, "a") && reason[0]);
    assert_non_null(strstr(reason, "its digest is "));
    alter("a/data.bin", 1);
    catalog_scanner_ask(thread);
    UNIT_UNTIL(is_served(s, "a"));
    catalog_scanner_free(thread);
    catalog_free(s);
}

static bool is_mapped(const char *name) {
    char line[1000];
    bool found = false;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (!found && fgets(line, sizeof line, maps))
        found = strstr(line, name) != NULL;
    fclose(maps);
    return found;
}

static void who_asks_for_a_scan_does_not_wait_and_its_end_interrupts_it(void **state) {
    (void)state;
    write_set("a");
    catalog *s = filled();
    catalog_scanner *thread = catalog_scanner_new(s, said);
    write_large("large");
    catalog_scanner_ask(thread);
    UNIT_UNTIL(is_mapped("large/data.bin"));
    write_set("b");
    catalog_scanner_ask(thread);
    assert_true(is_served(s, "a"));
    assert_true(is_mapped("large/data.bin")); /* still at it */
    catalog_scanner_free(thread);
    assert_false(is_mapped("large/data.bin"));
    assert_false(is_served(s, "large"));
    assert_string_equal(reason, "");
    assert_true(is_served(s, "a"));
    catalog_free(s);
}

#define IN_ROOT(test) cmocka_unit_test_setup_teardown(test, begin, end)
RUN(IN_ROOT(what_cannot_be_opened_is_known_with_the_reason_and_is_none_of_those_served),
    IN_ROOT(a_manifest_that_is_no_file_is_a_reason),
    IN_ROOT(hundreds_are_served_in_the_order_of_their_names),
    IN_ROOT(a_new_mode_makes_a_set_doubtful_until_the_scanner_has_read_it),
    IN_ROOT(bytes_altered_with_their_time_put_back_are_found_and_never_served),
    IN_ROOT(who_asks_for_a_scan_does_not_wait_and_its_end_interrupts_it))
