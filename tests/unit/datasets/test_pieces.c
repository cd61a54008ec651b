/* The hashes of a set's pieces, on disk and as they are read. */
#include "small_set.h"

#include "datasets/dataset_part.h"
#include "datasets/pieces.h"

static char reason[DATASET_REASON];

static unsigned char *read_pieces(const dataset *d) {
    int directory = open(folder_path("a"), O_RDONLY | O_DIRECTORY);
    unsigned char *hashes = pieces_read(d, directory, reason);
    close(directory);
    return hashes;
}

static void a_file_has_a_piece_for_each_mib_begun(void **state) {
    (void)state;
    const size_t table[][2] = {{0, 0}, {1, 1}, {PIECE_BYTES, 1}, {PIECE_BYTES + 1, 2}};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pieces_of_file(&(mapped_file){.length = table[i][0]}), table[i][1]);
}

static void the_hash_of_each_piece_is_that_of_its_bytes(void **state) {
    (void)state;
    small_write_dense("a");
    dataset *d = small_open_lazily("a");
    assert_true(d && pieces_count(d) == 6 && dataset_files(d) == 6);
    unsigned char *hashes = read_pieces(d), own[DIGEST_BYTES];
    for (unsigned i = 0; i < 6; i++) {
        digest_bytes(dataset_file(d, i)->bytes, dataset_file(d, i)->length, own);
        assert_memory_equal(own, hashes + i * DIGEST_BYTES, sizeof own);
    }
    free(hashes);
    dataset_release(d);
}

static void the_root_covers_the_hashes_the_facts_the_digest_and_the_lengths(void **state) {
    (void)state;
    small_write_ragged("a");
    dataset *d = small_open_lazily("a");
    char root[DATASET_DIGEST + 1];
    unsigned char *hashes = read_pieces(d);
    size_t count = pieces_count(d);
    assert_true(pieces_root(d, hashes, count, root));
    assert_string_equal(root, d->pieces);
    dataset other[4] = {*d, *d, *d, *d};
    other[0].digest[5] ^= 1;
    other[1].longest++;
    other[2].steps++;
    other[3].head[0].classes++;
    for (unsigned i = 0; i < 4; i++) {
        assert_true(pieces_root(&other[i], hashes, count, root));
        assert_string_not_equal(root, d->pieces);
    }
    hashes[count * DIGEST_BYTES - 1] ^= 1;
    assert_true(pieces_root(d, hashes, count, root));
    assert_string_not_equal(root, d->pieces);
    free(hashes);
    dataset_release(d);
}

static void pieces_that_were_altered_are_refused(void **state) {
    (void)state;
    unsigned char bytes[200];
    small_write_labelled("a");
    dataset *d = small_open_lazily("a");
    size_t length = folder_read("a/pieces.bin", bytes, sizeof bytes);
    assert_int_equal(length, 3 * DIGEST_BYTES);
    small_alter("a/pieces.bin", bytes[0] ^ 1);
    assert_null(read_pieces(d));
    assert_non_null(strstr(reason, "the hash of its pieces is "));
    assert_int_equal(truncate(folder_path("a/pieces.bin"), 95), 0);
    assert_null(read_pieces(d));
    assert_string_equal(reason,
                        "pieces.bin has 95 bytes; by the lengths of the other files it must have "
                        "96: it, or one of them, was cut off or replaced");
    assert_int_equal(unlink(folder_path("a/pieces.bin")), 0);
    assert_null(read_pieces(d));
    assert_non_null(strstr(reason, "pieces.bin cannot be read: No such file"));
    dataset_release(d);
    assert_null(small_open_lazily("a"));
    assert_true(folder_said("data set 'a': pieces.bin cannot be read"));
}

RUN(T(a_file_has_a_piece_for_each_mib_begun),
    IN_FOLDER(the_hash_of_each_piece_is_that_of_its_bytes),
    IN_FOLDER(the_root_covers_the_hashes_the_facts_the_digest_and_the_lengths),
    IN_FOLDER(pieces_that_were_altered_are_refused))
