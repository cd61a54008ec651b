/* Opening a set: every file is checked against the manifest, and what changes later is seen. */
#include "small_set.h"

#include "datasets/dataset_part.h"

#include <dlfcn.h>
#include <signal.h>

/* What takes the place of a set's manifest when somebody next looks at that by its name; empty:
 * nothing. */
static char successor[64];

/* Takes the place of libc's, whose name is fstatat64 where offsets have 64 bits. */
int fstatat(int directory, const char *name, struct stat *out, int flags) {
    int (*real)(int, const char *, struct stat *, int);
    void *found = dlsym(RTLD_NEXT, "fstatat64");
    memcpy(&real, &found, sizeof real);
    assert_non_null(found);
    if (successor[0] && strcmp(name, "manifest.json") == 0) {
        assert_int_equal(rename(folder_path(successor), folder_path("a/manifest.json")), 0);
        successor[0] = 0;
    }
    return real(directory, name, out, flags);
}

static bool refused(const char *name, bool verify, const char *words) {
    dataset *d = small_open(name, verify);
    dataset_release(d);
    return !d && folder_said(words);
}

static void a_set_that_is_not_there_is_refused(void **state) {
    (void)state;
    assert_true(refused("a", true, "fmixd: data set 'a': its directory cannot be read: No such"));
    folder_make("b");
    assert_true(refused("b", true, "data set 'b': manifest.json cannot be read: No such file"));
    static const char *const bad[] = {"..", "my.set", ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_true(refused(bad[i], true,
                            "': this is not a valid name of a data set: a name has at most 64 "
                            "letters, digits, _ and -\n"));
        folder_forget();
    }
}

static void a_manifest_that_is_not_json_is_refused_by_its_line(void **state) {
    (void)state;
    small_write("a");
    folder_write("a/manifest.json", "{\n\"fmixd\": 1,\n?", 15);
    assert_true(refused("a", false, "data set 'a': manifest.json, line 3: "));
    folder_write("a/manifest.json", "{\"fmixd\": 1, \"fmixd\": 1}", 24);
    assert_true(refused("a", false, "duplicate object key"));
    folder_write("a/manifest.json", "{\"fmixd\": 2}", 12);
    assert_true(refused("a", false, "data set 'a': manifest.json is not of a known format"));
}

static void a_manifest_over_64_mib_is_refused(void **state) {
    (void)state;
    small_write("a");
    assert_int_equal(truncate(folder_path("a/manifest.json"), (64 << 20) + 1), 0);
    assert_true(
        refused("a", false, "manifest.json has 67108865 bytes; it may have at most 67108864"));
}

static void a_manifest_that_is_not_a_regular_file_is_refused(void **state) {
    (void)state;
    folder_make("a");
    assert_int_equal(mkfifo(folder_path("a/manifest.json"), 0600), 0);
    assert_true(refused("a", false, "manifest.json cannot be read: Not a regular file"));
    folder_make("b");
    folder_write("manifest", "{}", 2);
    assert_int_equal(symlink("../manifest", folder_path("b/manifest.json")), 0);
    assert_true(refused("b", false, "manifest.json cannot be read: Too many levels of symbolic"));
}

static void files_have_the_length_that_the_manifest_requires(void **state) {
    (void)state;
    small_write_labelled("a");
    assert_int_equal(truncate(folder_path("a/data.bin"), 11), 0);
    assert_true(refused("a", false, "data.bin has 11 bytes; by manifest.json it must have 12"));
    assert_int_equal(truncate(folder_path("a/data.bin"), 13), 0);
    assert_true(refused("a", false, "data.bin has 13 bytes; by manifest.json it must have 12"));
    assert_int_equal(truncate(folder_path("a/data.bin"), 12), 0);
    assert_int_equal(truncate(folder_path("a/labels.b.bin"), 0), 0);
    assert_true(refused("a", false, "labels.b.bin has 0 bytes; by manifest.json it must have 24"));
    assert_int_equal(unlink(folder_path("a/labels.b.bin")), 0);
    assert_true(refused("a", false, "labels.b.bin cannot be read: No such file"));
}

static void a_class_number_that_no_class_has_is_refused(void **state) {
    (void)state;
    small_write_labelled("a");
    small_alter("a/labels.bin", 3);
    assert_true(refused("a", false, "data set 'a': row 0 of y is class 3 of 3"));
    folder_write("a/labels.bin", "\0\0\0\0\xff\xff\xff\xff\0\0\0\0", 12);
    assert_true(refused("a", false, "data set 'a': row 1 of y is class -1 of 3"));
}

static void an_altered_byte_is_found_where_digests_are_verified(void **state) {
    (void)state;
    small_write("a");
    small_alter("a/data.bin", 99);
    assert_true(refused("a", true, "it must be ") && folder_said(": a file was altered"));
    assert_true(folder_said(" of data.bin (rows 0 to 2)"));
    assert_true(folder_said("; `fmixd verify SET` names all damage"));
    dataset *d = small_open("a", false);
    assert_non_null(d);
    dataset_release(d);
}

