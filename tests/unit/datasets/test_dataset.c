#include "unit.h"

#include "datasets/catalog.h"
#include "datasets/dataset_writer.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of the file system: an error of renaming without replacement, or 0. */
static int no_rename;

/* Stands before libc's. */
int renameat2(int from_directory, const char *from, int to_directory, const char *to,
              unsigned flags) {
    if (flags && no_rename) {
        errno = no_rename;
        return -1;
    }
    return (int)syscall(SYS_renameat2, from_directory, from, to_directory, to, flags);
}

static char root[64];
static char reason[CATALOG_REASON];
static FILE *said; /* what was complained of */
static char *text;
static size_t length;

static int begin(void **state) {
    (void)state;
    snprintf(root, sizeof root, "/tmp/fmixd-shelf-XXXXXX");
    said = open_memstream(&text, &length);
    return !mkdtemp(root) || !said;
}

static const char *path_of(const char *name) {
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", root, name);
    return path;
}

static void remove_set(const char *name) {
    static const char *const files[] = {"manifest.json", "data.bin", "labels.bin", "labels.b.bin"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char file[100];
        snprintf(file, sizeof file, "%s/%s", name, files[i]);
        unlink(path_of(file));
    }
    rmdir(path_of(name));
}

static int end(void **state) {
    (void)state;
    static const char *const sets[] = {"a", "b", "c"};
    for (size_t i = 0; i < 3; i++)
        remove_set(sets[i]);
    fclose(said);
    free(text);
    return rmdir(root); /* nothing half-written is left */
}

