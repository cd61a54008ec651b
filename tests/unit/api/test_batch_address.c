#include "unit.h"

#include "api/batch_address.h"

static const dataset set = {.name = "set", .count = 10};

static query query_of(uint64_t n) {
    query q;
    query_init(&q);
    q.n = n;
    return q;
}

static batch_address found(const query *q, uint64_t step) {
    problem p = {0};
    batch_address at;
    assert_true(batch_address_find(q, &set, step, &at, &p));
    return at;
}

static void refused(const query *q, uint64_t step, int status, const char *parameter) {
    problem p = {0};
    batch_address at;
    assert_false(batch_address_find(q, &set, step, &at, &p));
    assert_int_equal(p.status, status);
    assert_string_equal(p.errors[0].parameter, parameter);
}

static void a_step_is_a_number_and_nothing_else(void **state) {
    (void)state;
    static const char *const others[] = {"", "x", "-1", "+1", "1x", " 1", "18446744073709551616"};
    uint64_t step;
    problem p = {0};
    assert_true(batch_address_step("18446744073709551615", &step, &p));
    assert_true(step == UINT64_MAX);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        p = (problem){0};
        assert_false(batch_address_step(others[i], &step, &p));
        assert_int_equal(p.status, 404);
    }
}

static void batches_cover_an_epoch_and_the_last_is_shorter(void **state) {
    (void)state;
    query q = query_of(4);
    uint64_t next = 0;
    for (uint64_t step = 0; step < 3; step++) {
        batch_address at = found(&q, step);
        assert_true(at.batches == 3 && at.first == next && at.t == next && at.number == step);
        next += at.rows;
    }
    assert_int_equal(next, 10);
    refused(&q, 3, 404, "");
}

static void drop_last_drops_the_short_batch_and_no_full_one(void **state) {
    (void)state;
    query q = query_of(4);
    q.drop_last = 1;
    assert_int_equal(found(&q, 1).batches, 2);
    refused(&q, 2, 404, "");
    q.n = 5;
    assert_int_equal(found(&q, 1).batches, 2);
}

static void numbers_of_an_epoch_follow_those_of_the_epoch_before(void **state) {
    (void)state;
    query q = query_of(4);
    q.epoch = 2;
    batch_address at = found(&q, 1);
    assert_true(at.first == 4 && at.t == 2 * 10 + 4 && at.number == 2 * 3 + 1);
    q.drop_last = 1; /* which renumbers nothing */
    assert_int_equal(found(&q, 1).number, 7);
}

static void ranks_share_a_batch_without_gap_or_overlap(void **state) {
    (void)state;
    for (uint64_t world = 1; world <= 6; world++) {
        uint64_t next = 0;
        query q = query_of(4);
        q.world = world;
        for (q.rank = 0; q.rank < world; q.rank++) {
            batch_address at = found(&q, 0);
            assert_int_equal(at.begin, next);
            next = at.end;
        }
        assert_int_equal(next, 4);
        refused(&q, 0, 400, "rank");
    }
}

static void the_last_epoch_is_the_last_whose_samples_have_numbers(void **state) {
    (void)state;
    query q = query_of(10);
    q.epoch = UINT64_MAX / 10 - 1;
    assert_true(found(&q, 0).t <= UINT64_MAX - 10);
    q.epoch++;
    refused(&q, 0, 400, "epoch");
}

RUN(T(a_step_is_a_number_and_nothing_else), T(batches_cover_an_epoch_and_the_last_is_shorter),
    T(drop_last_drops_the_short_batch_and_no_full_one),
    T(numbers_of_an_epoch_follow_those_of_the_epoch_before),
    T(ranks_share_a_batch_without_gap_or_overlap),
    T(the_last_epoch_is_the_last_whose_samples_have_numbers))
