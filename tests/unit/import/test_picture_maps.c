/* Which options name label maps, and where the map of a picture lies. */
#include "importing.h"

#include "import/picture_maps.h"

typedef struct bench {
import in;
    report counts;
} bench;

/* An import with two --dense options. */
static void begin(bench *b, const char *first, const char *second) {
    static const char *const files[] = {"p"};
    b->in = importing_of(files, 1, &b->counts);
    b->in.dense.count = 2;
    snprintf(b->in.dense.item[0].name, ARRAY_NAME, "dense");
    snprintf(b->in.dense.item[1].name, ARRAY_NAME, "dense.b");
    b->in.dense.item[0].path = first;
    b->in.dense.item[1].path = second;
}

/* Bytes that stay when folder_path is called again. */
static const char *kept(const char *name, char out[400]) {
    snprintf(out, 400, "%s", folder_path(name));
    return out;
}

static void expect(const picture_maps *m, unsigned i, const char *picture, size_t within,
                   const char *wanted) {
    char *name = picture_maps_name(m, i, picture, within);
    assert_non_null(name);
    assert_string_equal(name, wanted);
    free(name);
}

static void a_directory_holds_maps_at_the_paths_of_pictures(void **state) {
    (void)state;
    char one[400], other[400], wanted[420];
    bench b;
    folder_make("maps");
    folder_write("y.npy", "", 0);
    begin(&b, kept("y.npy", other), kept("maps", one));
    assert_true(picture_maps_mark(&b.in, IMPORT_MAPS_FOLDERS));
    picture_maps m = picture_maps_of(&b.in);
    assert_true(m.count == 1 && !m.members && !b.in.dense.item[0].maps);
    assert_string_equal(m.name[0], "dense.b");
    static const char *const pairs[][2] = {{"p/a/x.jpg", "a/x.png"},
                                           {"p/a/x", "a/x.png"},
                                           {"p/a.b/x.y.png", "a.b/x.y.png"},
                                           {"p/a.b/x", "a.b/x.png"}};
    for (unsigned i = 0; i < 4; i++) {
        snprintf(wanted, sizeof wanted, "%s/%s", one, pairs[i][1]);
        expect(&m, 0, pairs[i][0], 2, wanted);
    }
}

static void an_end_of_names_is_that_of_members_beside_pictures(void **state) {
    (void)state;
    bench b;
    begin(&b, "seg", "dense.map.png");
    assert_true(picture_maps_mark(&b.in, IMPORT_MAPS_MEMBERS));
    picture_maps m = picture_maps_of(&b.in);
    assert_true(m.count == 2 && m.members);
    assert_int_equal(picture_maps_member(&m, "seg.png"), 0);
    assert_int_equal(picture_maps_member(&m, "dense.map.png"), 1);
    assert_int_equal(picture_maps_member(&m, "png"), 2);
    expect(&m, 0, "a.tar: b.c/1.jpg", 0, "a.tar: b.c/1.seg.png");
    begin(&b, "y.npy", "./seg");
    assert_true(picture_maps_mark(&b.in, IMPORT_MAPS_MEMBERS));
    assert_int_equal(picture_maps_of(&b.in).count, 0);
}

static void other_kinds_have_no_maps(void **state) {
    (void)state;
    char one[400];
    bench b;
    folder_make("maps");
    begin(&b, "nowhere", kept("maps", one));
    assert_true(picture_maps_mark(&b.in, IMPORT_MAPS_NONE));
    assert_int_equal(picture_maps_of(&b.in).count, 0);
}

static void what_is_nowhere_or_named_twice_is_refused(void **state) {
    (void)state;
    char one[400], longest[2 * PICTURE_MAPS_END];
    bench b;
    folder_make("maps");
    begin(&b, kept("maps", one), folder_path("nowhere"));
    assert_false(picture_maps_mark(&b.in, IMPORT_MAPS_FOLDERS));
    assert_true(folder_said("nowhere' cannot be read: No such file or directory"));
    begin(&b, one, one);
    snprintf(b.in.dense.item[1].name, ARRAY_NAME, "dense");
    assert_false(picture_maps_mark(&b.in, IMPORT_MAPS_FOLDERS));
    assert_true(folder_said("dense is given twice by --dense, as '"));
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    begin(&b, "seg", longest);
    assert_false(picture_maps_mark(&b.in, IMPORT_MAPS_MEMBERS));
    assert_true(folder_said("is too long for the end of a name"));
}

static void what_was_imported_is_told(void **state) {
    (void)state;
    bench b;
    begin(&b, "seg", "y.npy");
    assert_true(picture_maps_mark(&b.in, IMPORT_MAPS_MEMBERS));
    picture_maps_tell(&b.in);
    assert_true(folder_said("dense: a label map for each row, type u8, from 'seg'"));
    assert_true(folder_said_nothing_of("y.npy"));
}

RUN(IN_FOLDER(a_directory_holds_maps_at_the_paths_of_pictures),
    IN_FOLDER(an_end_of_names_is_that_of_members_beside_pictures),
    IN_FOLDER(other_kinds_have_no_maps), IN_FOLDER(what_is_nowhere_or_named_twice_is_refused),
    IN_FOLDER(what_was_imported_is_told))
