/* Pieces of files are compared with their hashes once, until a file is touched. */
#include "small_set.h"

#include "datasets/dataset_part.h"
#include "datasets/verification.h"

/* A set whose data has three pieces, the last of 5 bytes: rows of 2^20 + 1 bytes would do as well.
 */
enum { LENGTH = (2 << 20) + 5 };

static dataset *large(void) {
    const dataset_writer_facts facts = {
        .type = DTYPE_U8, .rank = 1, .side = {LENGTH}, .layout = LAYOUT_NONE};
    unsigned char *zeros = calloc(1, LENGTH);
    dataset_writer *w = dataset_writer_new(folder_path("a"), &facts, folder_errors);
    assert_true(zeros && w && dataset_writer_rows(w, zeros, 1) && dataset_writer_finish(w));
    free(zeros);
    dataset *d = small_open_lazily("a");
    assert_true(d && d->verification);
    return d;
}

static void write_byte(off_t at, unsigned char byte) {
    int fd = open(folder_path("a/data.bin"), O_RDWR);
    assert_true(fd >= 0 && pwrite(fd, &byte, 1, at) == 1);
    close(fd);
}

static verification_result need(dataset *d, uint64_t from, uint64_t length, uint64_t *piece) {
    return verification_need(d->verification, 0, from, length, piece);
}

static bool counts_are(dataset *d, uint64_t compared, uint64_t wrong) {
    verification_counts c = verification_count(d->verification);
    return c.pieces == 3 && c.compared == compared && c.wrong == wrong;
}

static void only_the_pieces_that_are_needed_are_compared(void **state) {
    (void)state;
    dataset *d = large();
    uint64_t piece;
    assert_true(counts_are(d, 0, 0));
    assert_int_equal(need(d, PIECE_BYTES - 1, 1, &piece), VERIFICATION_TRUE);
    assert_true(counts_are(d, 1, 0));
    assert_int_equal(need(d, PIECE_BYTES - 1, 2, &piece), VERIFICATION_TRUE);
    assert_true(counts_are(d, 2, 0));
    assert_int_equal(need(d, LENGTH - 1, 1, &piece), VERIFICATION_TRUE);
    assert_true(counts_are(d, 3, 0));
    dataset_release(d);
}

static void a_wrong_piece_is_found_once_and_stays_wrong(void **state) {
    (void)state;
    dataset *d = large();
    uint64_t piece = 9;
    write_byte(LENGTH - 1, 1);
    assert_int_equal(need(d, 0, LENGTH - 6, &piece), VERIFICATION_TRUE);
    assert_int_equal(need(d, 0, LENGTH, &piece), VERIFICATION_FOUND);
    assert_int_equal(piece, 2);
    assert_int_equal(need(d, LENGTH - 5, 1, &piece), VERIFICATION_WRONG);
    assert_true(counts_are(d, 3, 1));
    assert_int_equal(need(d, 0, LENGTH - 6, &piece), VERIFICATION_TRUE);
    dataset_release(d);
}

static void pieces_of_a_file_that_was_touched_are_compared_again(void **state) {
    (void)state;
    dataset *d = large();
    uint64_t piece, before = verification_generation(d->verification);
    assert_int_equal(need(d, 0, LENGTH, &piece), VERIFICATION_TRUE);
    assert_true(verification_look(d->verification, 0, folder_path("a/data.bin")));
    assert_true(counts_are(d, 3, 0) && verification_generation(d->verification) == before);
    small_await_tick("a/data.bin");
    write_byte(0, 1);
    assert_true(dataset_is_whole(d));
    assert_true(counts_are(d, 0, 0) && verification_generation(d->verification) == before + 1);
    assert_int_equal(need(d, 0, LENGTH, &piece), VERIFICATION_FOUND);
    assert_int_equal(piece, 0);
    small_await_tick("a/data.bin");
    write_byte(0, 0);
    assert_true(dataset_is_whole(d));
    assert_int_equal(need(d, 0, LENGTH, &piece), VERIFICATION_TRUE);
    dataset_release(d);
}

static void a_file_of_another_length_is_broken(void **state) {
    (void)state;
    dataset *d = large();
    assert_int_equal(truncate(folder_path("a/data.bin"), LENGTH - 1), 0);
    assert_false(verification_look(d->verification, 0, folder_path("a/data.bin")));
    assert_int_equal(dataset_state(d), MAPPED_FILE_BROKEN);
    dataset_release(d);
}

