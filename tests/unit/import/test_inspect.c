#include "small_set.h"

#include "import/inspect.h"

static int run(const char *command, const char *path) {
    char name[16], set[512], *argv[] = {name, set};
    snprintf(name, sizeof name, "%s", command);
    snprintf(set, sizeof set, "%s", path);
    folder_forget();
    return inspect_command(2, argv, folder_errors, folder_errors);
}

static void a_set_is_shown_and_verified(void **state) {
    (void)state;
    small_write_dense("a");
    assert_true(inspect_knows("info") && inspect_knows("verify") && !inspect_knows("import"));
    assert_int_equal(run("info", folder_path("a")), 0);
    assert_true(folder_said("kind        rows of one shape"));
    assert_int_equal(run("verify", folder_path("a///")), 0);
    assert_true(folder_said("/a is whole: 3 rows, digest 2015502024dbd588"));
}

static void a_damaged_set_is_shown_and_not_verified(void **state) {
    (void)state;
    small_write_dense("a");
    small_alter("a/labels.bin", 7);
    assert_int_equal(run("info", folder_path("a")), 0);
    assert_int_equal(run("verify", folder_path("a")), 1);
    assert_true(folder_said("of labels.bin (rows 0 to 2) are not what was imported"));
    assert_int_equal(truncate(folder_path("a/labels.bin"), 3), 0);
    assert_int_equal(run("verify", folder_path("a")), 1);
    assert_true(folder_said("labels.bin has 3 bytes; by manifest.json it must have 12"));
}

static void a_set_may_be_named_without_a_directory(void **state) {
    (void)state;
    char before[512];
    small_write("a");
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(folder_root), 0);
    assert_int_equal(run("verify", "a"), 0);
    assert_int_equal(run("info", "b"), 1);
    assert_true(folder_said("data set 'b': its directory cannot be read"));
    assert_int_equal(chdir(before), 0);
    assert_int_equal(run("info", "/"), 1);
}

static void a_command_line_that_is_wrong_is_2(void **state) {
    (void)state;
    char name[] = "info", set[] = "a", more[] = "b", *argv[] = {name, set, more};
    assert_int_equal(inspect_command(1, argv, folder_errors, folder_errors), 2);
    assert_int_equal(inspect_command(3, argv, folder_errors, folder_errors), 2);
    assert_int_equal(run("verify", "--all"), 2);
    assert_true(folder_said("Usage: fmixd verify SET\n"));
    assert_int_equal(run("verify", "--help"), 0);
}

RUN(IN_FOLDER(a_set_is_shown_and_verified), IN_FOLDER(a_damaged_set_is_shown_and_not_verified),
    IN_FOLDER(a_set_may_be_named_without_a_directory), IN_FOLDER(a_command_line_that_is_wrong_is_2))
