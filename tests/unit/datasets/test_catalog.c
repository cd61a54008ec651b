/* The sets under a directory: those that are served, and the reason why others are not. */
#include "broken_list.h"
#include "small_set.h"

#include "datasets/catalog.h"

#include <signal.h>

static char reason[CATALOG_REASON];

static catalog *fill(void) {
    catalog *c = catalog_new(folder_root, DATASET_VERIFY_START, folder_errors);
    assert_non_null(c);
    return c;
}

static bool scan(catalog *c) {
    return catalog_scan(c, NULL, folder_errors);
}

static bool is_served(catalog *c, const char *name) {
    dataset *d = catalog_find(c, name, reason);
    bool served = d && dataset_state(d) == MAPPED_FILE_WHOLE;
    dataset_release(d);
    return served;
}

static void sets_are_found_by_name_and_unchanged_ones_are_kept(void **state) {
    (void)state;
    small_write("b");
    small_write("a");
    catalog *c = fill();
    dataset *first = catalog_nth(c, 0), *second = catalog_nth(c, 1);
    assert_string_equal(first->name, "a");
    assert_string_equal(second->name, "b");
    assert_null(catalog_nth(c, 2));
    assert_null(catalog_find(c, "c", reason));
    assert_string_equal(reason, "");
    small_write("c");
    assert_int_equal(rename(folder_path("b"), folder_path(".b")), 0);
    assert_true(scan(c));
    dataset *again = catalog_find(c, "a", reason);
    assert_ptr_equal(first, again);
    assert_null(catalog_find(c, "b", reason));
    assert_memory_equal(dataset_array_row(&second->x, 0), small_pixels, 4); /* for its holder */
    assert_true(is_served(c, "c"));
    dataset_release(again);
    dataset_release(first);
    dataset_release(second);
    catalog_free(c);
}

static void a_set_that_cannot_be_opened_is_known_with_the_reason(void **state) {
    (void)state;
    small_write("a");
    small_write("b");
    assert_int_equal(unlink(folder_path("a/data.bin")), 0);
    catalog *c = fill();
    assert_false(is_served(c, "a"));
    assert_string_equal(reason, "data set 'a': data.bin cannot be read: No such file or directory");
    assert_true(is_served(c, "b"));
    dataset *first = catalog_nth(c, 0);
    assert_string_equal(first->name, "b");
    dataset_release(first);
    assert_null(catalog_nth(c, 1));
    catalog_free(c);
}

static void sets_that_are_refused_are_counted_and_the_first_are_named(void **state) {
    (void)state;
    static const char *const all[] = {"a", "b", "c", "d"};
    char names[2][DATASET_NAME + 1] = {"", ""};
    catalog_counts c;
    for (size_t i = 0; i < 4; i++)
        small_write(all[i]);
    assert_int_equal(unlink(folder_path("a/data.bin")), 0);
    assert_int_equal(unlink(folder_path("c/data.bin")), 0);
    assert_int_equal(unlink(folder_path("d/data.bin")), 0);
    catalog *of = fill();
    assert_int_equal(catalog_count_sets(of, &c, names, 2), 2);
    assert_int_equal(c.served, 1);
    assert_int_equal(c.refused, 3);
    assert_string_equal(names[0], "a");
    assert_string_equal(names[1], "c");
    assert_int_equal(catalog_count_sets(of, &c, names, 0), 0);
    catalog_free(of);
}

static void the_sets_stay_while_the_root_cannot_be_read_to_its_end(void **state) {
    (void)state;
    small_write("a");
    small_write("b");
    catalog *c = fill();
    for (unsigned at = 1; at <= 5; at++) { /* two dots, two sets, and the end */
        broken_list_at = at;
        assert_false(scan(c));
        assert_true(folder_said("' cannot be read to its end: Input/output error"));
        assert_true(is_served(c, "a") && is_served(c, "b"));
        folder_forget();
    }
    assert_true(scan(c));
    catalog_free(c);
}

