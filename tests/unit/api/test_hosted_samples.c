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

static void rows_may_have_a_t_of_their_own(void **state) {
    (void)state;
    static uint64_t t[3] = {90, 7, 40};
    hosted_samples h = begin(false, true);
    assert_int_equal(hosted_samples_t(&h, 2), SAMPLES + 4);
    h.t = t;
    assert_ok(hosted_samples_find(&h));
    for (uint64_t i = 0; i < 3; i++) {
        uint64_t j;
        assert_ok(fmix_neighbour(7, t[i], NEAR, &j));
        assert_int_equal(h.number[3 + i], near[h.number[i]][j]);
        assert_int_equal(hosted_samples_t(&h, i), t[i]);
        assert_int_equal(hosted_samples_t(&h, 3 + i), t[i]);
    }
    hosted_samples_end(&h);
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

RUN(T(unshuffled_rows_are_in_the_order_of_the_set),
    T(shuffled_rows_are_the_library_s_shuffle_of_that_epoch),
    T(neighbours_follow_the_rows_and_are_drawn_at_their_t), T(rows_may_have_a_t_of_their_own),
    T(neighbours_cost_time_and_memory))
