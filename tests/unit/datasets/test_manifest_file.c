#include "small_set.h"

#include "datasets/dataset_picture.h"
#include "datasets/manifest_file.h"

static void files_are_named_after_heads_and_as_long_as_their_rows(void **state) {
    (void)state;
    char name[MANIFEST_FILE_NAME];
    static const char *const names[] = {"data.bin", "labels.bin", "labels.soft.bin"};
    static const uint64_t lengths[] = {36, 12, 24};
    uint64_t bytes;
    dataset d = {.count = 3,
                 .x = {.row_bytes = 12},
                 .heads = 2,
                 .head = {{.name = "y", .kind = DATASET_NUMBERS, .classes = 3},
                          {.name = "y.soft", .kind = DATASET_ROWS, .classes = 2}}};
    assert_int_equal(dataset_files(&d), 3);
    for (unsigned i = 0; i < 3; i++) {
        manifest_file_name(&d, i, name);
        assert_string_equal(name, names[i]);
        assert_true(manifest_owns_file(name) && manifest_file_bytes(&d, i, &bytes));
        assert_int_equal(bytes, lengths[i]);
    }
    for (unsigned i = 0; i < 6; i++)
        assert_true(
            manifest_owns_file((const char *const[]){"dense.bin", "dense.map.bin", "neighbours.bin",
                                                     "offsets.bin", "index.bin", "pieces.bin"}[i]));
    assert_true(manifest_owns_file("manifest.json") && manifest_owns_file("labels.any.bin"));
    assert_false(manifest_owns_file("notes.txt") || manifest_owns_file("labels.csv") ||
                 manifest_owns_file("labels") || manifest_owns_file("data.bin.bak"));
    d.count = UINT64_MAX / 4;
    d.head[1].classes = 2;
    assert_false(manifest_file_bytes(&d, 2, &bytes)); /* more than 64 bits count */
}

/* Only a manifest with pieces tells how many steps there are. */
static void data_of_a_ragged_set_have_as_many_steps_as_the_manifest_says(void **state) {
    (void)state;
    uint64_t bytes;
    dataset d = {.count = 3, .x = {.row_bytes = 12}, .ragged = true};
    assert_true(manifest_file_bytes(&d, 0, &bytes) && bytes == MANIFEST_ANY_BYTES);
    assert_int_equal(manifest_row_bytes(&d, 0), 0);
    d.steps = 7;
    assert_true(manifest_file_bytes(&d, 0, &bytes) && bytes == 84);
    assert_true(manifest_file_bytes(&d, 1, &bytes) && bytes == 32);
    d.steps = UINT64_MAX / 4;
    assert_false(manifest_file_bytes(&d, 0, &bytes));
}

static void label_maps_have_any_length_and_an_index(void **state) {
    (void)state;
    char name[MANIFEST_FILE_NAME];
    uint64_t bytes;
    static const char *const names[] = {"data.bin",  "dense.bin",       "dense.map.bin",
                                        "index.bin", "index.dense.bin", "index.dense.map.bin"};
    dataset d = {.count = 3,
                 .x = {.row_bytes = 3},
                 .images = true,
                 .denses = 2,
                 .dense = {{.name = "dense", .row_bytes = 1}, {.name = "dense.map"}}};
    assert_int_equal(dataset_files(&d), 6);
    for (unsigned i = 0; i < 6; i++) {
        manifest_file_name(&d, i, name);
        assert_string_equal(name, names[i]);
        assert_true(manifest_owns_file(name) && manifest_file_bytes(&d, i, &bytes));
        assert_true(bytes == (i < 3 ? MANIFEST_ANY_BYTES : 72));
        assert_int_equal(manifest_row_bytes(&d, i), i < 3 ? 0 : DATASET_PICTURE_ENTRY);
    }
}

RUN(T(label_maps_have_any_length_and_an_index),
    T(data_of_a_ragged_set_have_as_many_steps_as_the_manifest_says),
    T(files_are_named_after_heads_and_as_long_as_their_rows))
