/* Rows that come one by one with their labels, and an import that goes on with another's files. */
#include "small_set.h"

#include "datasets/dataset_writer_state.h"

static const dataset_writer_facts facts = {.type = DTYPE_U8,
                                           .rank = 3,
                                           .side = {0, 0, 3},
                                           .layout = LAYOUT_CHANNELS_LAST,
                                           .images = true,
                                           .store = DATASET_PIXELS,
                                           .columns = 2,
                                           .expected = 4};

static void write_row(dataset_writer *w, unsigned i) {
    const dataset_picture p = {small_pixels + 3 * i, 3, 1, 1};
    const uint32_t labels[] = {i, 0x3f000000u + i};
    assert_true(dataset_writer_picture(w, &p) && dataset_writer_labels(w, labels));
}

/* A writer is killed: its files stay, and its lock goes. */
static void drop(dataset_writer *w) {
    dataset_writer_close(w);
    staging_free(&w->place);
    json_decref(w->class_names);
    free(w);
}

/* Two rows that are saved and one that is not, of an import that is killed. */
static void leave_three_rows(uint64_t source) {
    dataset_journal journal = {.source = source, .items = 2, .bad = 5};
    dataset_writer *w = dataset_writer_open(folder_path("a"), folder_errors);
    assert_true(w && dataset_writer_begin(w, &facts, &journal));
    write_row(w, 0);
    write_row(w, 1);
    assert_true(dataset_writer_save(w, &journal));
    write_row(w, 3);
    drop(w);
}

/* files: that the set has then. */
static void finish_two_rows_of(dataset_writer *w, unsigned files) {
    mapped_file column = {.bytes = NULL};
    write_row(w, 2);
    write_row(w, 3);
    assert_true(dataset_writer_column(w, 0, &column));
    assert_int_equal(column.length, 16);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(column.bytes[4 * i], i);
    mapped_file_close(&column);
    assert_true(dataset_writer_finish(w));
    assert_int_equal(folder_count("a"), files); /* and no column or journal */
    dataset *d = small_open("a", true);
    assert_true(d && d->count == 4 && d->x.file.length == 12);
    assert_memory_equal(d->x.file.bytes, small_pixels, 12);
    dataset_release(d);
}

static void finish_two_rows(dataset_writer *w) {
    finish_two_rows_of(w, 4);
}

static void an_import_goes_on_where_a_killed_one_was_saved(void **state) {
    (void)state;
    dataset_journal journal = {.source = 7};
    leave_three_rows(7);
    dataset_writer *w = dataset_writer_open(folder_path("a"), folder_errors);
    assert_true(w && dataset_writer_begin(w, &facts, &journal));
    assert_true(journal.items == 2 && journal.rows == 2 && journal.bad == 5 && journal.bytes == 6);
    assert_true(folder_said("goes on with an earlier import that did not finish: 2 of 4 rows"));
    finish_two_rows(w);
}

/* As an import does that is killed behind its last row: the files of heads, of what stands beside
 * the rows, of pieces and the manifest are there, and the journal still is. */
static void leave_an_end(void) {
    static const char *const files[] = {"labels.bin",     "labels.b.bin", "dense.old.bin",
                                        "neighbours.bin", "pieces.bin",   "manifest.json"};
    char path[64];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, ".a.partial/%s", files[i]);
        folder_write(path, "stale", 5);
    }
}

static void an_import_goes_on_where_one_was_killed_behind_its_last_row(void **state) {
    (void)state;
    static const unsigned char near[] = {1, 0, 0, 0}, numbers[] = {0, 2, 1, 2};
    const array neighbours = {.bytes = near, .type = DTYPE_U8, .rank = 2, .shape = {4, 1}};
    const array y = {.name = "y", .bytes = numbers, .type = DTYPE_U8, .rank = 1, .shape = {4}};
    const label l = {.from = &y, .numbers = true, .rows = 4, .classes = 3};
    dataset_journal journal = {.source = 7};
    leave_three_rows(7);
    leave_an_end();
    dataset_writer *w = dataset_writer_open(folder_path("a"), folder_errors);
    assert_true(w && dataset_writer_begin(w, &facts, &journal) && journal.rows == 2);
    write_row(w, 2);
    write_row(w, 3);
    assert_true(dataset_writer_head(w, "y", &l) && dataset_writer_neighbours(w, &neighbours));
    assert_true(dataset_writer_finish(w));
    assert_int_equal(folder_count("a"), 6); /* and no dense targets, which this import has not */
    dataset *d = small_open("a", true);
    assert_true(d && d->count == 4 && d->heads == 1 && d->head[0].file.bytes[4] == 2);
    dataset_release(d);
}

static void a_file_that_a_list_of_the_directory_missed_is_written_anew(void **state) {
    (void)state;
    dataset_journal journal = {.source = 7};
    leave_three_rows(7);
    dataset_writer *w = dataset_writer_open(folder_path("a"), folder_errors);
    assert_true(w && dataset_writer_begin(w, &facts, &journal));
    leave_an_end();
    finish_two_rows_of(w, 4 + 4);
}

static void begin_anew(uint64_t source, const char *reason) {
    dataset_journal journal = {.source = source};
    dataset_writer *w = dataset_writer_open(folder_path("a"), folder_errors);
    assert_true(w && dataset_writer_begin(w, &facts, &journal));
    assert_true(journal.items == 0 && w->set.count == 0 && w->x.used == 0);
    assert_true(folder_said("what an earlier import left unfinished is removed: "));
    assert_true(folder_said(reason));
    write_row(w, 0);
    write_row(w, 1);
    finish_two_rows(w);
}

static void another_source_begins_anew(void **state) {
    (void)state;
    leave_three_rows(7);
    begin_anew(8, "the files or the options are not those that it had");
}

