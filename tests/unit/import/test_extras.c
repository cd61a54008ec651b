#include "importing.h"

static const unsigned char bytes[3 * 1025];

static void write_npy(const char *name, const char *descr, const char *shape, const void *data,
                      size_t length) {
    body b = {.length = 0};
    body_npy(&b, &(piece){"", descr, "", shape, data, length});
    folder_write(name, b.bytes, b.length);
}

/* Imports rows of u8 zeros beside dense targets of u8 zeros. */
static int import_maps(const char *x, size_t x_bytes, const char *layout, const char *map,
                       size_t map_bytes) {
    folder_forget();
    write_npy("x.npy", "|u1", x, bytes, x_bytes);
    write_npy("map.npy", "|u1", map, bytes, map_bytes);
    return IMPORT("--from", "npy", folder_path("x.npy"), "--layout", layout, "--dense",
                  folder_path("map.npy"));
}

static int import_neighbours(const char *descr, const char *shape, const void *data,
                             size_t length) {
    folder_forget();
    write_npy("x.npy", "|u1", "3, 4", bytes, 12);
    write_npy("near.npy", descr, shape, data, length);
    return IMPORT("--from", "npy", folder_path("x.npy"), "--neighbours", folder_path("near.npy"));
}

static void dense_targets_have_channels_where_x_has_them(void **state) {
    (void)state;
    static const struct {
        const char *x, *layout, *map;
        size_t x_bytes, map_bytes;
        unsigned rank, as;
    } good[] = {
        {"2, 3, 4, 5", "channels_first", "2, 4, 5", 120, 40, 2, LAYOUT_NONE},
        {"2, 3, 4, 5", "channels_first", "2, 2, 4, 5", 120, 80, 3, LAYOUT_CHANNELS_FIRST},
        {"2, 4, 5, 3", "channels_last", "2, 4, 5, 2", 120, 80, 3, LAYOUT_CHANNELS_LAST},
        {"2, 4, 5", "none", "2, 2, 4, 5", 40, 80, 3, LAYOUT_CHANNELS_FIRST},
        {"2, 4, 5", "none", "2, 4, 5, 2", 40, 80, 3, LAYOUT_CHANNELS_LAST},
        {"2, 4", "none", "2, 4", 8, 8, 1, LAYOUT_NONE},
    };
    char aside[] = "aside0";
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(
            import_maps(good[i].x, good[i].x_bytes, good[i].layout, good[i].map, good[i].map_bytes),
            0);
        dataset *d = importing_open();
        assert_true(d->denses == 1 && d->dense[0].rank == good[i].rank);
        assert_int_equal(d->dense[0].layout, good[i].as);
        assert_string_equal(d->dense[0].name, "dense");
        dataset_release(d);
        assert_true(folder_said("dense: rows of shape "));
        aside[5]++;
        assert_int_equal(rename(folder_path("set"), folder_path(aside)), 0);
    }
}

static void dense_targets_of_other_sides_are_refused_with_both_shapes(void **state) {
    (void)state;
    assert_true(importing_refused(
        import_maps("2, 3, 4, 5", 120, "channels_first", "2, 5, 4", 40),
        "rows of dense have shape 5x4, and rows of x have shape 3x4x5 and layout channels_first; "
        "dense targets must have the spatial dimensions of x, as 4x5, Cx4x5, where C is any"));
    assert_true(importing_refused(import_maps("2, 4, 5, 3", 120, "channels_last", "2, 2, 4, 5", 80),
                                  "as 4x5, 4x5xC, where C"));
    assert_true(importing_refused(import_maps("2, 4, 5", 40, "none", "2", 2),
                                  "rows of dense have shape (), and rows of x have shape 4x5 and "
                                  "layout none"));
    assert_true(folder_said("as 4x5, Cx4x5, 4x5xC, where C"));
    assert_true(importing_refused(import_maps("2, 4, 5", 40, "none", "3, 4, 5", 60),
                                  "dense has 3 rows, but x has 2"));
}

static void channels_that_may_be_first_or_last_are_refused(void **state) {
    (void)state;
    assert_true(importing_refused(import_maps("2, 3, 3", 18, "none", "2, 3, 3, 3", 54),
                                  "rows of dense have shape 3x3x3, which is ambiguous: their "
                                  "channels may be first or last"));
    assert_int_equal(import_maps("2, 1, 3, 3", 18, "channels_first", "2, 3, 3, 3", 54), 0);
}

static void several_dense_targets_are_named(void **state) {
    (void)state;
    char named[560], other[560];
    write_npy("x.npy", "|u1", "2, 4", bytes, 8);
    write_npy("map.npy", "<f4", "2, 4", bytes, 32);
    snprintf(named, sizeof named, "depth=%s", folder_path("map.npy"));
    snprintf(other, sizeof other, "map=%s", folder_path("x.npy"));
    assert_int_equal(IMPORT("--from", "npy", folder_path("x.npy"), "--dense", named, "--dense",
                            other, "--dense", folder_path("x.npy")),
                     0);
    dataset *d = importing_open();
    assert_int_equal(d->denses, 3);
    assert_true(folder_said("imported 4 files"));
    assert_string_equal(d->dense[0].name, "dense.depth");
    assert_string_equal(d->dense[1].name, "dense.map");
    assert_string_equal(d->dense[2].name, "dense");
    assert_int_equal(d->dense[0].type, DTYPE_F32);
    dataset_release(d);
    assert_int_equal(rename(folder_path("set"), folder_path("aside")), 0);
    assert_true(importing_refused(
        IMPORT("--from", "npy", folder_path("x.npy"), "--dense", named, "--dense", named),
        "dense.depth is given twice"));
}