static void pieces_may_be_accepted_and_condemned(void **state) {
    (void)state;
    dataset *d = large();
    uint64_t piece;
    verification_accept(d->verification);
    assert_true(counts_are(d, 3, 0));
    assert_int_equal(verification_condemn(d->verification, 0, 1), VERIFICATION_FOUND);
    assert_int_equal(verification_condemn(d->verification, 0, 1), VERIFICATION_WRONG);
    assert_true(counts_are(d, 3, 1));
    assert_int_equal(need(d, PIECE_BYTES, 1, &piece), VERIFICATION_WRONG);
    dataset_release(d);
}

/* Threads need pieces while another touches the file. In the end, what is noted is true. */
static atomic_bool stop;

static void *read_on(void *of) {
    dataset *d = of;
    uint64_t piece;
    while (!atomic_load(&stop)) {
        assert_int_equal(need(d, 0, LENGTH, &piece), VERIFICATION_TRUE);
        assert_true(dataset_is_whole(d));
    }
    return NULL;
}

static void threads_may_need_the_same_pieces_at_once(void **state) {
    (void)state;
    dataset *d = large();
    pthread_t threads[3];
    atomic_store(&stop, false);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, d), 0);
    for (unsigned i = 0; i < 5; i++) {
        uint64_t before = verification_generation(d->verification);
        small_await_tick("a/data.bin");
        assert_int_equal(chmod(folder_path("a/data.bin"), i % 2 ? 0600 : 0640), 0);
        UNIT_UNTIL(verification_generation(d->verification) > before);
    }
    atomic_store(&stop, true);
    for (unsigned i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    verification_counts c = verification_count_file(d->verification, 0);
    assert_true(c.compared <= c.pieces && c.wrong == 0);
    dataset_release(d);
}

/* One picture with as many heads, label maps and neighbours as a set may have. */
static void write_most_files(void) {
    static const char *const maps[DATASET_DENSE] = {"dense",   "dense.b", "dense.c", "dense.d",
                                                    "dense.e", "dense.f", "dense.g", "dense.h"};
    static const char *const heads[DATASET_HEADS] = {"y",   "y.b", "y.c", "y.d",
                                                     "y.e", "y.f", "y.g", "y.h"};
    static const unsigned char zero[1] = {0};
    const array numbers = {.name = "y", .bytes = zero, .type = DTYPE_U8, .rank = 1, .shape = {1}};
    const array near = {.bytes = zero, .type = DTYPE_U8, .rank = 2, .shape = {1, 1}};
    const label head = {.from = &numbers, .numbers = true, .rows = 1, .classes = 1};
    const dataset_picture picture = {small_pixels, 1, 1, 1};
    dataset_writer_facts facts = {.type = DTYPE_U8,
                                  .rank = 2,
                                  .layout = LAYOUT_NONE,
                                  .images = true,
                                  .store = DATASET_PIXELS,
                                  .maps = DATASET_DENSE};
    memcpy(facts.map_name, maps, sizeof maps);
    dataset_writer *w = dataset_writer_new(folder_path("a"), &facts, folder_errors);
    assert_true(w && dataset_writer_picture(w, &picture));
    for (unsigned i = 0; i < DATASET_DENSE; i++)
        assert_true(dataset_writer_map(w, i, &picture));
    for (unsigned i = 0; i < DATASET_HEADS; i++)
        assert_true(dataset_writer_head(w, heads[i], &head));
    assert_true(dataset_writer_neighbours(w, &near) && dataset_writer_finish(w));
}

static void a_set_may_have_every_file_that_there_is(void **state) {
    (void)state;
    write_most_files();
    dataset *d = small_open_lazily("a");
    assert_true(d && d->verification);
    assert_int_equal(dataset_files(d), DATASET_FILES_MOST);
    assert_int_equal(verification_count(d->verification).pieces, DATASET_FILES_MOST);
    for (unsigned i = 0; i < dataset_files(d); i++) {
        uint64_t piece;
        assert_int_equal(verification_need(d->verification, i, 0, 1, &piece), VERIFICATION_TRUE);
    }
    assert_int_equal(verification_count(d->verification).compared, DATASET_FILES_MOST);
    dataset_release(d);
}

RUN(IN_FOLDER(only_the_pieces_that_are_needed_are_compared),
    IN_FOLDER(a_set_may_have_every_file_that_there_is),
    IN_FOLDER(a_wrong_piece_is_found_once_and_stays_wrong),
    IN_FOLDER(pieces_of_a_file_that_was_touched_are_compared_again),
    IN_FOLDER(a_file_of_another_length_is_broken), IN_FOLDER(pieces_may_be_accepted_and_condemned),
    IN_FOLDER(threads_may_need_the_same_pieces_at_once))
