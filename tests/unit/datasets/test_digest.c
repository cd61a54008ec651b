#include "small_set.h"

#include "datasets/digest.h"

#include <signal.h>

/* Computed again over the open set. */
static bool digest_is(const dataset *d, const char *right) {
    char found[DATASET_DIGEST + 1];
    assert_true(digest_compute(d, NULL, NULL, found));
    return strcmp(found, right) == 0;
}

static void equal_sets_have_equal_digests_wherever_they_are(void **state) {
    (void)state;
    small_write_labelled("a");
    small_write_labelled("b");
    dataset *a = small_open("a", false), *b = small_open("b", false);
    assert_true(a && b);
    assert_string_equal(a->digest, b->digest);
    assert_true(digest_is(a, b->digest));
    dataset_release(a);
    dataset_release(b);
}

static void every_fact_and_every_file_is_in_the_digest(void **state) {
    (void)state;
    small_write_labelled("a");
    dataset *d = small_open("a", true);
    assert_non_null(d);
    dataset other = *d;
    other.x.layout = LAYOUT_CHANNELS_LAST;
    assert_false(digest_is(&other, d->digest));
    other = *d;
    other.x.type = DTYPE_I8;
    assert_false(digest_is(&other, d->digest));
    other = *d;
    other.x.side[0] = 4;
    assert_false(digest_is(&other, d->digest));
    other = *d;
    other.count++;
    assert_false(digest_is(&other, d->digest));
    other = *d;
    other.head[0].classes++;
    assert_false(digest_is(&other, d->digest));
    other = *d;
    other.head[1].kind = DATASET_NUMBERS;
    assert_false(digest_is(&other, d->digest));
    other = *d;
    strcpy(other.head[1].name, "y.c");
    assert_false(digest_is(&other, d->digest));
    other = *d;
    other.heads--;
    assert_false(digest_is(&other, d->digest));
    static const char *const files[] = {"a/data.bin", "a/labels.bin", "a/labels.b.bin"};
    static const unsigned char bytes[] = {1, 0, 0}; /* the first byte of each */
    for (size_t i = 0; i < 3; i++) {
        small_alter(files[i], 0x40);
        assert_false(digest_is(d, d->digest));
        small_alter(files[i], bytes[i]);
        assert_true(digest_is(d, d->digest));
    }
    dataset_release(d);
}

static void a_digest_is_given_up_when_told_to_stop(void **state) {
    (void)state;
    char found[DATASET_DIGEST + 1];
    sigset_t term, before;
    int number;
    atomic_bool stop = false;
    small_write("a");
    dataset *d = small_open("a", false);
    assert_true(digest_compute(d, &stop, NULL, found));
    atomic_store(&stop, true);
    assert_false(digest_compute(d, &stop, NULL, found));
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &term, &before);
    raise(SIGTERM);
    assert_false(digest_compute(d, NULL, NULL, found));
    assert_int_equal(sigwait(&term, &number), 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    dataset_release(d);
}

/* Bytes that were cut off read as zeros, and zeros are not the set. */
static void a_file_that_is_cut_short_meanwhile_has_no_digest(void **state) {
    (void)state;
    char found[DATASET_DIGEST + 1];
    mapped_file_start(); /* cmocka has a handler of its own */
    small_write("a");
    dataset *d = small_open("a", false);
    assert_int_equal(truncate(folder_path("a/data.bin"), 0), 0);
    assert_false(digest_compute(d, NULL, NULL, found));
    assert_int_equal(dataset_state(d), MAPPED_FILE_BROKEN);
    dataset_release(d);
}

RUN(IN_FOLDER(equal_sets_have_equal_digests_wherever_they_are),
    IN_FOLDER(every_fact_and_every_file_is_in_the_digest),
    IN_FOLDER(a_digest_is_given_up_when_told_to_stop),
    IN_FOLDER(a_file_that_is_cut_short_meanwhile_has_no_digest))