static void neighbours_are_stored_and_those_that_name_themselves_are_counted(void **state) {
    (void)state;
    static const int32_t near[6] = {0, 1, 2, 0, 1, 2};
    assert_int_equal(import_neighbours("<i4", "3, 2", near, sizeof near), 0);
    dataset *d = importing_open();
    assert_int_equal(d->neighbours.k, 2);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(small_neighbour(d, i / 2, i % 2), near[i]);
    dataset_release(d);
    assert_true(folder_said("neighbours: 2 of each row\n"));
    assert_true(folder_said("warning: rows that are among their own neighbours: 2;"));
    static const unsigned char others[3] = {1, 2, 0};
    assert_int_equal(rename(folder_path("set"), folder_path("aside")), 0);
    assert_int_equal(import_neighbours("|u1", "3, 1", others, sizeof others), 0);
    assert_true(folder_said_nothing_of("warning"));
}

static void neighbours_are_numbers_of_rows(void **state) {
    (void)state;
    static const int64_t past[3] = {0, 1, 3}, below[3] = {0, -1, 2};
    assert_true(importing_refused(import_neighbours("<i8", "3, 1", past, sizeof past),
                                  "near.npy': neighbour 0 of row 2 is 3; neighbours are numbers of "
                                  "rows, 0 to 2"));
    assert_true(importing_refused(import_neighbours("<i8", "3, 1", below, sizeof below),
                                  "neighbour 0 of row 1 is -1;"));
    assert_true(importing_refused(import_neighbours("<f8", "3, 1", past, sizeof past),
                                  "near.npy' has type f64; neighbours must be integers"));
    assert_true(importing_refused(import_neighbours("|b1", "3, 1", past, 3),
                                  "near.npy' has type bool; neighbours must be integers"));
    assert_true(importing_refused(import_neighbours("<i8", "3", past, sizeof past),
                                  "near.npy' has shape 3; for 3 rows it must have shape 3xK"));
    assert_true(importing_refused(import_neighbours("|u1", "2, 1", bytes, 2),
                                  "near.npy' has shape 2x1; for 3 rows it must have shape 3xK"));
    assert_true(importing_refused(import_neighbours("|u1", "3, 1025", bytes, 3 * 1025),
                                  "has shape 3x1025; for 3 rows"));
}

/* Whether files that are read are still theirs when they have been written. */
static bool writes(bool alters_dense, bool alters_neighbours) {
    static const unsigned char near[2] = {1, 0};
    const dataset_writer_facts facts = {
        .type = DTYPE_U8, .rank = 1, .side = {4}, .layout = LAYOUT_NONE, .expected = 2};
    report counts;
import in = importing_of(NULL, 0, & counts);
    write_npy("map.npy", "|u1", "2, 4", bytes, 8);
    write_npy("near.npy", "|u1", "2, 1", near, 2);
    in.dense = (import_denses){.count = 1, .item = {{"dense", folder_path("map.npy")}}};
    in.neighbours = folder_path("near.npy");
    dataset_writer *w = import_begin(&in, &facts);
    assert_true(w && dataset_writer_rows(w, bytes, 2));
    if (alters_dense)
        assert_int_equal(truncate(folder_path("map.npy"), 135), 0);
    if (alters_neighbours)
        assert_int_equal(truncate(folder_path("near.npy"), 129), 0);
    bool good = extras_write(&in, w);
    dataset_writer_abandon(w);
    extras_free(in.extras);
    return good;
}

static void files_that_change_meanwhile_are_refused_by_name(void **state) {
    (void)state;
    assert_true(writes(false, false));
    assert_false(writes(true, false));
    assert_true(folder_said("map.npy' was truncated or changed while it was read"));
    assert_false(writes(false, true));
    assert_true(folder_said("near.npy' was truncated or changed while it was read"));
}

/* A picture that is left out would leave its target behind. */
static void rows_stay_in_step_with_their_targets(void **state) {
    (void)state;
    folder_make("p");
    folder_make("p/a");
    importing_png("p/a/1.png", 4, 4, 1, 7);
    importing_png("p/a/2.png", 4, 4, 1, 9);
    folder_write("p/a/3.png", "no picture", 10);
    write_npy("map.npy", "|u1", "2, 4, 4", bytes, 32);
    assert_true(importing_refused(IMPORT("--from", "folder", folder_path("p"), "--skip-bad",
                                         "--dense", folder_path("map.npy")),
                                  "rows would not be in step with --dense and --neighbours"));
    assert_int_equal(unlink(folder_path("p/a/3.png")), 0);
    assert_int_equal(IMPORT("--from", "folder", folder_path("p"), "--skip-bad", "--dense",
                            folder_path("map.npy")),
                     0);
    dataset *d = importing_open();
    assert_true(d->count == 2 && d->denses == 1 && d->dense[0].rank == 2);
    dataset_release(d);
}

RUN(IN_FOLDER(dense_targets_have_channels_where_x_has_them),
    IN_FOLDER(dense_targets_of_other_sides_are_refused_with_both_shapes),
    IN_FOLDER(channels_that_may_be_first_or_last_are_refused),
    IN_FOLDER(several_dense_targets_are_named),
    IN_FOLDER(neighbours_are_stored_and_those_that_name_themselves_are_counted),
    IN_FOLDER(neighbours_are_numbers_of_rows),
    IN_FOLDER(files_that_change_meanwhile_are_refused_by_name),
    IN_FOLDER(rows_stay_in_step_with_their_targets))
