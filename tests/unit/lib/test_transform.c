#include "unit.h"

#include "transform.h"

#include <malloc.h>

#define UNIT 0x1p-53

static void bound_is_64_u_log2_rounded_up(void **state) {
    (void)state;
    assert_true(fmix_transform_bound(1) == 0); /* one bin, copied */
    assert_true(fmix_transform_bound(2) == 64 * UNIT);
    assert_true(fmix_transform_bound(3) == 2 * 64 * UNIT);
    assert_true(fmix_transform_bound(1024) == 10 * 64 * UNIT);
    assert_true(fmix_transform_bound(1025) == 11 * 64 * UNIT);
    assert_true(fmix_transform_bound(FMIX_MAX_ELEMENTS) == 24 * 64 * UNIT);
}

static void plans_are_kept_by_shape(void **state) {
    (void)state;
    fmix_cache *cache = NULL;
    assert_ok(fmix_cache_new(1u << 20, &cache));
    fmix_shape shape = {2, {12, 18, 5}}, same = {2, {12, 18, 6}};
    fmix_shape others[] = {{2, {18, 12, 0}}, {1, {12, 0, 0}}, {3, {12, 18, 1}}, {3, {1, 12, 18}}};
    const fmix_transform *first = NULL, *second = NULL, *third = NULL;
    void *a = NULL, *b = NULL, *c = NULL;
    assert_false(fmix_transform_cached(cache, &shape));
    assert_ok(fmix_transform_get(cache, &shape, &first, &a));
    assert_true(fmix_transform_cached(cache, &shape));
    assert_ok(fmix_transform_get(cache, &same, &second, &b));
    assert_ptr_equal(first, second);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_false(fmix_transform_cached(cache, &others[i]));
        assert_ok(fmix_transform_get(cache, &others[i], &third, &c));
        assert_true(third != first);
        fmix_cache_release(cache, c);
    }
    fmix_cache_release(cache, a);
    fmix_cache_release(cache, b);
    assert_ok(fmix_transform_get(cache, &shape, &second, &b)); /* released, yet kept */
    assert_ptr_equal(first, second);
    fmix_cache_release(cache, b);
    fmix_counters counters;
    fmix_cache_counters(cache, &counters);
    assert_true(counters.cache_hits == 2 && counters.cache_misses == 5);
    fmix_cache_free(cache);
}

static size_t allocated(void) {
    struct mallinfo2 all = mallinfo2();
    return all.uordblks + all.hblkhd;
}

static size_t counted(fmix_cache *cache) {
    fmix_counters counters;
    fmix_cache_counters(cache, &counters);
    return counters.cache_bytes;
}

/* What a sanitizer allocates mallinfo does not see: then this promises nothing. */
static void a_plan_takes_no_more_memory_than_the_cache_counts(void **state) {
    static const uint32_t sides[] = {1,   2,    30,   47,   59,   83,   97,  128,
                                     139, 167,  172,  173,  191,  199,  211, 251,
                                     277, 1021, 1663, 2003, 2048, 7919, 8000};
    const size_t count = sizeof sides / sizeof *sides;
    fmix_cache *cache = NULL;
    uint64_t random = 5;
    (void)state;
    assert_ok(fmix_cache_new(SIZE_MAX, &cache));
    const fmix_transform *plan = NULL;
    void *entry = NULL;
    for (unsigned i = 0; i < 300; i++) {
        fmix_shape shape = {.rank = 1 + i % 3};
        for (unsigned d = 0; d < shape.rank; d++) /* a volume of the short ones */
            shape.side[d] = sides[unit_random(&random) % (shape.rank == 3 ? 11 : count)];
        bool first = i == 0; /* FFTW sets up its planner */
        size_t before = allocated(), sum = counted(cache);
        assert_ok(fmix_transform_get(cache, &shape, &plan, &entry));
        fmix_cache_release(cache, entry);
        size_t after = allocated();
        if (!first && after > before && after - before > counted(cache) - sum)
            fail_msg("%ux%ux%u takes %zu bytes and counts for %zu", shape.side[0], shape.side[1],
                     shape.side[2], after - before, counted(cache) - sum);
    }
    fmix_cache_free(cache);
}

static void the_largest_prime_factor_is_found(void **state) {
    static const uint32_t expected[][2] = {
        {1, 1},     {2, 2},     {12, 3},       {49, 7},
        {173, 173}, {346, 173}, {16777216, 2}, {16777213, 16777213}};
    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_int_equal(fmix_largest_prime(expected[i][0]), expected[i][1]);
}

static void sides_of_small_primes_cost_nothing_extra(void **state) {
    (void)state;
    assert_true(fmix_transform_penalty(&(fmix_shape){2, {208, 224, 0}}) == 0);
    assert_true(fmix_transform_penalty(&(fmix_shape){1, {17, 0, 0}}) > 0);
    assert_true(fmix_transform_penalty(&(fmix_shape){2, {17, 17, 0}}) >
                fmix_transform_penalty(&(fmix_shape){2, {17, 16, 0}}));
}

/* A prime past 172 is transformed by way of the primes of p-1, and slower where it is long. */
static void primes_cost_what_the_primes_before_them_cost_too(void **state) {
    static const uint32_t sides[] = {179, 13577, 65521, 394861, 1000003};
    double last = 0;
    (void)state;
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        double penalty = fmix_transform_penalty(&(fmix_shape){1, {sides[i], 0, 0}});
        assert_true(penalty > last);
        last = penalty;
    }
    assert_true(last > 100);
}

RUN(T(bound_is_64_u_log2_rounded_up), T(plans_are_kept_by_shape),
    T(a_plan_takes_no_more_memory_than_the_cache_counts), T(the_largest_prime_factor_is_found),
    T(sides_of_small_primes_cost_nothing_extra),
    T(primes_cost_what_the_primes_before_them_cost_too))
