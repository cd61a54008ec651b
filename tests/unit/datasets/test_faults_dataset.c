/* Sets that are written while the nth allocation fails, for every n, and pieces without memory. */
#include "fault.h"
#include "small_set.h"

#include "datasets/verification.h"

#if FAULTS

/* Where what is explained goes: a stream that has its memory already. */
static FILE *quiet(void) {
    FILE *null = fopen("/dev/null", "w");
    assert_non_null(null);
    assert_int_equal(setvbuf(null, NULL, _IONBF, 0), 0);
    return null;
}

/* The parser of manifests is left out: jansson reads past its own buffer where that cannot grow. */
static void pieces_that_have_no_memory_are_refused(void **state) {
    (void)state;
    char reason[DATASET_REASON];
    small_write_ragged("a");
    dataset *d = small_open("a", true);
    int directory = open(folder_path("a"), O_RDONLY | O_DIRECTORY);
    assert_true(d && directory >= 0);
    unsigned char *hashes = pieces_read(d, directory, reason);
    assert_non_null(hashes);
    fault_arm(1);
    unsigned char *none = pieces_read(d, directory, reason);
    assert_true(fault_disarm() && !none);
    assert_string_equal(reason, "out of memory");
    for (unsigned long n = 1; n <= 2; n++) {
        fault_arm(n);
        verification *v = verification_new(d, hashes);
        assert_true(fault_disarm() && !v);
    }
    verification_free(verification_new(d, hashes));
    close(directory);
    dataset_release(d);
}

static bool write_dense(dataset_writer *w) {
    const array map = {
        .name = "dense", .bytes = small_pixels, .type = DTYPE_U8, .rank = 3, .shape = {3, 2, 2}};
    static const unsigned char others[] = {2, 0, 1};
    const array near = {.bytes = others, .type = DTYPE_U8, .rank = 2, .shape = {3, 1}};
    return dataset_writer_rows(w, small_pixels, 3) && small_heads(w, 3) &&
           dataset_writer_dense(w, &map, LAYOUT_NONE) && dataset_writer_neighbours(w, &near);
}

static bool write_ragged(dataset_writer *w) {
    static const unsigned char ends[] = {0, 1, 5, 6};
    const array offsets = {.bytes = ends, .type = DTYPE_U8, .rank = 1, .shape = {4}};
    return dataset_writer_ragged(w, small_pixels, 6, &offsets) && small_heads(w, 3);
}

static unsigned long write_until_whole(const dataset_writer_facts *facts,
                                       bool (*write)(dataset_writer *w)) {
    char path[512];
    snprintf(path, sizeof path, "%s", folder_path("set"));
    unsigned long n = 0;
    FILE *null = quiet();
    for (bool fired = true; fired;) {
        long live = fault_live();
        n = fault_after(n);
        fault_arm(n);
        dataset_writer *w = dataset_writer_new(path, facts, null);
        bool good = w && write(w);
        if (good)
            good = dataset_writer_finish(w);
        else
            dataset_writer_abandon(w);
        fired = fault_disarm();
        /* An allocation may fail that is not needed: that of a directory's list while files are
         * removed. */
        bool left = folder_exists("set");
        if (left != good || (!fired && !good) || fault_live() != live) {
            fault_tell("set", n);
            fail_msg("allocation %lu: %ld left", n, fault_live() - live);
        }
        char aside[40] = "last";
        if (fired)
            snprintf(aside, sizeof aside, "aside-%u-%lu", facts->ragged, n);
        if (good)
            assert_int_equal(rename(path, folder_path(aside)), 0);
    }
    fclose(null);
    return n - 1;
}

static void a_set_that_has_no_memory_to_be_written_is_not_there(void **state) {
    (void)state;
    const dataset_writer_facts ragged = {.type = DTYPE_U8,
                                         .rank = 2,
                                         .side = {0, 2},
                                         .layout = LAYOUT_CHANNELS_LAST,
                                         .ragged = true};
    assert_true(write_until_whole(&small_facts, write_dense) > 20);
    assert_int_equal(rename(folder_path("last"), folder_path("dense")), 0);
    assert_true(write_until_whole(&ragged, write_ragged) > 20);
    dataset *a = small_open("dense", true), *b = small_open("last", true);
    assert_true(a && b && a->denses == 1 && b->longest == 4);
    dataset_release(a);
    dataset_release(b);
}

#else

FAULT_SKIPPED(pieces_that_have_no_memory_are_refused)
FAULT_SKIPPED(a_set_that_has_no_memory_to_be_written_is_not_there)

#endif

RUN(IN_FOLDER(pieces_that_have_no_memory_are_refused),
    IN_FOLDER(a_set_that_has_no_memory_to_be_written_is_not_there))
