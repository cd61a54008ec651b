#include "unit.h"

#include "api/sequence_request.h"

#define ELEMENTS 1000

static const dataset even = {.name = "even", .count = 100, .x = {.rank = 1, .side = {7}}};
static const dataset ragged = {.name = "ragged",
                               .count = 100,
                               .x = {.rank = 2, .side = {0, 4}, .layout = LAYOUT_NONE},
                               .ragged = true,
                               .shortest = 3,
                               .longest = 250};

static query plain(uint64_t n) {
    query q;
    query_init(&q);
    q.n = n;
    return q;
}

static void refused(const query *q, const dataset *set, uint64_t elements, int status,
                    const char *parameter, const char *why) {
    problem p = {0};
    assert_false(sequence_request_check(q, set, elements, &p));
    assert_int_equal(p.status, status);
    assert_string_equal(p.errors[0].parameter, parameter);
    assert_non_null(strstr(p.errors[0].detail, why));
}

static void allowed(const query *q, const dataset *set, uint64_t elements) {
    problem p = {0};
    assert_true(sequence_request_check(q, set, elements, &p));
    assert_int_equal(p.status, 0);
}

static void rows_of_one_length_have_no_bucket_and_no_padding(void **state) {
    (void)state;
    query q = plain(4);
    allowed(&q, &even, 1);
    q.given[QUERY_BUCKET] = true;
    allowed(&q, &ragged, ELEMENTS);
    refused(&q, &even, ELEMENTS, 400, "bucket", "leave bucket out");
    q = plain(4);
    q.given[QUERY_PAD_VALUE] = true;
    allowed(&q, &ragged, ELEMENTS);
    refused(&q, &even, ELEMENTS, 400, "pad_value", "data set even");
}

static void a_window_has_no_more_places_than_the_library_sorts(void **state) {
    (void)state;
    dataset large = ragged;
    large.count = (uint64_t)FMIX_MAX_BATCH + 9;
    query q = plain(4);
    q.bucket = FMIX_MAX_BATCH / 4;
    allowed(&q, &large, ELEMENTS);
    q.bucket++;
    refused(&q, &large, ELEMENTS, 400, "bucket", "bucket may be at most 4194304");
    large.count = FMIX_MAX_BATCH; /* where a window is cut */
    allowed(&q, &large, ELEMENTS);
    q.bucket = UINT64_MAX;
    allowed(&q, &large, ELEMENTS);
}

static void a_reflection_fits_the_shortest_row(void **state) {
    (void)state;
    query q = plain(4);
    q.crop = 2;
    q.pad = FMIX_PAD_REFLECT;
    allowed(&q, &ragged, ELEMENTS);
    q.crop = 3;
    refused(&q, &ragged, ELEMENTS, 400, "crop", "has length 3;");
    allowed(&q, &even, ELEMENTS); /* whose sides preprocessor.c knows */
    q.pad = FMIX_PAD_ZERO;
    allowed(&q, &ragged, ELEMENTS);
}

static void the_longest_row_fits_the_limit_of_a_mask(void **state) {
    (void)state;
    const query q = plain(4);
    allowed(&q, &ragged, 1000);
    refused(&q, &ragged, 999, 413, "", "has length 250,");
}

static void rows_of_one_length_are_found_without_a_window(void **state) {
    (void)state;
    const query q = plain(4);
    const weight w = sequence_request_weight(&q, &even);
    assert_true(w.cost == 0 && w.worst == 0 && w.memory == 0);
}

static void a_window_costs_by_its_places_up_to_the_whole_set(void **state) {
    (void)state;
    weight last = {0};
    for (uint64_t bucket = 1; bucket <= 32; bucket *= 2) {
        query q = plain(4);
        q.bucket = bucket;
        weight w = sequence_request_weight(&q, &ragged);
        assert_int_equal(w.memory > last.memory, bucket <= 32 && last.memory < 100 * 64);
        assert_true(w.cost >= last.cost && w.memory >= last.memory);
        last = w;
    }
    query q = plain(1000);
    q.bucket = UINT64_MAX;
    assert_true(sequence_request_weight(&q, &ragged).memory <= 100 * (64 + 64));
}

static void shuffling_and_neighbours_cost_more(void **state) {
    (void)state;
    query q = plain(4);
    double cost = sequence_request_weight(&q, &ragged).cost;
    q.shuffle = 1;
    assert_true(sequence_request_weight(&q, &ragged).cost > cost);
    q.shuffle = 0;
    q.pairing = FMIX_PAIRING_NEIGHBOUR;
    assert_true(sequence_request_weight(&q, &ragged).cost > cost);
}

/* Of one window of 2^20 places, a batch of one row or of all: only the latter is sorted whole. */
static void large_batches_cost_what_sorting_takes(void **state) {
    (void)state;
    dataset large = ragged;
    large.count = 1 << 20;
    query one = plain(1), all = plain(1 << 20);
    one.bucket = 1 << 20;
    double cost = sequence_request_weight(&one, &large).cost;
    double nanoseconds = (sequence_request_weight(&all, &large).cost - cost) / (1 << 20);
    assert_true(nanoseconds > 100 && nanoseconds < 300);
}

RUN(T(rows_of_one_length_have_no_bucket_and_no_padding),
    T(a_window_has_no_more_places_than_the_library_sorts), T(a_reflection_fits_the_shortest_row),
    T(the_longest_row_fits_the_limit_of_a_mask), T(rows_of_one_length_are_found_without_a_window),
    T(a_window_costs_by_its_places_up_to_the_whole_set), T(shuffling_and_neighbours_cost_more),
    T(large_batches_cost_what_sorting_takes))
