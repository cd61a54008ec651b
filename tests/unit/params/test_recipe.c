#include "unit.h"

#include "params/recipe.h"

#define ALL (~0u)
#define MASKS                                                                                      \
    (GROUP_SEED | GROUP_INDEX | GROUP_SAMPLE | GROUP_LAMBDA | GROUP_MASK | GROUP_METHOD |          \
     GROUP_SHAPE)
#define ELEMENTS 1024

/* A query of name, value, name, value … NULL. */
static query query_of(const char *const *pairs) {
    query q;
    problem p = {0};
    query_init(&q);
    for (; *pairs; pairs += 2)
        query_take(&q, ALL, pairs[0], strlen(pairs[0]), pairs[1], strlen(pairs[1]), &p);
    assert_int_equal(p.status, 0);
    return q;
}

#define QUERY(...) query_of((const char *const[]){__VA_ARGS__, NULL})

static void the_index_is_step_times_rows_unless_given(void **state) {
    (void)state;
    problem p = {0};
    query q = QUERY("step", "7");
    assert_true(recipe_address(&q, 100, 1, &p) && q.index == 700);
    q = QUERY("step", "7", "index", "3");
    assert_true(recipe_address(&q, 100, 1, &p) && q.index == 3);
    q = QUERY("seed", "7");
    assert_true(recipe_address(&q, 100, 1, &p) && q.index == 0);
    assert_int_equal(p.status, 0);
}