static void a_directory_without_a_manifest_is_not_a_set(void **state) {
    (void)state;
    small_write("a");
    folder_make("nothing");
    folder_write("file", "", 0);
    catalog *c = fill();
    assert_int_equal(unlink(folder_path("a/manifest.json")), 0);
    assert_true(scan(c));
    static const char *const names[] = {"a", "nothing", "file", "..", "not a name"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_false(is_served(c, names[i]));
        assert_string_equal(reason, "");
    }
    catalog_free(c);
}

static void a_manifest_that_is_not_a_regular_file_is_a_reason(void **state) {
    (void)state;
    folder_make("a");
    assert_int_equal(mkfifo(folder_path("a/manifest.json"), 0600), 0);
    catalog *c = fill();
    assert_false(is_served(c, "a"));
    assert_string_equal(reason, "data set 'a': manifest.json cannot be read: Not a regular file");
    catalog_free(c);
}

static void hundreds_of_sets_are_served_in_the_order_of_their_names(void **state) {
    (void)state;
    enum { ALL = 300 };
    char name[16];
    for (int i = ALL; i-- > 0;) {
        snprintf(name, sizeof name, "s%03d", i);
        small_write(name);
    }
    catalog *c = fill();
    for (int i = 0; i < ALL; i++) {
        snprintf(name, sizeof name, "s%03d", i);
        dataset *d = catalog_nth(c, (size_t)i);
        assert_non_null(d);
        assert_string_equal(d->name, name);
        dataset_release(d);
        assert_true(is_served(c, name));
    }
    assert_null(catalog_nth(c, ALL));
    catalog_free(c);
}

static void a_set_that_is_written_again_replaces_the_old_one(void **state) {
    (void)state;
    small_write("a");
    catalog *c = fill();
    dataset *before = catalog_find(c, "a", reason);
    assert_int_equal(rename(folder_path("a"), folder_path(".aside")), 0);
    small_write_labelled("a");
    assert_true(scan(c));
    dataset *after = catalog_find(c, "a", reason);
    assert_true(after && after != before && after->heads == 2);
    dataset_release(after);
    dataset_release(before);
    catalog_free(c);
}

static void a_bad_successor_replaces_only_a_set_that_is_broken(void **state) {
    (void)state;
    small_write("a");
    catalog *c = fill();
    dataset *before = catalog_find(c, "a", reason);
    folder_write("a/manifest.json", "{ to be continued", 17);
    assert_true(scan(c));
    dataset *after = catalog_find(c, "a", reason);
    assert_ptr_equal(after, before);
    assert_true(folder_said("data set 'a': the previous version is still served"));
    folder_write("a/data.bin", "cut", 3);
    assert_true(scan(c));
    assert_null(catalog_find(c, "a", reason));
    assert_non_null(strstr(reason, "data set 'a': manifest.json, line 1: "));
    dataset_release(after);
    dataset_release(before);
    catalog_free(c);
}

static void a_scan_that_is_interrupted_changes_nothing(void **state) {
    (void)state;
    sigset_t term, before;
    int number;
    atomic_bool stop = true;
    small_write("a");
    catalog *c = fill();
    dataset *a = catalog_find(c, "a", reason);
    small_write("b");
    assert_false(catalog_scan(c, &stop, folder_errors));
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &term, &before);
    raise(SIGTERM);
    assert_false(scan(c));
    assert_null(catalog_new(folder_root, DATASET_VERIFY_START, folder_errors));
    assert_int_equal(sigwait(&term, &number), 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    assert_null(catalog_find(c, "b", reason));
    dataset *kept = catalog_find(c, "a", reason);
    assert_ptr_equal(kept, a);
    dataset_release(kept);
    dataset_release(a);
    catalog_free(c);
}

