#include "unit.h"

#include "words.h"

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

/* STREAM §6 in long hand. */
static uint64_t sample_at(uint64_t seed, uint64_t epoch, uint64_t samples, uint64_t p) {
    fmix_key key;
    unsigned length = 0;
    assert_ok(fmix_key_derive(seed, FMIX_DOMAIN_SHUFFLE, &key));
    while ((samples - 1) >> length)
        length++;
    unsigned b = length < 8 ? 4 : (length + 1) / 2;
    do {
        uint64_t left = p >> b, right = p % (UINT64_C(1) << b);
        for (uint32_t r = 0; r < 8; r++) {
            const uint32_t counter[] = {(uint32_t)right, r, (uint32_t)epoch,
                                        (uint32_t)(epoch >> 32)};
            uint32_t w[4];
            fmix_philox(counter, key.k, w);
            uint64_t next = left ^ w[0] % (UINT64_C(1) << b);
            left = right;
            right = next;
        }
        p = left << b | right;
    } while (p >= samples);
    return p;
}

static void any_place_holds_the_sample_of_the_definition(void **state) {
    (void)state;
    uint64_t random = 6, out[100];
    for (unsigned run = 0; run < 2000; run++) {
        uint64_t samples = 2 + (unit_random(&random) >> (run % 47 + 17));
        uint64_t epoch = unit_random(&random) >> (run % 2 * 40), n = unit_random(&random) % 100;
        n = n < samples ? n : samples;
        uint64_t first = unit_random(&random) % (samples - n + 1);
        out[n] = 7;
        assert_ok(fmix_shuffle(run, epoch, samples, first, n, out));
        for (uint64_t i = 0; i < n; i++)
            assert_true(out[i] == sample_at(run, epoch, samples, first + i));
        assert_true(out[n] == 7);
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

RUN(T(every_epoch_is_a_permutation), T(any_place_holds_the_sample_of_the_definition),
    T(a_place_does_not_depend_on_the_range_asked_for), T(seeds_and_epochs_have_orders_of_their_own),
    T(places_past_the_end_are_refused))
