#include "folder.h"

#include "import/report.h"

static void reasons_are_counted_apart_with_the_first_file(void **state) {
    (void)state;
    report r = {.to = folder_errors, .imported = 5};
    report_add(&r, REPORT_SKIPPED, "hidden", "a/.x");
    report_add(&r, REPORT_SKIPPED, "hidden", "b/.y");
    report_add(&r, REPORT_CONVERTED, "grey to RGB", "c.png");
    report_add(&r, REPORT_CONVERTED, "hidden", "d"); /* of another kind */
    report_print(&r, true);
    assert_true(folder_said("fmixd: import: skipped 2 files: hidden (first: 'a/.x')\n"));
    assert_true(folder_said("fmixd: import: converted 1 file: grey to RGB (first: 'c.png')\n"));
    assert_true(folder_said("fmixd: import: converted 1 file: hidden (first: 'd')\n"));
    assert_true(folder_said("fmixd: import: imported 5 files\n"));
    assert_true(folder_said_nothing_of("could not be read"));
}

static void the_first_bad_files_are_named_and_all_are_counted(void **state) {
    (void)state;
    report r = {.to = folder_errors};
    char path[16];
    for (unsigned i = 0; i < REPORT_NAMED + 5; i++) {
        snprintf(path, sizeof path, "f%u", i);
        report_bad(&r, path, "reason %u", i);
    }
    report_print(&r, false);
    assert_int_equal(r.bad, REPORT_NAMED + 5);
    assert_true(folder_said("fmixd: import: 'f19': reason 19\n"));
    assert_true(folder_said_nothing_of("'f20'"));
    assert_true(folder_said("25 files could not be read; the first 20 are named above\n"));
    assert_true(folder_said_nothing_of("imported"));
}

static void one_file_is_told_in_the_singular(void **state) {
    (void)state;
    report r = {.to = folder_errors, .imported = 1};
    report_bad(&r, "a", "bad");
    report_warning(&r, "b", "odd");
    report_print(&r, true);
    assert_true(folder_said("'b': imported with a warning: odd\n"));
    assert_true(folder_said("1 file could not be read, named above\n"));
    assert_true(folder_said("1 file imported with a warning, named above\n"));
    assert_true(folder_said("imported 1 file\n"));
}

/* Extensions are others' choice: there may be any number of them. */
static void reasons_beyond_the_table_are_counted_together(void **state) {
    (void)state;
    report r = {.to = folder_errors};
    char reason[32];
    for (unsigned i = 0; i < 3 * REPORT_REASONS; i++) {
        snprintf(reason, sizeof reason, "extension %u", i);
        report_add(&r, REPORT_SKIPPED, reason, "x");
        report_add(&r, REPORT_CONVERTED, reason, "x");
        report_add(&r, REPORT_LATER, reason, "x");
        report_add(&r, REPORT_KEPT, reason, "x");
    }
    assert_int_equal(r.count, REPORT_REASONS);
    uint64_t counted = 0;
    for (unsigned i = 0; i < r.count; i++)
        counted += r.reasons[i].count;
    assert_int_equal(counted, 12 * REPORT_REASONS);
    report_print(&r, false);
    assert_true(folder_said("skipped 111 files: other reasons (first: 'x')\n"));
}

static void a_long_reason_and_a_long_path_are_cut(void **state) {
    (void)state;
    report r = {.to = folder_errors};
    char text[400];
    memset(text, 'r', sizeof text);
    text[sizeof text - 1] = 0;
    report_add(&r, REPORT_SKIPPED, text, text);
    report_add(&r, REPORT_SKIPPED, text, text);
    assert_int_equal(r.count, 1);
    assert_int_equal(r.reasons[0].count, 2);
    assert_int_equal(strlen(r.reasons[0].text), REPORT_REASON - 1);
    assert_int_equal(strlen(r.reasons[0].example), sizeof r.reasons[0].example - 1);
}

RUN(IN_FOLDER(reasons_are_counted_apart_with_the_first_file),
    IN_FOLDER(the_first_bad_files_are_named_and_all_are_counted),
    IN_FOLDER(one_file_is_told_in_the_singular),
    IN_FOLDER(reasons_beyond_the_table_are_counted_together),
    IN_FOLDER(a_long_reason_and_a_long_path_are_cut))