static const unsigned char pixels[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

static bool write_set(const char *name, unsigned rows) {
    static const unsigned char numbers[] = {0, 2, 1};
    const float soft[] = {0.25f, 0.75f, 1, 0, 0.5f, 0.5f};
    const dataset_writer_facts facts = {
        .type = DTYPE_U8, .rank = 2, .side = {2, 2}, .layout = LAYOUT_NONE};
    const array y = {.name = "y", .bytes = numbers, .type = DTYPE_U8, .rank = 1, .shape = {rows}};
    const array b = {.name = "y.b",
                     .bytes = (const unsigned char *)soft,
                     .type = DTYPE_F32,
                     .rank = 2,
                     .shape = {rows, 2}};
    const label first = {.from = &y, .numbers = true, .rows = rows, .classes = 3};
    const label second = {.from = &b, .rows = rows, .classes = 2};
    dataset_writer *w = dataset_writer_new(path_of(name), &facts, said);
    if (w && dataset_writer_rows(w, pixels, 3) && dataset_writer_head(w, "y", &first) &&
        dataset_writer_class(w, "red") && dataset_writer_head(w, "y.b", &second))
        return dataset_writer_finish(w);
    dataset_writer_abandon(w);
    return false;
}

static void what_is_written_is_read(void **state) {
    (void)state;
    assert_true(write_set("a", 3));
    dataset *d = dataset_open(root, "a", true, NULL, said);
    assert_non_null(d);
    assert_true(d->count == 3 && d->rank == 2 && d->side[0] == 2 && d->side[1] == 2);
    assert_true(d->type == DTYPE_U8 && d->layout == LAYOUT_NONE && d->row_bytes == 4);
    for (uint64_t i = 0; i < 3; i++)
        assert_memory_equal(dataset_row(d, i), pixels + 4 * i, 4);
    assert_int_equal(d->heads, 2);
    assert_true(d->head[0].numbers && d->head[0].classes == 3);
    assert_int_equal(d->head[0].file.bytes[4], 2);
    assert_true(!d->head[1].numbers && d->head[1].classes == 2);
    assert_true(dtype_real(DTYPE_F32, d->head[1].file.bytes + 4) == 0.75);
    assert_memory_equal(d->description.bytes, "{\"name\":\"a\",\"count\":3,\"shape\":[2,2],", 36);
    d->description.bytes[d->description.length - 1] = 0;
    const char *said_of_heads =
        "\"heads\":[{\"name\":\"y\",\"kind\":\"numbers\",\"classes\":3,\"class_names\":[\"red\"]},"
        "{\"name\":\"y.b\",\"kind\":\"rows\",\"classes\":2}]";
    assert_non_null(strstr((const char *)d->description.bytes, said_of_heads));
    assert_true(dataset_is_current(d, root) && dataset_state(d) == MAPPED_FILE_WHOLE);
    dataset_release(d);
}

static void what_does_not_fit_leaves_nothing(void **state) {
    (void)state;
    assert_false(write_set("a", 2)); /* labels for two rows of three */
    assert_false(write_set("no name", 3));
    FILE *file = fopen(path_of("plain"), "w"); /* no directory, nor made one */
    assert_true(file && fclose(file) == 0);
    assert_false(write_set("plain/a", 3));
    assert_int_equal(unlink(path_of("plain")), 0);
    fflush(said);
    assert_non_null(strstr(text, "there are 2 labels y for 3 rows"));
    assert_non_null(strstr(text, "is not a valid name of a data set"));
}

static void where_a_rename_cannot_ask_for_absence_the_writer_does(void **state) {
    (void)state;
    static const int errors[] = {EINVAL, ENOSYS};
    for (size_t i = 0; i < 2; i++) {
        no_rename = errors[i];
        assert_true(write_set("a", 3));
        assert_false(write_set("a", 3));
        remove_set("a");
    }
    no_rename = EACCES;
    assert_false(write_set("a", 3));
    no_rename = 0;
}

static void a_set_that_came_meanwhile_is_not_replaced(void **state) {
    (void)state;
    static const int errors[] = {0, EINVAL};
    const dataset_writer_facts facts = {
        .type = DTYPE_U8, .rank = 2, .side = {2, 2}, .layout = LAYOUT_NONE};
    for (size_t i = 0; i < 2; i++) {
        dataset_writer *w = dataset_writer_new(path_of("a"), &facts, said);
        assert_true(w && dataset_writer_rows(w, pixels, 3));
        assert_int_equal(mkdir(path_of("a"), 0700), 0);
        no_rename = errors[i];
        assert_false(dataset_writer_finish(w));
        no_rename = 0;
        assert_int_equal(rmdir(path_of("a")), 0);
    }
}

static void the_same_bytes_have_the_same_digest_wherever_they_are(void **state) {
    (void)state;
    assert_true(write_set("a", 3) && write_set("b", 3));
    dataset *a = dataset_open(root, "a", false, NULL, said),
            *b = dataset_open(root, "b", false, NULL, said);
    assert_true(a && b);
    assert_string_equal(a->digest, b->digest);
    dataset_release(a);
    dataset_release(b);
}

static void a_shelf_has_sets_by_name_and_keeps_what_did_not_change(void **state) {
    (void)state;
    assert_true(write_set("b", 3) && write_set("a", 3));
    catalog *s = catalog_new(root, true, said);
    assert_non_null(s);
    dataset *first = catalog_nth(s, 0), *again, *second = catalog_nth(s, 1);
    assert_string_equal(first->name, "a");
    assert_string_equal(second->name, "b");
    assert_null(catalog_nth(s, 2));
    assert_null(catalog_find(s, "c", reason));
    assert_string_equal(reason, "");
    assert_true(write_set("c", 3));
    remove_set("b");
    assert_true(catalog_scan(s, NULL, said));
    again = catalog_find(s, "a", reason);
    assert_ptr_equal(first, again);
    assert_null(catalog_find(s, "b", reason));
    assert_memory_equal(dataset_row(second, 0), pixels, 4); /* for whoever holds it */
    dataset *c = catalog_find(s, "c", reason);
    assert_non_null(c);
    dataset_release(c);
    dataset_release(again);
    dataset_release(first);
    dataset_release(second);
    catalog_free(s);
}

static void a_set_that_was_written_anew_is_another(void **state) {
    (void)state;
    assert_true(write_set("a", 3));
    catalog *s = catalog_new(root, true, said);
    dataset *before = catalog_find(s, "a", reason);
    assert_int_equal(rename(path_of("a"), "/tmp/fmixd-shelf-aside"), 0);
    assert_true(write_set("a", 3));
    assert_false(dataset_is_current(before, root));
    assert_true(catalog_scan(s, NULL, said));
    dataset *after = catalog_find(s, "a", reason);
    assert_true(after && after != before);
    dataset_release(after);
    dataset_release(before);
    catalog_free(s);
    remove_set("a");
    assert_int_equal(rename("/tmp/fmixd-shelf-aside", path_of("a")), 0);
}

static void write_over(const char *path, const char *with) {
    FILE *file = fopen(path, "w");
    assert_true(file && fputs(with, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void a_set_whose_successor_is_bad_is_served_on_unless_it_is_broken_itself(void **state) {
    (void)state;
    assert_true(write_set("a", 3));
    catalog *s = catalog_new(root, true, said);
    dataset *before = catalog_find(s, "a", reason);
    write_over(path_of("a/manifest.json"), "{ to be continued");
    assert_true(catalog_scan(s, NULL, said));
    dataset *after = catalog_find(s, "a", reason);
    assert_ptr_equal(after, before);
    fflush(said);
    assert_non_null(strstr(text, "data set 'a': the previous version is still served"));
    write_over(path_of("a/data.bin"), "cut");
    assert_true(catalog_scan(s, NULL, said));
    assert_null(catalog_find(s, "a", reason));
    assert_non_null(strstr(reason, "data set 'a': manifest.json, line 1: "));
    dataset_release(after);
    dataset_release(before);
    catalog_free(s);
}

static void a_scan_ends_when_the_process_is_told_to(void **state) {
    (void)state;
    sigset_t term, before;
    int number;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    assert_true(write_set("a", 3));
    catalog *s = catalog_new(root, true, said);
    dataset *a = catalog_find(s, "a", reason);
    assert_true(write_set("b", 3));
    pthread_sigmask(SIG_BLOCK, &term, &before);
    raise(SIGTERM);
    assert_false(catalog_scan(s, NULL, said));
    assert_null(catalog_find(s, "b", reason));
    assert_null(catalog_new(root, true, said));
    assert_null(dataset_open(root, "b", true, NULL, said));
    assert_int_equal(sigwait(&term, &number), 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    fflush(said);
    assert_non_null(strstr(text, "data set 'b': interrupted before its digest was checked"));
    dataset *kept = catalog_find(s, "a", reason);
    assert_ptr_equal(kept, a);
    dataset_release(kept);
    dataset_release(a);
    catalog_free(s);
}

static void an_empty_root_is_an_empty_shelf(void **state) {
    (void)state;
    catalog *s = catalog_new("", true, said);
    assert_non_null(s);
    assert_null(catalog_nth(s, 0));
    assert_true(catalog_scan(s, NULL, said));
    catalog_free(s);
    assert_null(catalog_new("/nowhere/at/all", true, said));
}

#define ON_DISK(test) cmocka_unit_test_setup_teardown(test, begin, end)
RUN(ON_DISK(what_is_written_is_read), ON_DISK(what_does_not_fit_leaves_nothing),
    ON_DISK(where_a_rename_cannot_ask_for_absence_the_writer_does),
    ON_DISK(a_set_that_came_meanwhile_is_not_replaced),
    ON_DISK(the_same_bytes_have_the_same_digest_wherever_they_are),
    ON_DISK(a_shelf_has_sets_by_name_and_keeps_what_did_not_change),
    ON_DISK(a_set_that_was_written_anew_is_another),
    ON_DISK(a_set_whose_successor_is_bad_is_served_on_unless_it_is_broken_itself),
    ON_DISK(a_scan_ends_when_the_process_is_told_to), ON_DISK(an_empty_root_is_an_empty_shelf))