static void reading_stops_when_told_to(void **state) {
    (void)state;
    sigset_t term, before;
    int number;
    atomic_bool stop = true;
    small_write("a");
    assert_null(dataset_open(folder_root, "a", DATASET_VERIFY_START, &stop, folder_errors));
    assert_true(folder_said("data set 'a': interrupted before its digest was checked"));
    folder_forget();
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &term, &before);
    raise(SIGTERM);
    assert_true(refused("a", true, "interrupted before its digest was checked"));
    assert_int_equal(sigwait(&term, &number), 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void a_set_lives_until_its_last_holder_releases_it(void **state) {
    (void)state;
    small_write("a");
    dataset *d = small_open("a", true);
    assert_ptr_equal(dataset_retain(d), d);
    dataset_release(d);
    assert_memory_equal(dataset_array_row(&d->x, 2), small_pixels + 8, 4);
    dataset_release(d);
    dataset_release(NULL);
}

static void a_set_that_is_written_again_is_another(void **state) {
    (void)state;
    small_write("a");
    dataset *d = small_open("a", true);
    assert_true(dataset_is_current(d, folder_root));
    assert_int_equal(rename(folder_path("a"), folder_path("aside")), 0);
    assert_false(dataset_is_current(d, folder_root));
    small_write("a");
    assert_false(dataset_is_current(d, folder_root));
    assert_true(dataset_is_whole(d)); /* its own files are as they were */
    dataset_release(d);
}

static void a_set_whose_manifest_is_replaced_while_it_is_opened_is_not_current(void **state) {
    (void)state;
    unsigned char text[4096];
    small_write("a");
    folder_write("next", text, folder_read("a/manifest.json", text, sizeof text));
    strcpy(successor, "next");
    dataset *d = small_open("a", true);
    assert_non_null(d);
    assert_false(dataset_is_current(d, folder_root));
    assert_string_equal(successor, "");
    dataset_release(d);
}

static void the_state_of_a_set_is_that_of_its_worst_file(void **state) {
    (void)state;
    small_write_labelled("a");
    small_make_old("a");
    dataset *d = small_open("a", true);
    assert_true(dataset_is_whole(d) && dataset_state(d) == MAPPED_FILE_WHOLE);
    small_await_tick("a/labels.b.bin");
    assert_int_equal(chmod(folder_path("a/labels.b.bin"), 0640), 0);
    assert_int_equal(dataset_state(d), MAPPED_FILE_WHOLE); /* nobody has looked */
    assert_false(dataset_is_whole(d));
    assert_int_equal(dataset_state(d), MAPPED_FILE_DOUBTFUL);
    dataset_release(d);
}

/* Between a change and the look at the files that finds it, readers stay within the files. */
static void a_file_that_is_altered_while_it_is_open_leads_nobody_out_of_the_rows(void **state) {
    (void)state;
    dataset_fault fault = 0, other = 0;
    dataset_span span;
    uint64_t number;
    small_write_dense("a");
    small_write_ragged("b");
    small_make_old("a");
    small_make_old("b");
    dataset *a = small_open("a", true), *b = small_open("b", true);
    assert_true(a && b && small_neighbour(a, 0, 0) == 1 && small_span(b, 0).length == 1);
    small_await_tick("b/offsets.bin");
    small_alter("a/neighbours.bin", 3);
    small_alter("b/offsets.bin", 1);
    assert_int_equal(dtype_integer(DTYPE_I64, a->neighbours.file.bytes), 3);
    assert_int_equal(dataset_neighbour(a, 0, 0, &fault, &number), DATASET_WRONG);
    assert_int_equal(dtype_integer(DTYPE_I64, b->offsets.bytes), 1);
    assert_int_equal(dataset_find_span(b, 0, &other, &span), DATASET_WRONG);
    assert_true(fault && other);
    assert_false(dataset_is_whole(a) || dataset_is_whole(b));
    dataset_release(a);
    dataset_release(b);
}

static void files_are_listed_in_the_order_of_the_digest(void **state) {
    (void)state;
    small_write_labelled("a");
    dataset *d = small_open("a", true);
    assert_int_equal(dataset_files(d), 3);
    assert_ptr_equal(dataset_file(d, 0), &d->x.file);
    assert_ptr_equal(dataset_file(d, 2), &d->head[1].file);
    dataset_release(d);
}

RUN(IN_FOLDER(a_set_that_is_not_there_is_refused),
    IN_FOLDER(a_manifest_that_is_not_json_is_refused_by_its_line),
    IN_FOLDER(a_manifest_over_64_mib_is_refused),
    IN_FOLDER(a_manifest_that_is_not_a_regular_file_is_refused),
    IN_FOLDER(files_have_the_length_that_the_manifest_requires),
    IN_FOLDER(a_class_number_that_no_class_has_is_refused),
    IN_FOLDER(an_altered_byte_is_found_where_digests_are_verified),
    IN_FOLDER(reading_stops_when_told_to), IN_FOLDER(a_set_lives_until_its_last_holder_releases_it),
    IN_FOLDER(a_set_that_is_written_again_is_another),
    IN_FOLDER(a_set_whose_manifest_is_replaced_while_it_is_opened_is_not_current),
    IN_FOLDER(the_state_of_a_set_is_that_of_its_worst_file),
    IN_FOLDER(a_file_that_is_altered_while_it_is_open_leads_nobody_out_of_the_rows),
    IN_FOLDER(files_are_listed_in_the_order_of_the_digest))
