#include "small_set.h"

#include "datasets/manifest.h"

#include <inttypes.h>
#include <signal.h>
#include <sys/resource.h>

static dataset_writer *begin_set(const char *name) {
    dataset_writer *w = dataset_writer_new(folder_path(name), &small_facts, folder_errors);
    assert_non_null(w);
    return w;
}

static void what_is_written_is_read(void **state) {
    (void)state;
    small_write_labelled("a");
    dataset *d = small_open("a", true);
    assert_non_null(d);
    assert_true(d->count == 3 && d->x.rank == 2 && d->x.side[0] == 2 && d->x.side[1] == 2);
    assert_true(d->x.type == DTYPE_U8 && d->x.layout == LAYOUT_NONE && d->x.row_bytes == 4);
    for (uint64_t i = 0; i < 3; i++)
        assert_memory_equal(dataset_array_row(&d->x, i), small_pixels + 4 * i, 4);
    assert_int_equal(d->heads, 2);
    assert_true(d->head[0].kind == DATASET_NUMBERS && d->head[0].classes == 3);
    assert_int_equal(d->head[0].file.bytes[4], 2);
    assert_true(d->head[1].kind == DATASET_ROWS && d->head[1].classes == 2);
    assert_true(dtype_real(DTYPE_F32, d->head[1].file.bytes + 4) == 0.75);
    dataset_release(d);
    assert_true(folder_said("/a: 3 rows, digest "));
}

static void dense_targets_and_neighbours_are_read(void **state) {
    (void)state;
    small_write_dense("a");
    dataset *d = small_open("a", true);
    assert_non_null(d);
    assert_int_equal(d->denses, 2);
    const dataset_array *map = &d->dense[0], *depth = &d->dense[1];
    assert_string_equal(map->name, "dense.map");
    assert_true(map->type == DTYPE_U8 && map->rank == 2 && map->layout == LAYOUT_NONE);
    assert_true(map->row_bytes == 4 && map->file.length == 12 && map->file.bytes[4] == 2);
    assert_string_equal(depth->name, "dense");
    assert_true(depth->type == DTYPE_F32 && depth->layout == LAYOUT_CHANNELS_FIRST);
    assert_true(depth->row_bytes == 32 && dtype_real(DTYPE_F32, depth->file.bytes + 8) == -1);
    assert_int_equal(d->neighbours.k, 2);
    assert_true(small_neighbour(d, 0, 1) == 2 && small_neighbour(d, 1, 0) == 0);
    dataset_release(d);
    assert_int_equal(folder_count("a"), 8);
}

static void what_does_not_belong_to_the_rows_is_refused(void **state) {
    (void)state;
    const array two = {.name = "dense", .type = DTYPE_U8, .rank = 3, .shape = {2, 2, 2}};
    const array odd = {.name = "mask", .type = DTYPE_U8, .rank = 3, .shape = {3, 2, 2}};
    dataset_writer *w = begin_set("a");
    assert_true(dataset_writer_rows(w, small_pixels, 3));
    assert_false(dataset_writer_dense(w, &two, LAYOUT_NONE));
    assert_true(folder_said("there are 2 rows in dense for 3 rows of x"));
    dataset_writer_abandon(w);
    w = begin_set("a");
    assert_true(dataset_writer_rows(w, small_pixels, 3));
    assert_false(dataset_writer_dense(w, &odd, LAYOUT_NONE));
    assert_true(folder_said("dense targets must be named dense or dense.NAME"));
    dataset_writer_abandon(w);
    w = begin_set("a");
    assert_true(dataset_writer_rows(w, small_pixels, 3));
    assert_false(dataset_writer_neighbours(w, &two));
    assert_true(folder_said("there are 2 rows in the neighbours for 3 rows of x"));
    dataset_writer_abandon(w);
    assert_int_equal(folder_count(""), 0);
}

static void values_are_written_as_f32(void **state) {
    (void)state;
    static const double values[] = {0.5, -3, 1e6};
    const array y = {
        .bytes = (const unsigned char *)values, .type = DTYPE_F64, .rank = 1, .shape = {3}};
    const label l = {.from = &y, .native = true, .values = true, .rows = 3, .classes = 1};
    dataset_writer *w = begin_set("a");
    assert_true(dataset_writer_rows(w, small_pixels, 3) && dataset_writer_head(w, "y", &l) &&
                dataset_writer_finish(w));
    dataset *d = small_open("a", true);
    assert_non_null(d);
    assert_true(d->head[0].kind == DATASET_VALUES && d->head[0].file.length == 12);
    assert_true(dtype_real(DTYPE_F32, d->head[0].file.bytes + 4) == -3);
    dataset_release(d);
}

static void rows_may_come_in_pieces(void **state) {
    (void)state;
    small_write("a");
    dataset_writer *w = begin_set("b");
    for (uint64_t i = 0; i < 3; i++)
        assert_true(dataset_writer_rows(w, small_pixels + 4 * i, 1));
    assert_true(dataset_writer_finish(w));
    dataset *a = small_open("a", true), *b = small_open("b", true);
    assert_true(a && b);
    assert_string_equal(a->digest, b->digest);
    dataset_release(a);
    dataset_release(b);
}

