#include "importing.h"

static int import_list_of(const char *text, const char *option) {
    folder_write("list.csv", text, strlen(text));
    return option ? IMPORT("--from", "list", folder_path("list.csv"), option)
                  : IMPORT("--from", "list", folder_path("list.csv"));
}

static void make_pictures(void) {
    folder_make("p");
    importing_png("p/a.png", 3, 2, 1, 7);
    importing_png("p/b c.png", 4, 2, 1, 9);
}

static int32_t label_of(const dataset *d, unsigned head, uint64_t row) {
    return (int32_t)dtype_integer(DTYPE_I32, d->head[head].file.bytes + 4 * row);
}

static void paths_are_relative_to_the_list_and_rows_in_its_order(void **state) {
    (void)state;
    dataset_picture p;
    make_pictures();
    assert_int_equal(import_list_of("path,y,y.sort\r\np/b c.png,3,b\r\n\"p/a.png\",0,\"a\"\r\n"
                                    "p/a.png,1,b\r\n",
                                    NULL),
                     0);
    dataset *d = importing_open();
    assert_true(d->images && d->count == 3 && d->heads == 2);
    assert_true(dataset_picture_of(d, 0, &p) && p.width == 4);
    assert_true(dataset_picture_of(d, 1, &p) && p.width == 3);
    assert_true(d->head[0].classes == 4 && d->head[1].classes == 2);
    assert_true(label_of(d, 0, 0) == 3 && label_of(d, 0, 1) == 0 && label_of(d, 0, 2) == 1);
    assert_true(label_of(d, 1, 0) == 1 && label_of(d, 1, 1) == 0 && label_of(d, 1, 2) == 1);
    dataset_release(d);
    assert_true(folder_said("y.sort: 2 classes; rows per class: 'a': 1, 'b': 2"));
}

static void files_that_are_named_more_than_once_are_told(void **state) {
    (void)state;
    make_pictures();
    assert_int_equal(import_list_of("path,y\np/b c.png,1\np/a.png,0\n\"p/b c.png\",2\np/a.png,0\n"
                                    "p/a.png,0\n",
                                    NULL),
                     0);
    assert_true(folder_said("files that are named more than once: 2; with different labels: 1; the "
                            "first: 'p/b c.png'"));
}

/* Each control character takes six bytes in the manifest. */
static void
names_of_classes_that_are_too_long_for_a_manifest_are_refused_before_a_row(void **state) {
    (void)state;
    enum { ROWS = 300, LENGTH = 40000 };
    static char name[LENGTH];
    make_pictures();
    memset(name, 1, sizeof name - 1);
    FILE *list = fopen(folder_path("list.csv"), "w");
    assert_true(list && fputs("path,y\n", list) >= 0);
    for (unsigned i = 0; i < ROWS; i++)
        assert_true(fprintf(list, "p/a.png,%s%03u\n", name, i) > LENGTH);
    assert_int_equal(fclose(list), 0);
    assert_true(importing_refused(IMPORT("--from", "list", folder_path("list.csv")),
                                  "the names of all classes take 72001500 bytes in manifest.json; "
                                  "they may take at most 67043328: give shorter names"));
    assert_true(folder_said_nothing_of("%, "));
}

static void numbers_are_values_where_that_is_asked_for(void **state) {
    (void)state;
    make_pictures();
    static const char list[] = "path,y,y.sort\np/a.png,-1.5e0,x\np/b c.png,2,y\n";
    assert_true(importing_refused(import_list_of(list, NULL),
                                  "line 2: y is '-1.5e0', and all of its labels are numbers: class "
                                  "numbers must be whole and not negative; for values to predict"));
    assert_int_equal(import_list_of(list, "--values"), 0);
    dataset *d = importing_open();
    assert_true(d->head[0].kind == DATASET_VALUES && d->head[1].kind == DATASET_NUMBERS);
    float value;
    memcpy(&value, d->head[0].file.bytes, sizeof value);
    dtype_swap(DTYPE_F32, &value, sizeof value);
    assert_true(value == -1.5f);
    dataset_release(d);
    assert_true(folder_said_nothing_of("more than once"));
}

static void names_that_are_no_numbers_make_all_of_a_column_names(void **state) {
    (void)state;
    make_pictures();
    assert_int_equal(import_list_of("path,y\np/a.png,10\np/a.png,9\np/a.png,007\n", NULL), 0);
    dataset *d = importing_open();
    assert_int_equal(d->head[0].classes, 3);
    assert_true(label_of(d, 0, 0) == 1 && label_of(d, 0, 1) == 2 && label_of(d, 0, 2) == 0);
    dataset_release(d);
}

