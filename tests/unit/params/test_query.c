#include "unit.h"

#include "params/query.h"

#define ALL (~0u)

static problem take(query *q, unsigned groups, const char *name, const char *value) {
    problem p = {0};
    query_take(q, groups, name, strlen(name), value, value ? strlen(value) : 0, &p);
    return p;
}

/* Takes one pair into a fresh query. */
static problem take_fresh(query *q, const char *name, const char *value) {
    query_init(q);
    return take(q, ALL, name, value);
}

static void defaults_are_those_of_the_table(void **state) {
    (void)state;
    query q;
    query_init(&q);
    assert_true(q.seed == 0 && q.index == 0 && q.n == 1 && q.scale == 1);
    assert_true(q.alphas.count == 1 && q.alphas.item[0] == 1 && q.delta == 3);
    assert_int_equal(q.methods.item[0], FMIX_METHOD_FMIX);
    assert_int_equal(q.dtype, FMIX_DTYPE_F32);
    for (unsigned i = 0; i < QUERY_COUNT; i++)
        assert_false(q.given[i]);
}

static void integers_take_all_64_bits_and_not_one_more(void **state) {
    (void)state;
    query q;
    assert_int_equal(take_fresh(&q, "seed", "18446744073709551615").status, 0);
    assert_true(q.seed == UINT64_MAX);
    static const char *const bad[] = {
        "18446744073709551616", "-1", "+1", " 1", "1 ", "0x1", "1.0", "1e3", "", "nan", "٣"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        problem p = take_fresh(&q, "seed", bad[i]);
        assert_int_equal(p.status, 400);
        assert_string_equal(p.errors[0].parameter, "seed");
    }
}

static void reals_are_plain_decimals_within_their_range(void **state) {
    (void)state;
    query q;
    static const char *const good[] = {"0.01", "1000", "1e2", "1.5E+1", ".5", "5.", "100e-2"};
    static const char *const bad[] = {"0.00999", "1000.01", "nan",   "inf", "0x1p3", "1e", "--1",
                                      "-1",      "1,5,",    "1e400", "e5",  ".",     "1 "};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(take_fresh(&q, "alpha", good[i]).status, 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(take_fresh(&q, "alpha", bad[i]).status, 400);
    assert_int_equal(take_fresh(&q, "lambda", "-0").status, 0);
    assert_true(1 / (q.lambda + 1e-300) > 0);
}

static void shapes_have_one_to_three_sides(void **state) {
    (void)state;
    query q;
    assert_int_equal(take_fresh(&q, "shape", "3x1x700").status, 0);
    assert_true(q.shape.rank == 3 && q.shape.side[0] == 3 && q.shape.side[1] == 1 &&
                q.shape.side[2] == 700);
    static const char *const bad[] = {"0",
                                      "3x0",
                                      "x3",
                                      "3x",
                                      "3xx3",
                                      "1x2x3x4",
                                      "3X3",
                                      "3,3",
                                      "a",
                                      "18446744073709551616",
                                      "0000000000000000000000000000001"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(take_fresh(&q, "shape", bad[i]).status, 400);
    assert_int_equal(take_fresh(&q, "x_shape", "1x2x3x4x5").status, 0);
    assert_int_equal(take_fresh(&q, "x_shape", "1x2x3x4x5x6").status, 400);
}

static void a_set_names_each_part_once(void **state) {
    (void)state;
    query q;
    assert_int_equal(take_fresh(&q, "parts", "lambda,pairing").status, 0);
    assert_int_equal(q.parts, PART_LAMBDA | PART_PAIRING);
    static const char *const bad[] = {"lambda,lambda", "lambda,", ",lambda", "lamb", ","};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(take_fresh(&q, "parts", bad[i]).status, 400);
}

static void unknown_foreign_repeated_and_empty_are_named(void **state) {
    (void)state;
    query q;
    problem p = take_fresh(&q, "sede", "1");
    assert_string_equal(p.errors[0].parameter, "sede");
    query_init(&q);
    p = take(&q, GROUP_SEED, "delta", "3");
    assert_int_equal(p.status, 400);
    assert_int_equal(take(&q, GROUP_SEED, "seed", "1").status, 0);
    p = take(&q, GROUP_SEED, "seed", "1");
    assert_int_equal(p.status, 400);
    assert_non_null(strstr(p.errors[0].detail, "more than once"));
    assert_int_equal(take_fresh(&q, "seed", NULL).status, 400);
    assert_int_equal(take_fresh(&q, "seed", "").status, 400);
}

static void a_nul_inside_is_refused(void **state) {
    (void)state;
    query q;
    problem p = {0};
    query_init(&q);
    query_take(&q, ALL, "seed", 4, "1\0002", 3, &p);
    assert_int_equal(p.status, 400);
}

static void every_spelling_prints_as_one(void **state) {
    (void)state;
    static const char *const spellings[] = {"0.5", "0.50", "5e-1", ".5"};
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        query q;
        buffer text = buffer_of(64);
        take_fresh(&q, "alpha", spellings[i]);
        query_print(&q, QUERY_ALPHA, &text);
        assert_int_equal(text.length, 3);
        assert_memory_equal(text.bytes, "0.5", 3);
        buffer_free(&text);
    }
}

static void quoted_input_is_cut_to_printable_ascii(void **state) {
    (void)state;
    query q;
    problem p = take_fresh(&q, "seed", "\x01\xff\"\n");
    for (const char *c = p.errors[0].detail; *c; c++)
        assert_in_range((unsigned char)*c, 0x20, 0x7e);
}

RUN(T(defaults_are_those_of_the_table), T(integers_take_all_64_bits_and_not_one_more),
    T(reals_are_plain_decimals_within_their_range), T(shapes_have_one_to_three_sides),
    T(a_set_names_each_part_once), T(unknown_foreign_repeated_and_empty_are_named),
    T(a_nul_inside_is_refused), T(every_spelling_prints_as_one),
    T(quoted_input_is_cut_to_printable_ascii))
