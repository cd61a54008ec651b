/* What all imports of pictures share, by a source of a few files with labels. */
#include "importing.h"

#include "import/pictures.h"

typedef struct list {
    const char *const *names;
    unsigned count, at, taken;
    const char *refused;
    unsigned rewinds, more; /* more: items of the second pass beyond those of the first */
    uint32_t width;         /* of a.png in the second pass; 0: as it was */
    char path[600];
} list;

static bool go_to_first(void *self) {
    list *l = self;
    l->at = 0;
    if (l->rewinds++ == 0)
        return true;
    l->count += l->more;
    if (l->width)
        importing_png("a.png", l->width, 3, 1, 9);
    return true;
}

static picture_next next(void *self, picture_item *out) {
    list *l = self;
    if (l->at == l->count)
        return PICTURE_END;
    snprintf(l->path, sizeof l->path, "%s", folder_path(l->names[l->at]));
    out->name = l->path;
    out->labels[0] = l->at % 2;
    out->labels[1] = 0x3f800000; /* 1 */
    out->refused = l->at == 1 ? l->refused : NULL;
    l->at++;
    return PICTURE_ITEM;
}

static void taken(void *self, const picture_item *item) {
    (void)item;
    ((list *)self)->taken++;
}

static bool run(list *l, unsigned given) {
    static report counts;
    static const char *const files[] = {"list"};
    static const char *const names[] = {"cat", "dog"};
import in = importing_of(files, 1, & counts);
    in.given = given;
    picture_source source = {
        .self = l,
        .rewind = go_to_first,
        .next = next,
        .taken = taken,
        .heads = 2,
        .head = {{.name = "y", .classes = 2, .class_names = names},
                 {.name = "y.age", .values = true}},
    };
    dataset_writer *w = dataset_writer_open(in.path, folder_errors);
    bool good = w && pictures_import(&in, &source, w);
    fflush(folder_errors);
    return good;
}

static void rows_come_in_the_order_of_the_source_with_their_labels(void **state) {
    (void)state;
    static const char *const names[] = {"b.png", "a.png", "b.png"};
    list l = {.names = names, .count = 3};
    dataset_picture p;
    importing_png("a.png", 5, 3, 1, 9);
    importing_png("b.png", 4, 4, 1, 7);
    assert_true(run(&l, 0));
    assert_int_equal(l.taken, 3);
    dataset *d = importing_open();
    assert_true(d->images && d->count == 3 && d->heads == 2);
    assert_true(dataset_picture_of(d, 0, &p) && p.width == 4);
    assert_true(dataset_picture_of(d, 1, &p) && p.width == 5);
    assert_int_equal(d->head[0].file.bytes[4], 1);
    assert_true(d->head[1].kind == DATASET_VALUES && d->head[1].file.bytes[3] == 0x3f);
    d->description.bytes[d->description.length - 1] = 0;
    assert_non_null(strstr((char *)d->description.bytes, "\"class_names\":[\"cat\",\"dog\"]"));
    dataset_release(d);
}

static void an_item_without_a_label_is_bad(void **state) {
    (void)state;
    static const char *const names[] = {"a.png", "a.png", "a.png"};
    list l = {.names = names, .count = 3, .refused = "there is no label"};
    importing_png("a.png", 5, 3, 1, 9);
    assert_false(run(&l, 0));
    assert_true(folder_said("a.png': there is no label\n"));
    assert_false(folder_exists("set") || folder_exists(".set.partial"));
    assert_true(run(&l, IMPORT_SKIP_BAD));
    dataset *d = importing_open();
    assert_true(d->count == 2 && !d->images && d->head[0].file.bytes[4] == 0);
    dataset_release(d);
}

static void a_file_that_changes_between_the_passes_is_refused(void **state) {
    (void)state;
    static const char *const names[] = {"b.png", "a.png", "b.png"};
    list l = {.names = names, .count = 3, .width = 6};
    importing_png("a.png", 5, 3, 1, 9);
    importing_png("b.png", 4, 4, 1, 7);
    assert_false(run(&l, IMPORT_SKIP_BAD));
    assert_true(folder_said("a.png' changed while it was read"));
    assert_false(folder_exists("set") || folder_exists(".set.partial"));
}

static void a_source_that_grows_between_the_passes_is_refused(void **state) {
    (void)state;
    static const char *const names[] = {"a.png", "a.png", "a.png"};
    list l = {.names = names, .count = 2, .more = 1};
    importing_png("a.png", 5, 3, 1, 9);
    assert_false(run(&l, IMPORT_SKIP_BAD));
    assert_true(folder_said("a.png' was not there at first: the files changed"));
    assert_false(folder_exists("set") || folder_exists(".set.partial"));
}

static void a_source_without_pictures_is_refused(void **state) {
    (void)state;
    list l = {.names = NULL, .count = 0};
    assert_false(run(&l, 0));
    assert_true(folder_said("holds no PNG or JPEG file that can be read"));
    assert_false(folder_exists(".set.partial"));
}

RUN(IN_FOLDER(rows_come_in_the_order_of_the_source_with_their_labels),
    IN_FOLDER(an_item_without_a_label_is_bad),
    IN_FOLDER(a_file_that_changes_between_the_passes_is_refused),
    IN_FOLDER(a_source_that_grows_between_the_passes_is_refused),
    IN_FOLDER(a_source_without_pictures_is_refused))