static void a_label_that_makes_numbers_names_is_told(void **state) {
    (void)state;
    static const char list[] = "path,y\np/a.png,1\np/a.png,nan\np/a.png, 2\n";
    make_pictures();
    assert_true(importing_refused(import_list_of(list, "--values"),
                                  "line 3: y is 'nan', which is no finite number, but 1 of its "
                                  "labels are numbers; with --values all must be"));
    assert_int_equal(import_list_of(list, NULL), 0);
    assert_true(folder_said("y: its labels are taken as names of classes, for that of line 3 is "
                            "'nan'; labels that are numbers: 1"));
}

static void classes_that_names_do_not_have_are_refused(void **state) {
    (void)state;
    static const char list[] = "path,y\np/a.png,x\np/a.png,z\n";
    make_pictures();
    folder_write("list.csv", list, strlen(list));
    assert_true(importing_refused(
        IMPORT("--from", "list", folder_path("list.csv"), "--classes", "4"),
        "--classes is 4, but the labels y are names (line 2: 'x'), of 2 classes; leave --classes"));
    assert_int_equal(IMPORT("--from", "list", folder_path("list.csv"), "--classes", "2"), 0);
}

static void a_list_without_labels_is_a_set_without(void **state) {
    (void)state;
    make_pictures();
    assert_int_equal(import_list_of("path\np/a.png\n", NULL), 0);
    dataset *d = importing_open();
    assert_true(d->count == 1 && d->heads == 0 && !d->images);
    dataset_release(d);
    assert_true(folder_said("there are no labels"));
}

static void mistakes_are_refused_by_their_line(void **state) {
    (void)state;
    static const struct {
        const char *text, *reason;
    } bad[] = {
        {"", "line 1 must name the columns"},
        {"p/a.png,1\n", "the first is not 'path' but 'p/a.png'"},
        {"path,label\n", "'label' is not"},
        {"path,y,y\n", "each once; 'y' is not"},
        {"path,y,y.1,y.2,y.3,y.4,y.5,y.6,y.7,y.8\n", "there are 9 heads; at most 8"},
        {"path,y\n", "lists no pictures"},
        {"path,y\np/a.png\n", "line 2: there are 1 fields; line 1 names 2 columns"},
        {"path,y\np/a.png,1\np/a.png,1,2\n", "line 3: there are 3 fields; line 1 names 2 columns"},
        {"path,y\np/a.png,1\n\n", "line 3: there are 1 fields"},
        {"path,y\n,1\n", "line 2: the path is empty"},
        {"path,y\np/a.png,\n", "line 2: y is empty"},
        {"path,y\np/a.png,1\"\n", "line 2: there is a quote inside a field"},
        {"path,y\np/a.png,\xff\n", "line 2: the class '\\xff' of y is not UTF-8"},
        {"path,y\np/a.png,1048576\n", "the largest class number of y is 1048576"},
        {"path,y\np/gone.png,1\n", "p/gone.png': No such file"},
    };
    make_pictures();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (!importing_refused(import_list_of(bad[i].text, NULL), bad[i].reason))
            fail_msg("%s", bad[i].text);
}

static void a_list_that_is_no_regular_file_is_refused_without_waiting(void **state) {
    (void)state;
    assert_int_equal(mkfifo(folder_path("list.csv"), 0600), 0);
    assert_true(importing_refused(IMPORT("--from", "list", folder_path("list.csv")),
                                  "list.csv' cannot be read: it is not a regular file"));
    assert_true(importing_refused(IMPORT("--from", "list", folder_path("gone.csv")),
                                  "gone.csv' cannot be read: No such file"));
}

RUN(IN_FOLDER(paths_are_relative_to_the_list_and_rows_in_its_order),
    IN_FOLDER(files_that_are_named_more_than_once_are_told),
    IN_FOLDER(names_of_classes_that_are_too_long_for_a_manifest_are_refused_before_a_row),
    IN_FOLDER(numbers_are_values_where_that_is_asked_for),
    IN_FOLDER(names_that_are_no_numbers_make_all_of_a_column_names),
    IN_FOLDER(a_label_that_makes_numbers_names_is_told),
    IN_FOLDER(classes_that_names_do_not_have_are_refused),
    IN_FOLDER(a_list_without_labels_is_a_set_without),
    IN_FOLDER(a_list_that_is_no_regular_file_is_refused_without_waiting),
    IN_FOLDER(mistakes_are_refused_by_their_line))