/* rows 2: 2^63 - 1 steps of them end at 2^64 - 1. */
static void numbers_past_64_bits_are_refused_by_name(void **state) {
    (void)state;
    static const struct {
        const char *name, *value;
        uint64_t rows;
        bool good;
    } table[] = {
        {"index", "18446744073709551615", 1, true},   {"index", "18446744073709551615", 2, false},
        {"index", "18446744073709551614", 2, true},   {"index", "18446744073709551600", 16, true},
        {"index", "18446744073709551600", 17, false}, {"step", "18446744073709551615", 1, true},
        {"step", "9223372036854775807", 2, true},     {"step", "9223372036854775808", 2, false},
        {"step", "6148914691236517205", 3, false},    {"step", "6148914691236517204", 3, true},
        {"step", "18446744073709551615", 2, false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        problem p = {0};
        query q = QUERY(table[i].name, table[i].value);
        assert_int_equal(recipe_address(&q, table[i].rows, 1, &p), table[i].good);
        assert_int_equal(p.status, table[i].good ? 0 : 400);
        if (!table[i].good)
            assert_string_equal(p.errors[0].parameter, table[i].name);
    }
}

static void a_given_index_makes_any_step_good(void **state) {
    (void)state;
    problem p = {0};
    query q = QUERY("step", "18446744073709551615", "index", "0");
    assert_true(recipe_address(&q, 1000, 1, &p));
}

static void shapes_end_at_the_limit_of_elements(void **state) {
    (void)state;
    static const struct {
        unsigned rank;
        uint64_t side[3];
        bool good;
    } table[] = {
        {1, {1024}, true},
        {1, {1025}, false},
        {2, {32, 32}, true},
        {2, {32, 33}, false},
        {2, {1, 1024}, true},
        {2, {1024, 1}, true},
        {2, {1024, 2}, false},
        {3, {8, 8, 16}, true},
        {3, {8, 8, 17}, false},
        {1, {UINT64_MAX}, false},
        {2, {UINT64_C(1) << 32, UINT64_C(1) << 32}, false},
        {3, {UINT64_C(1) << 22, UINT64_C(1) << 21, UINT64_C(1) << 21}, false},
        {2, {1024, UINT64_MAX}, false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        problem p = {0};
        fmix_shape shape;
        bool good = recipe_shape(table[i].rank, table[i].side, ELEMENTS, "shape", &shape, &p);
        assert_int_equal(good, table[i].good);
        assert_int_equal(p.status, good ? 0 : 413);
        if (!good)
            assert_string_equal(p.errors[0].parameter, "shape");
        for (unsigned d = 0; good && d < table[i].rank; d++)
            assert_true(shape.rank == table[i].rank && shape.side[d] == table[i].side[d]);
    }
}

static void the_recipe_is_what_the_parameters_say(void **state) {
    (void)state;
    problem p = {0};
    fmix_recipe r;
    query q = QUERY("seed", "9", "method", "cutmix", "alpha", "0.2", "delta", "4");
    assert_true(recipe_from_query(&q, &r, &p));
    assert_true(r.seed == 9 && r.method == FMIX_METHOD_CUTMIX && r.alpha == 0.2 && r.delta == 4);
    assert_false(r.lambda_given);
    q = QUERY("lambda", "0.25");
    assert_true(recipe_from_query(&q, &r, &p));
    assert_true(r.lambda_given && r.lambda == 0.25 && r.method == FMIX_METHOD_FMIX);
}

static void a_fixed_lambda_excludes_parameters_of_drawing(void **state) {
    (void)state;
    problem p = {0};
    fmix_recipe r;
    query q = QUERY("lambda", "0.5", "alpha", "1");
    assert_false(recipe_from_query(&q, &r, &p));
    assert_int_equal(p.status, 400);
    assert_string_equal(p.errors[0].parameter, "lambda");
    p = (problem){0};
    q = QUERY("lambda", "0.5", "reformulate", "0");
    assert_false(recipe_from_query(&q, &r, &p));
    assert_string_equal(p.errors[0].parameter, "lambda");
}

static void the_official_spectrum_is_refused_where_its_code_raises(void **state) {
    (void)state;
    static const fmix_shape thin = {2, {1, 8}}, square = {2, {8, 8}};
    const struct {
        query q;
        const fmix_shape *shape;
        const char *parameter; /* NULL: fine */
    } table[] = {
        {QUERY("spectrum", "official"), &square, NULL},
        {QUERY("spectrum", "official"), &thin, "spectrum"},
        {QUERY("spectrum", "official", "frequency", "extent"), &square, "frequency"},
        {QUERY("spectrum", "official", "method", "cutmix"), &thin, NULL},
        {QUERY("spectrum", "official", "method", "mixup,fmix"), &thin, "spectrum"},
        {QUERY("frequency", "extent"), &thin, NULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        problem p = {0};
        bool good = table[i].parameter == NULL;
        assert_int_equal(recipe_spectrum(&table[i].q, table[i].shape, &p), good);
        assert_int_equal(p.status, good ? 0 : 400);
        if (!good)
            assert_string_equal(p.errors[0].parameter, table[i].parameter);
    }
}

static void only_masks_of_a_spectrum_soften(void **state) {
    (void)state;
    query q = QUERY("soft", "0.1");
    assert_true(recipe_softens(&q));
    q = QUERY("soft", "0.1", "method", "mixup,fmix");
    assert_true(recipe_softens(&q));
    q = QUERY("soft", "0.1", "method", "cutmix");
    assert_false(recipe_softens(&q));
    q = QUERY("soft", "0");
    assert_false(recipe_softens(&q));
}

static void assert_text(const query *q, unsigned groups, const char *expected) {
    char *text = recipe_text(q, groups);
    assert_string_equal(text, expected);
    free(text);
}

static void the_text_holds_every_parameter_of_the_groups_that_has_a_value(void **state) {
    (void)state;
    query q = QUERY("shape", "32x32");
    assert_text(
        &q, MASKS,
        "stream=1 seed=0 index=0 n=1 shape=32x32 method=fmix alpha=1 delta=3 "
        "reformulate=0 scope=sample soft=0 frequency=pixel spectrum=paper box=clipped dtype=f32");
    assert_text(&q, GROUP_SEED | GROUP_INDEX, "stream=1 seed=0 index=0 scope=sample");
    q = QUERY("method", "fmix,mixup", "alpha", "0.250,1");
    assert_text(&q, GROUP_METHOD | GROUP_LAMBDA,
                "stream=1 method=fmix,mixup alpha=0.25,1 reformulate=0");
    q = QUERY("shape", "32x32", "lambda", "0.5");
    assert_text(&q, MASKS,
                "stream=1 seed=0 index=0 n=1 shape=32x32 method=fmix delta=3 "
                "lambda=0.5 reformulate=0 scope=sample soft=0 frequency=pixel spectrum=paper "
                "box=clipped dtype=f32");
}

/* ETags of requests without these parameters are older than the parameters. */
static void one_side_and_two_equal_sides_of_a_view_are_the_same_text(void **state) {
    (void)state;
    static const struct {
        const char *size, *text;
    } table[] = {{"224", "stream=1 size=224"},
                 {"224x224", "stream=1 size=224"},
                 {"224x192", "stream=1 size=224x192"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        query q = QUERY("size", table[i].size);
        char *text = recipe_text(&q, GROUP_VIEW);
        assert_string_equal(text, table[i].text);
        free(text);
    }
}

static void a_later_parameter_is_in_the_text_only_where_it_is_given(void **state) {
    (void)state;
    query q = QUERY("seed", "0");
    assert_text(&q, GROUP_POLICY, "stream=1 policy=alternate");
    q = QUERY("prob", "1.0", "switch", "batch");
    assert_text(&q, GROUP_POLICY, "stream=1 policy=alternate switch=batch prob=1");
    for (unsigned i = 0; i < QUERY_COUNT; i++)
        assert_true(!query_table[i].later || query_table[i].fallback);
}

static void requests_that_mean_the_same_have_one_text(void **state) {
    (void)state;
    const query same[] = {
        QUERY("shape", "8x8"),
        QUERY("n", "1", "shape", "8x8", "seed", "0"),
        QUERY("delta", "3.0", "shape", "08x8", "alpha", "1e0"),
        QUERY("dtype", "f32", "method", "fmix", "index", "00", "shape", "8x8"),
    };
    char *first = recipe_text(&same[0], MASKS);
    for (size_t i = 1; i < sizeof same / sizeof *same; i++)
        assert_text(&same[i], MASKS, first);
    free(first);
}

static void any_other_parameter_makes_another_text(void **state) {
    (void)state;
    const query others[] = {
        QUERY("shape", "8x8"),
        QUERY("shape", "8x9"),
        QUERY("shape", "8x8x1"),
        QUERY("shape", "8x8", "seed", "1"),
        QUERY("shape", "8x8", "index", "1"),
        QUERY("shape", "8x8", "n", "2"),
        QUERY("shape", "8x8", "method", "cutmix"),
        QUERY("shape", "8x8", "alpha", "1.0000000000000002"),
        QUERY("shape", "8x8", "delta", "3.0000000000000004"),
        QUERY("shape", "8x8", "lambda", "0"),
        QUERY("shape", "8x8", "lambda", "1"),
        QUERY("shape", "8x8", "dtype", "u8"),
        QUERY("shape", "8x8", "reformulate", "1"),
        QUERY("shape", "8x8", "scope", "batch"),
        QUERY("shape", "8x8", "frequency", "extent"),
        QUERY("shape", "8x8", "box", "inside"),
        QUERY("shape", "8x8", "columns", "1"),
        QUERY("shape", "8x8", "scale", "2"),
        QUERY("shape", "8x8", "seed", "18446744073709551615"),
        QUERY("shape", "8x8", "seed", "18446744073709551614"),
    };
    enum { N = sizeof others / sizeof *others };
    char *texts[N];
    for (size_t i = 0; i < N; i++) {
        texts[i] = recipe_text(&others[i], MASKS | GROUP_SHEET);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(texts[i], texts[j]);
    }
    for (size_t i = 0; i < N; i++)
        free(texts[i]);
}

static void every_parameter_at_its_longest_still_has_a_text(void **state) {
    (void)state;
#define LONG "18446744073709551615"
    query q = QUERY("seed", LONG, "index", LONG, "step", LONG, "n", "16777216", "shape",
                    LONG "x" LONG "x" LONG, "method", "cutmix", "delta", "0.30000000000000004",
                    "lambda", "4.9406564584124654e-324", "pairing", "permutation", "dtype", "bits",
                    "columns", "4096", "scale", "64", "layout", "channels_first", "parts",
                    "mixed,pairing,lambda,lambda_eff,masks", "x_shape",
                    LONG "x" LONG "x" LONG "x" LONG "x" LONG, "x_dtype", "f32");
    char *text = recipe_text(&q, ALL);
    assert_non_null(text);
    assert_non_null(strstr(text, "lambda=4.9406564584124654e-324"));
    free(text);
}

RUN(T(the_index_is_step_times_rows_unless_given), T(numbers_past_64_bits_are_refused_by_name),
    T(a_given_index_makes_any_step_good), T(shapes_end_at_the_limit_of_elements),
    T(the_recipe_is_what_the_parameters_say), T(a_fixed_lambda_excludes_parameters_of_drawing),
    T(the_official_spectrum_is_refused_where_its_code_raises), T(only_masks_of_a_spectrum_soften),
    T(the_text_holds_every_parameter_of_the_groups_that_has_a_value),
    T(one_side_and_two_equal_sides_of_a_view_are_the_same_text),
    T(a_later_parameter_is_in_the_text_only_where_it_is_given),
    T(requests_that_mean_the_same_have_one_text), T(any_other_parameter_makes_another_text),
    T(every_parameter_at_its_longest_still_has_a_text))
