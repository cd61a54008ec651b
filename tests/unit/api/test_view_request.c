#include "unit.h"

#include "api/view_request.h"

#define ELEMENTS 1000

static const dataset even = {.name = "even", .count = 100, .x = {.rank = 1, .side = {7}}};
static const dataset pictures = {.name = "pictures", .count = 100, .images = true};

static query sized(unsigned rank, uint64_t height, uint64_t width) {
    query q;
    query_init(&q);
    q.n = 4;
    q.given[QUERY_SIZE] = true;
    q.size = (query_shape){.rank = rank, .side = {height, width}};
    return q;
}

static void refused(const query *q, const dataset *set, int status, const char *parameter,
                    const char *why) {
    problem p = {0};
    assert_false(view_request_check(q, set, ELEMENTS, &p));
    assert_int_equal(p.status, status);
    assert_string_equal(p.errors[0].parameter, parameter);
    assert_non_null(strstr(p.errors[0].detail, why));
}

static void allowed(const query *q, const dataset *set) {
    problem p = {0};
    assert_true(view_request_check(q, set, ELEMENTS, &p));
    assert_int_equal(p.status, 0);
}

static void rows_of_one_shape_have_no_views(void **state) {
    (void)state;
    for (query_id i = QUERY_SIZE; i <= QUERY_FILTER; i++) {
        query q;
        query_init(&q);
        allowed(&q, &even);
        q.given[i] = true;
        refused(&q, &even, 400, query_table[i].name, "data set even");
    }
}

static void pictures_need_a_size_within_the_limit_of_elements(void **state) {
    (void)state;
    query q;
    query_init(&q);
    refused(&q, &pictures, 400, "size", "size=224x192");
    q = sized(2, 25, 40);
    allowed(&q, &pictures);
    q = sized(2, 25, 41);
    refused(&q, &pictures, 413, "size", "25x41");
}

static void pictures_have_no_crop_and_no_pad(void **state) {
    (void)state;
    query q = sized(1, 8, 0);
    q.given[QUERY_CROP] = true;
    refused(&q, &pictures, 400, "crop", "leave crop out");
    q = sized(1, 8, 0);
    q.given[QUERY_PAD] = true;
    refused(&q, &pictures, 400, "pad", "leave pad out");
}

static void pictures_are_found_by_a_compute_thread(void **state) {
    (void)state;
    query q = sized(1, 8, 0);
    weight none = view_request_weight(&q, &even), w = view_request_weight(&q, &pictures);
    assert_true(none.cost == 0 && none.memory == 0);
    assert_true(w.cost > 0 && w.memory > 0);
    q.pairing = FMIX_PAIRING_NEIGHBOUR;
    assert_int_equal(view_request_weight(&q, &pictures).memory, 2 * w.memory);
    q.n = UINT64_MAX; /* a batch has no more rows than the set */
    assert_int_equal(view_request_weight(&q, &pictures).memory, 50 * w.memory);
}

RUN(T(rows_of_one_shape_have_no_views), T(pictures_need_a_size_within_the_limit_of_elements),
    T(pictures_have_no_crop_and_no_pad), T(pictures_are_found_by_a_compute_thread))