static void labels_must_be_as_many_as_rows(void **state) {
    (void)state;
    dataset_writer *w = begin_set("a");
    assert_true(dataset_writer_rows(w, small_pixels, 3));
    assert_false(small_heads(w, 2));
    dataset_writer_abandon(w);
    assert_true(folder_said("there are 2 labels y for 3 rows"));
    assert_int_equal(folder_count(""), 0);
}

static void a_set_has_rows(void **state) {
    (void)state;
    assert_false(dataset_writer_finish(begin_set("a")));
    assert_true(folder_said("there are no rows"));
    assert_int_equal(folder_count(""), 0);
}

static void heads_are_named_well_and_at_most_eight(void **state) {
    (void)state;
    static const unsigned char numbers[3] = {0};
    const array y = {.name = "y", .bytes = numbers, .type = DTYPE_U8, .rank = 1, .shape = {3}};
    const label l = {.from = &y, .numbers = true, .rows = 3, .classes = 1};
    char name[8];
    dataset_writer *w = begin_set("a");
    assert_true(dataset_writer_rows(w, small_pixels, 3));
    for (unsigned i = 0; i < DATASET_HEADS; i++) {
        snprintf(name, sizeof name, "y.%u", i);
        assert_true(dataset_writer_head(w, name, &l));
    }
    assert_false(dataset_writer_head(w, "y", &l));
    dataset_writer_abandon(w);
    assert_true(folder_said("there are more than 8 heads of labels"));
    w = begin_set("a");
    assert_true(dataset_writer_rows(w, small_pixels, 3));
    assert_false(dataset_writer_head(w, "y.a.b", &l));
    dataset_writer_abandon(w);
    assert_true(folder_said("labels must be named y or y.NAME (letters, digits, _ and -)"));
}

static void names_of_classes_are_utf8(void **state) {
    (void)state;
    assert_true(dataset_writer_takes_class("gr\xc3\xbcn"));
    assert_false(dataset_writer_takes_class("\xff"));
    dataset_writer *w = begin_set("a");
    assert_true(dataset_writer_rows(w, small_pixels, 3) && small_heads(w, 3));
    assert_false(dataset_writer_class(w, "\xff"));
    dataset_writer_abandon(w);
    assert_true(folder_said("the name of a class is not UTF-8"));
}

/* A set with one head of so many classes, whose names are numbers with this text before them. */
static dataset_writer *begin_named(uint64_t classes, const char *before) {
    static const unsigned char numbers[] = {0, 2, 1};
    char name[2000];
    const array y = {.name = "y", .bytes = numbers, .type = DTYPE_U8, .rank = 1, .shape = {3}};
    const label l = {.from = &y, .numbers = true, .rows = 3, .classes = classes};
    dataset_writer *w = begin_set("a");
    assert_true(dataset_writer_rows(w, small_pixels, 3) && dataset_writer_head(w, "y", &l));
    for (uint64_t i = 0; i < classes; i++) {
        snprintf(name, sizeof name, "%s%" PRIu64, before, i);
        assert_true(dataset_writer_class(w, name));
    }
    return w;
}

static void a_set_may_have_names_for_as_many_classes_as_a_head(void **state) {
    (void)state;
    assert_true(dataset_writer_finish(begin_named(FMIX_MAX_CLASSES, "the class of number ")));
    dataset *d = small_open("a", true);
    assert_true(d && d->head[0].classes == FMIX_MAX_CLASSES);
    dataset_release(d);
}

static void a_manifest_that_nobody_would_read_is_not_published(void **state) {
    (void)state;
    char before[1900];
    memset(before, 'n', sizeof before - 1);
    before[sizeof before - 1] = 0;
    assert_false(dataset_writer_finish(begin_named(MANIFEST_MOST / 1900, before)));
    assert_true(folder_said("manifest.json has more than 67108864 bytes: the names of all classes "
                            "are too long"));
    assert_int_equal(folder_count(""), 0);
}

/* Those that follow are its consequences. */
static void only_the_first_error_is_printed(void **state) {
    (void)state;
    dataset_writer *w = begin_set("a");
    assert_true(dataset_writer_rows(w, small_pixels, 3));
    assert_false(small_heads(w, 2));
    assert_false(small_heads(w, 1));
    assert_false(dataset_writer_rows(w, small_pixels, 3));
    assert_false(small_heads(w, 3));
    assert_false(dataset_writer_finish(w));
    assert_true(folder_said("there are 2 labels y for 3 rows"));
    const char *first = strstr(folder_text, "fmixd: import: ");
    assert_non_null(first);
    assert_null(strstr(first + 1, "fmixd: import: "));
}

