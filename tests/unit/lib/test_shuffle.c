#include "unit.h"

static void every_epoch_is_a_permutation(void **state) {
    (void)state;
    static const uint64_t sizes[] = {1, 2, 3, 15, 16, 17, 255, 256, 257, 1000, 65536, 65537};
    static uint64_t order[65537];
    static bool seen[65537];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (uint64_t epoch = 0; epoch < 2; epoch++) {
            uint64_t n = sizes[i];
            memset(seen, 0, sizeof seen);
            assert_ok(fmix_shuffle(3, epoch, n, 0, n, order));
            for (uint64_t p = 0; p < n; p++) {
                assert_true(order[p] < n && !seen[order[p]]);
                seen[order[p]] = true;
            }
        }
}

static void a_place_does_not_depend_on_the_range_asked_for(void **state) {
    (void)state;
    uint64_t all[300], some[7];
    assert_ok(fmix_shuffle(9, 5, 300, 0, 300, all));
    for (uint64_t first = 0; first + 7 <= 300; first += 13) {
        assert_ok(fmix_shuffle(9, 5, 300, first, 7, some));
        assert_memory_equal(some, all + first, sizeof some);
    }
}

static void seeds_and_epochs_have_orders_of_their_own(void **state) {
    (void)state;
    uint64_t a[100], b[100], c[100];
    assert_ok(fmix_shuffle(1, 0, 100, 0, 100, a));
    assert_ok(fmix_shuffle(1, 1, 100, 0, 100, b));
    assert_ok(fmix_shuffle(2, 0, 100, 0, 100, c));
    assert_true(memcmp(a, b, sizeof a) != 0 && memcmp(a, c, sizeof a) != 0);
}

static void places_past_the_end_are_refused(void **state) {
    (void)state;
    uint64_t out[4];
    assert_int_equal(fmix_shuffle(0, 0, 0, 0, 0, out), FMIX_ERROR_RANGE);
    assert_int_equal(fmix_shuffle(0, 0, 10, 8, 3, out), FMIX_ERROR_RANGE);
    assert_int_equal(fmix_shuffle(0, 0, 10, UINT64_MAX, 2, out), FMIX_ERROR_RANGE);
    assert_int_equal(fmix_shuffle(0, 0, FMIX_MAX_SAMPLES + 1, 0, 1, out), FMIX_ERROR_RANGE);
    assert_ok(fmix_shuffle(0, 0, FMIX_MAX_SAMPLES, FMIX_MAX_SAMPLES - 4, 4, out));
}

RUN(T(every_epoch_is_a_permutation), T(a_place_does_not_depend_on_the_range_asked_for),
    T(seeds_and_epochs_have_orders_of_their_own), T(places_past_the_end_are_refused))
