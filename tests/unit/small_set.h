/*
 * small_set.h - data sets of three rows and two heads, written by the dataset_writer
 */
#ifndef SMALL_SET_H
#define SMALL_SET_H

#include "folder.h"

#include "datasets/dataset_read.h"
#include "datasets/dataset_writer.h"

static const unsigned char small_pixels[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
static const dataset_writer_facts small_facts = {
    .type = DTYPE_U8, .rank = 2, .side = {2, 2}, .layout = LAYOUT_NONE};

/* Heads y (numbers of three classes) and y.b (rows of two weights) for so many rows. */
static inline bool small_heads(dataset_writer *w, unsigned rows) {
    static const unsigned char numbers[] = {0, 2, 1};
    static const float weights[] = {0.25f, 0.75f, 1, 0, 0.5f, 0.5f};
    const array y = {.name = "y", .bytes = numbers, .type = DTYPE_U8, .rank = 1, .shape = {rows}};
    const array b = {.name = "y.b",
                     .bytes = (const unsigned char *)weights,
                     .type = DTYPE_F32,
                     .rank = 2,
                     .shape = {rows, 2}};
    const label first = {.from = &y, .numbers = true, .rows = rows, .classes = 3};
    const label second = {.from = &b, .native = true, .rows = rows, .classes = 2};
    return dataset_writer_head(w, "y", &first) && dataset_writer_class(w, "red") &&
           dataset_writer_head(w, "y.b", &second);
}

/* Three rows without labels. */
static inline void small_write(const char *name) {
    dataset_writer *w = dataset_writer_new(folder_path(name), &small_facts, folder_errors);
    assert_true(w && dataset_writer_rows(w, small_pixels, 3) && dataset_writer_finish(w));
}

/* Three rows with both heads. */
static inline void small_write_labelled(const char *name) {
    dataset_writer *w = dataset_writer_new(folder_path(name), &small_facts, folder_errors);
    assert_true(w && dataset_writer_rows(w, small_pixels, 3) && small_heads(w, 3) &&
                dataset_writer_finish(w));
}

/* Three rows of 2 x 2 with a head, two arrays of dense targets and two neighbours of each row. */
static inline void small_write_dense(const char *name) {
    static const unsigned char maps[12] = {0, 1, 1, 0, 2, 2, 0, 0, 1, 1, 1, 1};
    static const float depths[24] = {0.5f, 1, -1, 2};
    static const unsigned char near[] = {1, 2, 0, 2, 1, 1};
    const array map = {
        .name = "dense.map", .bytes = maps, .type = DTYPE_U8, .rank = 3, .shape = {3, 2, 2}};
    const array depth = {.name = "dense",
                         .bytes = (const unsigned char *)depths,
                         .type = DTYPE_F32,
                         .rank = 4,
                         .shape = {3, 2, 2, 2}};
    const array numbers = {.bytes = near, .type = DTYPE_U8, .rank = 2, .shape = {3, 2}};
    dataset_writer *w = dataset_writer_new(folder_path(name), &small_facts, folder_errors);
    assert_true(w && dataset_writer_rows(w, small_pixels, 3) && small_heads(w, 3) &&
                dataset_writer_dense(w, &map, LAYOUT_NONE) &&
                dataset_writer_dense(w, &depth, LAYOUT_CHANNELS_FIRST) &&
                dataset_writer_neighbours(w, &numbers) && dataset_writer_finish(w));
}

/* Three rows of 1, 4 and 1 steps of two bytes, with two heads. */
static inline void small_write_ragged(const char *name) {
    static const unsigned char ends[] = {0, 1, 5, 6};
    const dataset_writer_facts facts = {.type = DTYPE_U8,
                                        .rank = 2,
                                        .side = {0, 2},
                                        .layout = LAYOUT_CHANNELS_LAST,
                                        .ragged = true};
    const array offsets = {.bytes = ends, .type = DTYPE_U8, .rank = 1, .shape = {4}};
    dataset_writer *w = dataset_writer_new(folder_path(name), &facts, folder_errors);
    assert_true(w && dataset_writer_ragged(w, small_pixels, 6, &offsets) && small_heads(w, 3) &&
                dataset_writer_finish(w));
}

/* Three pictures of 1 x 1, 1 x 2 and 1 x 1 RGB pixels, with two heads. As files the same bytes are
 * stored: a set is not asked whether they are those of pictures. */
static inline void small_write_images(const char *name, dataset_store store) {
    const dataset_writer_facts facts = {.type = DTYPE_U8,
                                        .rank = 3,
                                        .side = {0, 0, 3},
                                        .layout = LAYOUT_CHANNELS_LAST,
                                        .images = true,
                                        .store = store};
    const dataset_picture pictures[] = {
        {small_pixels, 3, 1, 1}, {small_pixels + 3, 6, 1, 2}, {small_pixels + 9, 3, 1, 1}};
    dataset_writer *w = dataset_writer_new(folder_path(name), &facts, folder_errors);
    for (unsigned i = 0; i < 3; i++)
        assert_true(w && dataset_writer_picture(w, &pictures[i]));
    assert_true(small_heads(w, 3) && dataset_writer_finish(w));
}

/* The same pictures, with a label map beside each. */
static inline void small_write_maps(const char *name, dataset_store store) {
    const dataset_writer_facts facts = {.type = DTYPE_U8,
                                        .rank = 3,
                                        .side = {0, 0, 3},
                                        .layout = LAYOUT_CHANNELS_LAST,
                                        .images = true,
                                        .store = store,
                                        .maps = 1,
                                        .map_name = {"dense.map"}};
    const dataset_picture pictures[] = {
        {small_pixels, 3, 1, 1}, {small_pixels + 3, 6, 1, 2}, {small_pixels + 9, 3, 1, 1}};
    const dataset_picture maps[] = {
        {small_pixels, 1, 1, 1}, {small_pixels + 1, 2, 1, 2}, {small_pixels + 3, 1, 1, 1}};
    dataset_writer *w = dataset_writer_new(folder_path(name), &facts, folder_errors);
    for (unsigned i = 0; i < 3; i++)
        assert_true(w && dataset_writer_picture(w, &pictures[i]) &&
                    dataset_writer_map(w, 0, &maps[i]));
    assert_true(small_heads(w, 3) && dataset_writer_finish(w));
}

/* Where a row of a ragged set begins, in steps, and its length. */
static inline dataset_span small_span(const dataset *d, uint64_t row) {
    dataset_span span;
    dataset_fault met = 0;
    assert_int_equal(dataset_find_span(d, row, &met, &span), DATASET_TRUE);
    return span;
}

static inline uint64_t small_neighbour(const dataset *d, uint64_t row, uint64_t j) {
    uint64_t number;
    dataset_fault met = 0;
    assert_int_equal(dataset_neighbour(d, row, j, &met, &number), DATASET_TRUE);
    return number;
}

static inline dataset *small_open(const char *name, bool verify) {
    return dataset_open(folder_root, name, verify ? DATASET_VERIFY_START : DATASET_VERIFY_OFF, NULL,
                        folder_errors);
}

static inline dataset *small_open_lazily(const char *name) {
    return dataset_open(folder_root, name, DATASET_VERIFY_LAZY, NULL, folder_errors);
}

/* Makes a set one of those that were written before there were pieces. */
static inline void small_make_old(const char *name) {
    char path[200], text[8192];
    snprintf(path, sizeof path, "%s/manifest.json", name);
    size_t length = folder_read(path, text, sizeof text - 1);
    text[length] = 0;
    char *digest = strstr(text, "\"digest\": \"");
    assert_non_null(digest);
    strcpy(strchr(digest, ','), "\n}\n");
    folder_write(path, text, strlen(text));
    snprintf(path, sizeof path, "%s/pieces.bin", name);
    assert_int_equal(unlink(folder_path(path)), 0);
}

/* Waits until the clock of the file system has moved on: what is written from now on is newer than
 * the file `than`. */
static inline void small_await_tick(const char *than) {
    struct stat old, now;
    assert_int_equal(stat(folder_path(than), &old), 0);
    do {
        folder_write(".tick", "", 0);
        assert_int_equal(stat(folder_path(".tick"), &now), 0);
    } while (now.st_ctim.tv_sec == old.st_ctim.tv_sec &&
             now.st_ctim.tv_nsec == old.st_ctim.tv_nsec);
    assert_int_equal(unlink(folder_path(".tick")), 0);
}

/* Overwrites the first byte of a file, and sets the file's time of writing back. */
static inline void small_alter(const char *name, unsigned char byte) {
    struct stat s;
    int fd = open(folder_path(name), O_RDWR);
    assert_true(fd >= 0 && fstat(fd, &s) == 0);
    assert_int_equal(pwrite(fd, &byte, 1, 0), 1);
    const struct timespec back[2] = {s.st_atim, s.st_mtim};
    assert_int_equal(futimens(fd, back), 0);
    close(fd);
}

#endif