static void an_empty_root_is_an_empty_catalog(void **state) {
    (void)state;
    catalog *c = catalog_new("", DATASET_VERIFY_START, folder_errors);
    assert_non_null(c);
    assert_null(catalog_nth(c, 0));
    assert_true(scan(c));
    catalog_free(c);
    catalog_free(NULL);
}

static void a_root_that_cannot_be_read_is_an_error(void **state) {
    (void)state;
    assert_null(catalog_new("/nowhere/at/all", DATASET_VERIFY_START, folder_errors));
    assert_true(folder_said("data: '/nowhere/at/all' cannot be read: No such file"));
}

static void the_sets_stay_while_the_root_cannot_be_read(void **state) {
    (void)state;
    char aside[80];
    small_write("a");
    catalog *c = fill();
    snprintf(aside, sizeof aside, "%s-aside", folder_root);
    assert_int_equal(rename(folder_root, aside), 0);
    bool good = scan(c);
    assert_int_equal(rename(aside, folder_root), 0);
    assert_false(good);
    assert_true(is_served(c, "a"));
    catalog_free(c);
}

static void the_description_is_of_the_sets_that_are_served(void **state) {
    (void)state;
    small_write("a");
    small_write("b");
    small_write("c");
    assert_int_equal(unlink(folder_path("b/data.bin")), 0);
    catalog *c = fill();
    description *before = catalog_describe(c);
    assert_non_null(before);
    char text[2000];
    snprintf(text, sizeof text, "%.*s", (int)before->text.length, (char *)before->text.bytes);
    assert_memory_equal(text, "{\"datasets\":[{\"name\":\"a\",", 25);
    assert_non_null(strstr(text, "},{\"name\":\"c\","));
    assert_null(strstr(text, "\"b\""));
    assert_true(scan(c)); /* which replaces the description: its holder keeps it */
    assert_int_equal(before->text.bytes[0], '{');
    description_release(before);
    catalog_free(c);
}

static void a_set_is_doubtful_until_a_scan_has_read_it_again(void **state) {
    (void)state;
    small_write("a");
    small_make_old("a");
    catalog *c = fill();
    small_await_tick("a/data.bin");
    assert_int_equal(chmod(folder_path("a/data.bin"), 0640), 0);
    assert_false(catalog_has_doubtful(c)); /* nobody has looked */
    dataset *d = catalog_find(c, "a", reason);
    assert_false(dataset_is_whole(d));
    dataset_release(d);
    assert_true(catalog_has_doubtful(c));
    assert_true(scan(c));
    assert_true(is_served(c, "a"));
    assert_false(catalog_has_doubtful(c));
    catalog_free(c);
}

RUN(IN_FOLDER(sets_are_found_by_name_and_unchanged_ones_are_kept),
    IN_FOLDER(a_set_that_cannot_be_opened_is_known_with_the_reason),
    IN_FOLDER(sets_that_are_refused_are_counted_and_the_first_are_named),
    IN_FOLDER(the_sets_stay_while_the_root_cannot_be_read_to_its_end),
    IN_FOLDER(a_directory_without_a_manifest_is_not_a_set),
    IN_FOLDER(a_manifest_that_is_not_a_regular_file_is_a_reason),
    IN_FOLDER(hundreds_of_sets_are_served_in_the_order_of_their_names),
    IN_FOLDER(a_set_that_is_written_again_replaces_the_old_one),
    IN_FOLDER(a_bad_successor_replaces_only_a_set_that_is_broken),
    IN_FOLDER(a_scan_that_is_interrupted_changes_nothing),
    IN_FOLDER(an_empty_root_is_an_empty_catalog), IN_FOLDER(a_root_that_cannot_be_read_is_an_error),
    IN_FOLDER(the_sets_stay_while_the_root_cannot_be_read),
    IN_FOLDER(the_description_is_of_the_sets_that_are_served),
    IN_FOLDER(a_set_is_doubtful_until_a_scan_has_read_it_again))
