#include "unit.h"

#include "context.h"
#include "transform.h"

#include <fftw3.h>
#include <malloc.h>
#include <math.h>

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

static void aligned_memory_is_aligned_and_refuses_the_impossible(void **state) {
    (void)state;
    for (size_t n = 1; n < 40; n++) {
        double *memory = fmix_aligned_new(n);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % 64, 0);
        memset(memory, 0, n * sizeof *memory);
        fmix_aligned_free(memory);
    }
    assert_null(fmix_aligned_new(SIZE_MAX));
    assert_null(fmix_aligned_new(SIZE_MAX / 8));
    fmix_aligned_free(NULL);
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

/* Its wisdom as text, which grows as what it keeps. */
static size_t wisdom(void) {
    char *text = fftw_export_wisdom_to_string();
    assert_non_null(text);
    size_t length = strlen(text);
    free(text);
    return length;
}

static void what_fftw_learns_of_shapes_does_not_grow_with_their_number(void **state) {
    fmix_cache *cache = NULL;
    const fmix_transform *plan = NULL;
    void *entry = NULL;
    (void)state;
    assert_ok(fmix_cache_new(0, &cache)); /* keeps none */
    size_t most[3] = {0};                 /* of each thousand or so */
    for (unsigned i = 0; i < 3300; i++) {
        fmix_shape shape = {.rank = 2, .side = {1 + i % 60, 1 + i / 60}};
        assert_ok(fmix_transform_get(cache, &shape, &plan, &entry));
        fmix_cache_release(cache, entry);
        size_t now = i % 10 ? 0 : wisdom();
        if (now > most[i / 1100])
            most[i / 1100] = now;
    }
    assert_true(most[0] > 0 && most[2] < most[0] * 3 / 2);
    fmix_cache_free(cache);
}

/* Runs so many transforms of a shape, as calls that draw masks do. */
static void use(fmix_context *context, const fmix_shape *shape, uint64_t times) {
    const fmix_transform *transform = NULL;
    void *entry = NULL;
    assert_ok(fmix_transform_get(context->cache, shape, &transform, &entry));
    fmix_transform_used(context, transform, times);
    fmix_cache_release(context->cache, entry);
}

/* How many shapes are measured, one after the other. */
static unsigned tune_all(fmix_context *context) {
    unsigned count = 0;
    bool tuned, more;
    do {
        assert_ok(fmix_context_tune(context, 2, &tuned, &more));
        count += tuned;
    } while (more);
    return count;
}

static void a_shape_is_measured_once_it_is_worth_it(void **state) {
    (void)state;
    fmix_context *context = NULL;
    assert_ok(fmix_context_new(1u << 20, &context));
    const fmix_shape shape = {2, {28, 30, 0}}, prime = {2, {17, 16, 0}},
                     huge = {2, {1024, 1025, 0}};
    use(context, &shape, 5000);
    assert_int_equal(tune_all(context), 0);
    use(context, &shape, 5000);
    assert_int_equal(tune_all(context), 1);
    fmix_counters counters;
    fmix_context_counters(context, &counters);
    assert_int_equal(counters.transforms_measured, 1);
    use(context, &shape, 1000000);
    use(context, &prime, 1000000);
    use(context, &huge, 100);
    assert_int_equal(tune_all(context), 0);
    fmix_context_free(context);
}

static void a_shape_that_left_the_cache_is_not_measured(void **state) {
    (void)state;
    fmix_context *context = NULL;
    assert_ok(fmix_context_new(0, &context));
    use(context, &(fmix_shape){2, {28, 30, 0}}, 10000);
    assert_int_equal(tune_all(context), 0);
    fmix_context_free(context);
}

static void more_shapes_than_there_is_room_for_come_again(void **state) {
    (void)state;
    fmix_context *context = NULL;
    assert_ok(fmix_context_new(64u << 20, &context));
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < FMIX_TUNING_MOST + 4; i++)
            use(context, &(fmix_shape){1, {2 + 2 * i, 0, 0}}, 10000000);
        assert_true(tune_all(context) > 0);
    }
    for (uint32_t i = 0; i < FMIX_TUNING_MOST + 4; i++)
        use(context, &(fmix_shape){1, {2 + 2 * i, 0, 0}}, 10000000);
    assert_int_equal(tune_all(context), 0);
    fmix_context_free(context);
}

static void wisdom_makes_measured_plans_at_once(void **state) {
    (void)state;
    const fmix_shape shape = {2, {20, 60, 0}};
    fmix_context *context = NULL;
    char *text = NULL;
    for (int wise = 0; wise < 2; wise++) {
        fftw_forget_wisdom();
        if (wise)
            assert_ok(fmix_wisdom_import(text));
        assert_ok(fmix_context_new(1u << 20, &context));
        use(context, &shape, 100000);
        assert_int_equal(tune_all(context), !wise);
        free(text);
        assert_ok(fmix_wisdom_export(&text));
        assert_non_null(strstr(text, "fftw"));
        fmix_context_free(context);
    }
    free(text);
    assert_int_equal(fmix_wisdom_import("(fftw-2.1 nonsense"), FMIX_ERROR_RANGE);
    assert_int_equal(fmix_wisdom_import(""), FMIX_ERROR_RANGE);
}

RUN(T(a_shape_is_measured_once_it_is_worth_it), T(a_shape_that_left_the_cache_is_not_measured),
    T(more_shapes_than_there_is_room_for_come_again), T(wisdom_makes_measured_plans_at_once),
    T(bound_is_64_u_log2_rounded_up), T(plans_are_kept_by_shape),
    T(a_plan_takes_no_more_memory_than_the_cache_counts),
    T(what_fftw_learns_of_shapes_does_not_grow_with_their_number),
    T(aligned_memory_is_aligned_and_refuses_the_impossible))