static void a_path_is_checked_before_anything_is_written(void **state) {
    (void)state;
    assert_true(dataset_writer_check(folder_path("a"), folder_errors));
    assert_int_equal(folder_count(""), 0);
    assert_false(dataset_writer_check(folder_path("a.b"), folder_errors));
    assert_true(folder_said("'a.b' is not a valid name of a data set: a name has at most 64 "));
    folder_make("a");
    assert_false(dataset_writer_check(folder_path("a"), folder_errors));
    assert_true(folder_said("/a' already exists; remove it, or choose another name"));
    assert_null(dataset_writer_new(folder_path("a"), &small_facts, folder_errors));
}

static void a_second_writer_of_a_set_is_told(void **state) {
    (void)state;
    dataset_writer *w = begin_set("a");
    assert_null(dataset_writer_new(folder_path("a"), &small_facts, folder_errors));
    assert_true(folder_said("another process is already importing '"));
    assert_true(dataset_writer_rows(w, small_pixels, 3) && dataset_writer_finish(w));
}

/* The error was once of "data.bin", whose directory has no name that a user knows. */
static void an_error_of_writing_names_the_set_and_the_file(void **state) {
    (void)state;
    struct rlimit before;
    static unsigned char row[100000];
    const dataset_writer_facts facts = {
        .type = DTYPE_U8, .rank = 1, .side = {sizeof row}, .layout = LAYOUT_NONE};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit small = {50000, before.rlim_max};
    dataset_writer *w = dataset_writer_new(folder_path("a"), &facts, folder_errors);
    assert_non_null(w);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    bool good = dataset_writer_rows(w, row, 1);
    good = dataset_writer_finish(w) && good;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_false(good);
    assert_true(folder_said("fmixd: import: cannot write /tmp/fmixd-unit-"));
    assert_true(folder_said("/a/data.bin: File too large"));
    assert_int_equal(folder_count(""), 0);
}

/* As of a file that is overwritten after its offsets were checked. */
static void offsets_that_do_not_rise_or_leave_their_steps_are_refused(void **state) {
    (void)state;
    static const signed char ends[][4] = {{0, 1, 7, 6}, {0, 3, 3, 6}, {0, 4, 1, 6}, {0, 1, 5, 7}};
    static const char *const said[] = {
        "row 1 has 6 steps; it must have at least 1, and of all 6 steps 5 are left",
        "row 1 has 0 steps; it must have at least 1, and of all 6 steps 3 are left",
        "row 1 has -3 steps; it must have at least 1, and of all 6 steps 2 are left",
        "row 2 has 2 steps; it must have at least 1, and of all 6 steps 1 are left"};
    const dataset_writer_facts facts = {.type = DTYPE_U8,
                                        .rank = 2,
                                        .side = {0, 2},
                                        .layout = LAYOUT_CHANNELS_LAST,
                                        .ragged = true};
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        const array offsets = {
            .bytes = (const unsigned char *)ends[i], .type = DTYPE_I8, .rank = 1, .shape = {4}};
        dataset_writer *w = dataset_writer_new(folder_path("a"), &facts, folder_errors);
        assert_true(w && !dataset_writer_ragged(w, small_pixels, 6, &offsets));
        assert_true(folder_said(said[i]));
        dataset_writer_abandon(w);
        assert_int_equal(folder_count(""), 0);
    }
}

static void a_directory_that_cannot_be_used_is_named(void **state) {
    (void)state;
    folder_write("plain", "", 0);
    assert_null(dataset_writer_new(folder_path("plain/a"), &small_facts, folder_errors));
    assert_true(folder_said("/plain: Not a directory"));
    folder_write(".b.partial", "", 0);
    assert_null(dataset_writer_new(folder_path("b"), &small_facts, folder_errors));
    assert_true(folder_said("/.b.partial: Not a directory"));
}

RUN(IN_FOLDER(what_is_written_is_read), IN_FOLDER(dense_targets_and_neighbours_are_read),
    IN_FOLDER(what_does_not_belong_to_the_rows_is_refused), IN_FOLDER(values_are_written_as_f32),
    IN_FOLDER(rows_may_come_in_pieces), IN_FOLDER(labels_must_be_as_many_as_rows),
    IN_FOLDER(a_set_has_rows), IN_FOLDER(heads_are_named_well_and_at_most_eight),
    IN_FOLDER(names_of_classes_are_utf8),
    IN_FOLDER(a_set_may_have_names_for_as_many_classes_as_a_head),
    IN_FOLDER(a_manifest_that_nobody_would_read_is_not_published),
    IN_FOLDER(only_the_first_error_is_printed),
    IN_FOLDER(a_path_is_checked_before_anything_is_written),
    IN_FOLDER(a_second_writer_of_a_set_is_told),
    IN_FOLDER(an_error_of_writing_names_the_set_and_the_file),
    IN_FOLDER(offsets_that_do_not_rise_or_leave_their_steps_are_refused),
    IN_FOLDER(a_directory_that_cannot_be_used_is_named))
