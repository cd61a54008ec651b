/* The walk through a directory of classes: what is taken, skipped and bad, and in what order. */
#include "broken_list.h"
#include "importing.h"

#include "import/survey.h"

static report counts;

/* Walks "images". */
static bool walk(survey *out) {
    static const char *files[1];
    files[0] = folder_path("images");
    const import in = importing_of(files, 1, &counts);
    bool good = survey_walk(&in, tmpfile(), out);
    fflush(folder_errors);
    return good;
}

/* A file without an image: the walk looks only at names. */
static void touch(const char *name) {
    folder_write(name, "", 0);
}

static void link_to(const char *target, const char *name) {
    assert_int_equal(symlink(target, folder_path(name)), 0);
}

/* How many files were skipped or converted for a reason that contains these words. */
static uint64_t counted(const char *words) {
    uint64_t count = 0;
    for (unsigned i = 0; i < counts.count; i++)
        if (strstr(counts.reasons[i].text, words))
            count += counts.reasons[i].count;
    return count;
}

/* By class, then by the path of the directory, then by name; '-' sorts before '/'. */
static void files_come_in_the_order_of_torchvision(void **state) {
    (void)state;
    static const char *const folders[] = {"images",         "images/c",     "images/c/a",
                                          "images/c/a/b",   "images/c/a-b", "images/d",
                                          "images/d/images"};
    static const char *const right[] = {"c/z.png",     "c/a/y.PNG", "c/a-b/x.jpe",
                                        "c/a/b/w.jpg", "d/2.jfif",  "d/images/1.JPEG"};
    enum { FILES = sizeof right / sizeof *right };
    char path[64];
    survey s;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        folder_make(folders[i]);
    for (size_t i = FILES; i-- > 0;) {
        snprintf(path, sizeof path, "images/%s", right[i]);
        touch(path);
    }
    assert_true(walk(&s));
    assert_int_equal(s.count, FILES);
    assert_true(sorter_rewind(s.files));
    for (size_t i = 0; i < FILES; i++) {
        const char *found;
        uint32_t number;
        assert_int_equal(survey_next(&s, &found, &number), SORTER_STRING);
        assert_string_equal(found + strlen(folder_path("images/")), right[i]);
        assert_int_equal(number, right[i][0] == 'd');
    }
    assert_true(s.filled[0] == 4 && s.filled[1] == 2);
    assert_int_equal(s.class_count, 2);
    assert_string_equal(s.classes[0], "c");
    survey_free(&s);
}

static void other_files_are_skipped_by_reason(void **state) {
    (void)state;
    survey s;
    folder_make("images");
    folder_make("images/a");
    folder_make("images/.hidden");
    touch("images/labels.csv");
    touch("images/a/.DS_Store");
    touch("images/a/1.webp");
    touch("images/a/2.webp");
    touch("images/a/notes");
    touch("images/a/good.png");
    assert_int_equal(mkfifo(folder_path("images/a/pipe.png"), 0600), 0);
    assert_true(walk(&s));
    assert_int_equal(s.count, 1);
    assert_int_equal(counts.bad, 0);
    assert_int_equal(counted("hidden"), 2);
    assert_int_equal(counted("not in the directory of a class"), 1);
    assert_int_equal(counted("extension .webp is not PNG or JPEG"), 2);
    assert_int_equal(counted("no extension"), 1);
    assert_int_equal(counted("neither a regular file nor a directory"), 1);
    survey_free(&s);
}

static void a_link_that_leads_nowhere_is_bad_only_where_an_image_is_missed(void **state) {
    (void)state;
    survey s;
    folder_make("images");
    folder_make("images/a");
    touch("images/a/good.png");
    link_to("nowhere", "images/a/README");
    assert_true(walk(&s));
    assert_true(s.count == 1 && counts.bad == 0);
    assert_int_equal(counted("a link that leads nowhere"), 1);
    survey_free(&s);
    link_to("nowhere", "images/a/gone.png");
    assert_true(walk(&s));
    assert_true(s.count == 1 && counts.bad == 1);
    assert_true(folder_said("images/a/gone.png': No such file or directory"));
    survey_free(&s);
    link_to("nowhere", "images/class"); /* the directory of a class may be missed */
    assert_true(walk(&s));
    assert_true(s.class_count == 1 && counts.bad == 2);
    survey_free(&s);
}

static void links_are_followed_but_not_in_circles(void **state) {
    (void)state;
    survey s;
    folder_make("images");
    folder_make("images/a");
    folder_make("elsewhere");
    touch("elsewhere/1.png");
    link_to("../elsewhere", "images/b");
    link_to("../../elsewhere/1.png", "images/a/2.png");
    link_to("../../images", "images/a/up");
    assert_true(walk(&s));
    assert_true(s.count == 2 && s.class_count == 2 && counts.bad == 1);
    assert_true(folder_said("images/a/up': the link leads to a directory that contains the link"));
    survey_free(&s);
}

static void a_tree_that_is_too_deep_is_bad(void **state) {
    (void)state;
    char path[512] = "images";
    survey s;
    folder_make(path);
    for (unsigned depth = 0; depth <= SURVEY_DEPTH; depth++) {
        strcat(path, "/d");
        folder_make(path);
    }
    assert_true(walk(&s));
    assert_true(s.count == 0 && counts.bad == 1);
    assert_true(folder_said("the directory is more than 64 levels deep"));
    survey_free(&s);
}

static void a_root_without_classes_is_refused(void **state) {
    (void)state;
    survey s;
    assert_false(walk(&s));
    assert_true(folder_said("images' cannot be read: No such file or directory"));
    survey_free(&s);
    folder_make("images");
    touch("images/1.png");
    assert_false(walk(&s));
    assert_true(folder_said("must hold a directory for each class, from 1 to 1048576 of them, "
                            "but holds 0"));
    survey_free(&s);
}

/* A class that is missed would shift the numbers of those behind it. */
static void a_root_that_cannot_be_read_to_its_end_is_refused(void **state) {
    (void)state;
    survey s;
    folder_make("images");
    folder_make("images/a");
    folder_make("images/b");
    touch("images/a/1.png");
    touch("images/b/1.png");
    for (unsigned at = 1; at <= 5; at++) { /* two dots, two classes, and the end */
        broken_list_at = at;
        assert_false(walk(&s));
        assert_true(folder_said("images' cannot be read to its end: Input/output error"));
        survey_free(&s);
        folder_forget();
    }
    broken_list_at = 6; /* of the first class */
    assert_true(walk(&s));
    assert_int_equal(counts.bad, 1);
    assert_true(folder_said("images/a': the directory cannot be read to its end: Input/output"));
    survey_free(&s);
}

static void a_class_whose_name_is_not_utf8_is_refused(void **state) {
    (void)state;
    survey s;
    folder_make("images");
    folder_make("images/\xff");
    assert_false(walk(&s));
    assert_true(folder_said("images/\\xff' is not UTF-8"));
    survey_free(&s);
}

RUN(IN_FOLDER(files_come_in_the_order_of_torchvision), IN_FOLDER(other_files_are_skipped_by_reason),
    IN_FOLDER(a_link_that_leads_nowhere_is_bad_only_where_an_image_is_missed),
    IN_FOLDER(links_are_followed_but_not_in_circles), IN_FOLDER(a_tree_that_is_too_deep_is_bad),
    IN_FOLDER(a_root_without_classes_is_refused),
    IN_FOLDER(a_root_that_cannot_be_read_to_its_end_is_refused),
    IN_FOLDER(a_class_whose_name_is_not_utf8_is_refused))
