#include "handler_bench.h"

#include "api/hosted_samples.h"

/* Six samples, each with three neighbours. */
enum { SAMPLES = 6, NEAR = 3 };
static const unsigned char near[SAMPLES][NEAR] = {{1, 2, 3}, {4, 5, 0}, {3, 4, 5},
                                                  {0, 1, 2}, {5, 5, 5}, {2, 1, 0}};
static unsigned char near_bytes[SAMPLES * NEAR * 8]; /* i64, little-endian */
static dataset set = {.name = "set", .count = SAMPLES, .neighbours = {.k = NEAR}};

/* Batch rows 2 … 4 of epoch 1. */
static hosted_samples begin(bool shuffles, bool neighbours) {
    hosted_samples h = {.set = &set,
                        .at = {.first = 2, .rows = 3, .t = SAMPLES + 2},
                        .seed = 7,
                        .epoch = 1,
                        .shuffles = shuffles,
                        .neighbours = neighbours};
    problem p = {0};
    for (unsigned i = 0; i < SAMPLES * NEAR; i++)
        near_bytes[8 * i] = near[i / NEAR][i % NEAR];
    set.neighbours.file.bytes = near_bytes;
    assert_true(hosted_samples_begin(&h, &p));
    assert_ok(hosted_samples_find(&h));
    return h;
}

static void unshuffled_rows_are_in_the_order_of_the_set(void **state) {
    (void)state;
    hosted_samples h = begin(false, false);
    assert_int_equal(hosted_samples_count(&h), 3);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(h.number[i], 2 + i);
    hosted_samples_end(&h);
}

static void shuffled_rows_are_the_library_s_shuffle_of_that_epoch(void **state) {
    (void)state;
    uint64_t wanted[3];
    hosted_samples h = begin(true, false);
    for (h.epoch = 0; h.epoch < 4; h.epoch++) {
        assert_ok(fmix_shuffle(7, h.epoch, SAMPLES, 2, 3, wanted));
        assert_ok(hosted_samples_find(&h));
        assert_memory_equal(h.number, wanted, sizeof wanted);
    }
    hosted_samples_end(&h);
}

static void neighbours_follow_the_rows_and_are_drawn_at_their_t(void **state) {
    (void)state;
    for (unsigned shuffles = 0; shuffles < 2; shuffles++) {
        hosted_samples h = begin(shuffles, true);
        assert_int_equal(hosted_samples_count(&h), 6);
        for (uint64_t i = 0; i < 3; i++) {
            uint64_t j;
            assert_ok(fmix_neighbour(7, SAMPLES + 2 + i, NEAR, &j));
            assert_int_equal(h.number[3 + i], near[h.number[i]][j]);
            assert_false(hosted_samples_is_neighbour(&h, i));
            assert_true(hosted_samples_is_neighbour(&h, 3 + i));
            assert_int_equal(hosted_samples_t(&h, 3 + i), hosted_samples_t(&h, i));
        }
        hosted_samples_end(&h);
    }
}

static const int64_t offsets[SAMPLES + 1] = {0, 4, 5, 9, 11, 18, 21}; /* lengths 4 1 4 2 7 3 */
static unsigned char offset_bytes[8 * (SAMPLES + 1)];                 /* i64, little-endian */

/* The same samples as sequences: batch 1 of 3 rows in a window of 2 batches. */
static hosted_samples begin_sequences(dataset *of, bool neighbours) {
    hosted_samples h = begin(false, neighbours);
    hosted_samples_end(&h);
    *of = set;
    of->ragged = true;
    for (unsigned i = 0; i <= SAMPLES; i++)
        offset_bytes[8 * i] = (unsigned char)offsets[i];
    of->offsets.bytes = offset_bytes;
    of->shortest = 1;
    of->longest = 7;
    of->steps = 21;
    h = (hosted_samples){.set = of,
                         .at = {.first = 3, .rows = 3},
                         .seed = 7,
                         .epoch = 1,
                         .size = 3,
                         .bucket = 2,
                         .shuffles = true,
                         .neighbours = neighbours};
    problem p = {0};
    assert_true(hosted_samples_begin(&h, &p));
    assert_ok(hosted_samples_find(&h));
    return h;
}

static void sequences_are_those_of_the_library_s_bucket_with_their_t(void **state) {
    (void)state;
    dataset of;
    uint64_t rows, numbers[3], t[3];
    hosted_samples h = begin_sequences(&of, true);
    const fmix_bucket bucket = {.seed = 7,
                                .epoch = 1,
                                .samples = SAMPLES,
                                .batch = 3,
                                .windows = 2,
                                .shuffles = true,
                                .offsets = offsets};
    assert_ok(fmix_bucket_batch(&bucket, 1, &rows, numbers, t));
    assert_int_equal(rows, 3);
    assert_memory_equal(h.number, numbers, sizeof numbers);
    assert_int_equal(h.at.t, t[0]);
    for (uint64_t i = 0; i < 3; i++) {
        uint64_t j;
        assert_ok(fmix_neighbour(7, t[i], NEAR, &j));
        assert_int_equal(h.number[3 + i], near[h.number[i]][j]);
        assert_int_equal(hosted_samples_t(&h, i), t[i]);
        assert_int_equal(hosted_samples_t(&h, 3 + i), t[i]);
    }
    hosted_samples_end(&h);
}

static void the_longest_counts_neighbours_too(void **state) {
    (void)state;
    static const uint64_t lengths[SAMPLES] = {4, 1, 4, 2, 7, 3};
    dataset of;
    for (unsigned neighbours = 0; neighbours < 2; neighbours++) {
        hosted_samples h = begin_sequences(&of, neighbours);
        uint64_t longest = 0;
        for (uint64_t i = 0; i < hosted_samples_count(&h); i++) {
            uint64_t length = lengths[h.number[i]];
            assert_int_equal(hosted_samples_length(&h, i), length);
            longest = length > longest ? length : longest;
        }
        assert_int_equal(hosted_samples_longest(&h), longest);
        hosted_samples_end(&h);
    }
}

static void neighbours_cost_time_and_memory(void **state) {
    (void)state;
    hosted_samples alone = begin(true, false), near_too = begin(true, true);
    assert_int_equal(hosted_samples_memory(&alone), 3 * sizeof(uint64_t));
    assert_int_equal(hosted_samples_memory(&near_too), 6 * sizeof(uint64_t));
    assert_true(hosted_samples_cost(&near_too) > hosted_samples_cost(&alone));
    hosted_samples_end(&alone);
    hosted_samples_end(&near_too);
}

static void samples_scatter_unless_they_follow_each_other_in_the_set(void **state) {
    (void)state;
    dataset_span span;
    const hosted_samples in_order = {0}, shuffled = {.shuffles = true},
                         near_too = {.neighbours = true}, sorted = {.span = &span, .bucket = 50},
                         unsorted = {.span = &span, .bucket = 1};
    assert_false(hosted_samples_scatter(&in_order) || hosted_samples_scatter(&unsorted));
    assert_true(hosted_samples_scatter(&shuffled) && hosted_samples_scatter(&near_too) &&
                hosted_samples_scatter(&sorted));
}

RUN(T(unshuffled_rows_are_in_the_order_of_the_set),
    T(shuffled_rows_are_the_library_s_shuffle_of_that_epoch),
    T(neighbours_follow_the_rows_and_are_drawn_at_their_t),
    T(sequences_are_those_of_the_library_s_bucket_with_their_t),
    T(the_longest_counts_neighbours_too), T(neighbours_cost_time_and_memory),
    T(samples_scatter_unless_they_follow_each_other_in_the_set))