static void a_file_that_is_too_short_begins_anew(void **state) {
    (void)state;
    leave_three_rows(7);
    assert_int_equal(truncate(folder_path(".a.partial/data.bin"), 5), 0);
    begin_anew(7, "its files cannot be used");
}

static void a_damaged_journal_begins_anew(void **state) {
    (void)state;
    leave_three_rows(7);
    folder_write(".a.partial/journal", "fmixd import 3:", 15);
    begin_anew(7, "it had not saved any rows");
}

static void an_import_that_is_given_up_leaves_nothing(void **state) {
    (void)state;
    dataset_journal journal = {.source = 7};
    dataset_writer *w = dataset_writer_open(folder_path("a"), folder_errors);
    FILE *scratch = dataset_writer_scratch(w);
    assert_true(scratch && dataset_writer_begin(w, &facts, &journal));
    write_row(w, 0);
    assert_true(dataset_writer_save(w, &journal));
    dataset_writer_abandon(w);
    assert_false(folder_exists(".a.partial") || folder_exists("a"));
    assert_int_equal(fclose(scratch), 0);
}

static void a_picture_whose_file_is_cut_short_is_not_blamed_on_the_disk(void **state) {
    (void)state;
    static const unsigned char blank[1 << 16];
    mapped_file source;
    dataset_writer *w = dataset_writer_open(folder_path("a"), folder_errors);
    mapped_file_start(); /* cmocka has a handler of its own */
    assert_true(w && dataset_writer_begin(w, &facts, NULL));
    folder_write("picture", blank, sizeof blank);
    assert_true(mapped_file_open_path(folder_path("picture"), &source));
    assert_int_equal(truncate(folder_path("picture"), 0), 0);
    assert_false(dataset_writer_picture(w, &(dataset_picture){source.bytes, sizeof blank, 9, 9}));
    fflush(folder_errors);
    assert_non_null(strstr(folder_text, "data.bin: the file that it is copied from was cut short"));
    mapped_file_close(&source);
    dataset_writer_abandon(w);
    assert_false(folder_exists("a"));
}

/* ---- label maps ---- */

static void write_row_and_map(dataset_writer *w, unsigned i) {
    const dataset_picture map = {small_pixels + 2 * i, i + 1, 1, 1}; /* as of a file */
    write_row(w, i);
    assert_true(dataset_writer_map(w, 0, &map));
}

static void label_maps_go_on_with_their_rows(void **state) {
    (void)state;
    dataset_writer_facts mapped = facts;
    dataset_journal journal = {.source = 7, .items = 2};
    mapped.store = DATASET_FILES;
    mapped.maps = 1;
    mapped.map_name[0] = "dense.map";
    dataset_writer *w = dataset_writer_open(folder_path("a"), folder_errors);
    assert_true(w && dataset_writer_begin(w, &mapped, &journal));
    write_row_and_map(w, 0);
    write_row_and_map(w, 1);
    assert_true(dataset_writer_save(w, &journal));
    write_row_and_map(w, 3);
    drop(w);
    journal = (dataset_journal){.source = 7};
    w = dataset_writer_open(folder_path("a"), folder_errors);
    assert_true(w && dataset_writer_begin(w, &mapped, &journal) && journal.rows == 2);
    assert_int_equal(w->map[0].used, 3);
    write_row_and_map(w, 2);
    write_row_and_map(w, 3);
    assert_true(dataset_writer_finish(w));
    assert_int_equal(folder_count("a"), 6);
    dataset *d = small_open("a", true);
    assert_true(d && d->denses == 1 && d->dense[0].file.length == 1 + 2 + 3 + 4);
    for (unsigned i = 0; i < 4; i++) {
        dataset_picture p;
        assert_true(dataset_picture_in(d, &d->dense[0], i, &p) && p.length == i + 1);
        assert_memory_equal(p.bytes, small_pixels + 2 * i, i + 1);
    }
    dataset_release(d);
}

static void maps_of_rows_of_one_shape_are_dense_targets_of_that_shape(void **state) {
    (void)state;
    dataset_writer_facts mapped = small_facts;
    mapped.maps = 1;
    mapped.map_name[0] = "dense";
    dataset_writer *w = dataset_writer_new(folder_path("a"), &mapped, folder_errors);
    assert_non_null(w);
    for (unsigned i = 0; i < 3; i++) {
        const dataset_picture map = {small_pixels + i, 4, 2, 2};
        assert_true(dataset_writer_rows(w, small_pixels + 4 * i, 1) &&
                    dataset_writer_map(w, 0, &map));
    }
    assert_true(small_heads(w, 3) && dataset_writer_finish(w));
    dataset *d = small_open("a", true);
    assert_true(d && d->denses == 1 && d->dense[0].row_bytes == 4 && !d->images);
    assert_memory_equal(dataset_array_row(&d->dense[0], 2), small_pixels + 2, 4);
    dataset_release(d);
}

RUN(IN_FOLDER(an_import_goes_on_where_a_killed_one_was_saved),
    IN_FOLDER(an_import_goes_on_where_one_was_killed_behind_its_last_row),
    IN_FOLDER(a_file_that_a_list_of_the_directory_missed_is_written_anew),
    IN_FOLDER(another_source_begins_anew), IN_FOLDER(a_file_that_is_too_short_begins_anew),
    IN_FOLDER(label_maps_go_on_with_their_rows),
    IN_FOLDER(maps_of_rows_of_one_shape_are_dense_targets_of_that_shape),
    IN_FOLDER(a_damaged_journal_begins_anew), IN_FOLDER(an_import_that_is_given_up_leaves_nothing),
    IN_FOLDER(a_picture_whose_file_is_cut_short_is_not_blamed_on_the_disk))
