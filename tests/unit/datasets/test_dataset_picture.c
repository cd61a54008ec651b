/* The pictures of an image set: found by an index, of which no entry leads out of the data. */
#include "small_set.h"

#include "formats/image.h"

static void pictures_are_found_with_their_sides(void **state) {
    (void)state;
    small_write_images("files", DATASET_FILES);
    small_write_images("pixels", DATASET_PIXELS);
    for (unsigned i = 0; i < 2; i++) {
        dataset *d = small_open(i ? "pixels" : "files", true);
        dataset_picture p;
        assert_true(d && d->images && d->store == (i ? DATASET_PIXELS : DATASET_FILES));
        assert_int_equal(dataset_picture_channels(d), 3);
        assert_true(dataset_picture_of(d, 1, &p));
        assert_true(p.length == 6 && p.height == 1 && p.width == 2);
        assert_memory_equal(p.bytes, small_pixels + 3, 6);
        assert_true(dataset_picture_of(d, 2, &p) && p.length == 3 && p.width == 1);
        assert_false(dataset_picture_of(d, 3, &p));
        assert_false(dataset_picture_of(d, UINT64_MAX, &p));
        dataset_release(d);
    }
}

static void as_many_unusable_rows_are_kept_as_there_is_room_for(void **state) {
    (void)state;
    dataset_unusable u = {0};
    for (uint64_t row = 0; row < DATASET_UNUSABLE; row++) {
        assert_false(dataset_unusable_has(&u, 3 * row));
        assert_true(dataset_unusable_note(&u, 3 * row));
        assert_false(dataset_unusable_note(&u, 3 * row));
        assert_true(dataset_unusable_has(&u, 3 * row) && !dataset_unusable_has(&u, 3 * row + 1));
    }
    assert_false(dataset_unusable_note(&u, 1));
    assert_false(dataset_unusable_has(&u, 1));
}

static void entries_that_lead_out_of_the_data_or_over_a_limit_are_damaged(void **state) {
    (void)state;
    static const struct {
        uint64_t offset, length;
        uint32_t height, width;
        bool files, pixels; /* whether it is found */
    } entries[] = {
        {0, 12, 2, 2, true, true},
        {0, 11, 2, 2, true, false},
        {11, 1, 1, 1, true, false},
        {12, 0, 1, 1, false, false},
        {1, 12, 2, 2, false, false},
        {13, 1, 1, 1, false, false},
        {UINT64_MAX, 3, 1, 1, false, false},
        {UINT64_MAX - 1, 3, 1, 1, false, false},
        {0, UINT64_MAX, 1, 1, false, false},
        {3, UINT64_MAX - 1, 1, 1, false, false},
        {0, 12, 0, 4, false, false},
        {0, 12, 4, 0, false, false},
        {0, 12, IMAGE_SIDE + 1, 1, false, false},
        {0, 12, 1, UINT32_MAX, false, false},
        {0, 12, 1 << 13, 1 << 13, true, false},
        {0, 12, (1 << 13) + 1, 1 << 13, false, false},
    };
    unsigned char index[DATASET_PICTURE_ENTRY];
    dataset d = {.images = true,
                 .x = {.rank = 3,
                       .file = {.bytes = small_pixels, .length = 12},
                       .index = {.bytes = index, .length = sizeof index}}};
    dataset_picture p;
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        dataset_picture_entry(entries[i].offset, entries[i].length, entries[i].height,
                              entries[i].width, index);
        d.store = DATASET_FILES;
        assert_int_equal(dataset_picture_of(&d, 0, &p), entries[i].files);
        d.store = DATASET_PIXELS;
        assert_int_equal(dataset_picture_of(&d, 0, &p), entries[i].pixels);
    }
}

static void a_label_map_has_one_channel_and_the_sides_of_its_picture(void **state) {
    (void)state;
    unsigned char index[DATASET_PICTURE_ENTRY], of_maps[DATASET_PICTURE_ENTRY];
    const mapped_file file = {.bytes = small_pixels, .length = 12};
    dataset d = {
        .images = true,
        .store = DATASET_PIXELS,
        .x = {.rank = 3, .file = file, .index = {.bytes = index, .length = sizeof index}},
        .denses = 1,
        .dense = {
            {.rank = 2, .file = file, .index = {.bytes = of_maps, .length = sizeof of_maps}}}};
    dataset_picture p;
    dataset_picture_entry(0, 12, 2, 2, index);
    dataset_picture_entry(5, 4, 2, 2, of_maps);
    assert_true(dataset_picture_in(&d, &d.x, 0, &p) && p.length == 12);
    assert_true(dataset_picture_in(&d, &d.dense[0], 0, &p) && p.bytes == small_pixels + 5);
    assert_int_equal(dataset_picture_end(of_maps), 9);
    dataset_picture_entry(5, 4, 4, 1, of_maps);
    assert_false(dataset_picture_in(&d, &d.dense[0], 0, &p));
    dataset_picture_entry(0, 12, 2, 2, of_maps);
    assert_false(dataset_picture_in(&d, &d.dense[0], 0, &p));
    assert_ptr_equal(dataset_unusable_of(&d, &d.x), &d.unusable);
    assert_ptr_equal(dataset_unusable_of(&d, &d.dense[0]), &d.unusable_maps[0]);
}

static void an_entry_is_little_endian(void **state) {
    (void)state;
    static const unsigned char right[] = {8, 7, 6, 5, 4, 3, 2, 1,    3,    0,    0,    0,
                                          0, 0, 0, 0, 2, 0, 0, 0x10, 0xff, 0xff, 0xff, 0xff};
    unsigned char entry[DATASET_PICTURE_ENTRY];
    dataset_picture_entry(0x0102030405060708, 3, 0x10000002, UINT32_MAX, entry);
    assert_memory_equal(entry, right, sizeof right);
}

static void the_index_has_an_entry_for_each_row(void **state) {
    (void)state;
    small_write_images("a", DATASET_PIXELS);
    assert_int_equal(truncate(folder_path("a/index.bin"), 71), 0);
    assert_null(small_open("a", false));
    assert_true(folder_said("index.bin has 71 bytes; by manifest.json it must have 72"));
}

static void an_altered_index_is_found_by_the_digest(void **state) {
    (void)state;
    small_write_images("a", DATASET_PIXELS);
    small_alter("a/index.bin", 1);
    assert_null(small_open("a", true));
    assert_true(folder_said("a file was altered"));
}

RUN(IN_FOLDER(pictures_are_found_with_their_sides),
    cmocka_unit_test(as_many_unusable_rows_are_kept_as_there_is_room_for),
    T(entries_that_lead_out_of_the_data_or_over_a_limit_are_damaged), T(an_entry_is_little_endian),
    T(a_label_map_has_one_channel_and_the_sides_of_its_picture),
    IN_FOLDER(the_index_has_an_entry_for_each_row),
    IN_FOLDER(an_altered_index_is_found_by_the_digest))
