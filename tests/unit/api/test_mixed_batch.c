#include "served_bench.h"

#include "api/mixed_batch.h"
#include "params/recipe.h"

enum { N = 4, SIDE = 4 };

typedef struct made {
    mixed_batch mixed;
    tensor_source *source;
} made;

/* A batch of N rows of one value each, 10, 20 …, of SIDE x SIDE u8. */
static void make(made *m, const char *text) {
    static unsigned char pixels[N][SIDE * SIDE];
    resource_request c = served_request(bench, mix_post, text, &format_npz);
    array x = {.name = "x", .type = DTYPE_U8, .rank = 3, .shape = {N, SIDE, SIDE}};
    problem p = {0};
    batch_geometry g;
    fmix_recipe recipe;
    for (unsigned i = 0; i < N; i++)
        memset(pixels[i], 10 * (int)(i + 1), sizeof pixels[i]);
    c.query.given[QUERY_LAYOUT] = true;
    c.query.layout = LAYOUT_NONE;
    assert_true(batch_geometry_find(&c.query, &x, &g, &p));
    assert_true(mixed_batch_recipe(&c, &g, &recipe, &p));
    assert_true(mixed_batch_begin(&m->mixed, &c, &recipe, 0, N, &p));
    m->mixed.batch = (fmix_batch){.x = pixels,
                                  .dtype = FMIX_DTYPE_U8,
                                  .out_dtype = FMIX_DTYPE_U8,
                                  .channels = 1,
                                  .pairing = m->mixed.pairing};
    assert_ok(mixed_batch_prepare(&m->mixed));
    m->source = tensor_source_new(N);
    assert_true(mixed_batch_source(&m->mixed, m->source, &c.query, &x, DTYPE_U8, &g));
}

static void end_of(made *m) {
    tensor_source_free(m->source);
    mixed_batch_end(&m->mixed);
}

static void the_pairing_is_a_permutation_and_lambda_says_the_share_of_the_row(void **state) {
    (void)state;
    made m;
    int64_t pairing[N];
    double effective[N];
    unsigned char mixed[N][SIDE * SIDE];
    unsigned seen = 0;
    make(&m, "method=cutmix&seed=3");
    served_fill(m.source, "pairing", pairing, sizeof pairing);
    served_fill(m.source, "lambda_eff", effective, sizeof effective);
    served_fill(m.source, "mixed", mixed, sizeof mixed);
    for (unsigned i = 0; i < N; i++) {
        unsigned own = 0;
        seen |= 1u << pairing[i];
        for (unsigned j = 0; j < SIDE * SIDE; j++) {
            own += mixed[i][j] == 10 * (i + 1);
            assert_true(mixed[i][j] == 10 * (i + 1) || mixed[i][j] == 10 * (pairing[i] + 1));
        }
        if (pairing[i] != i)
            assert_true(effective[i] == (double)own / (SIDE * SIDE));
    }
    assert_int_equal(seen, (1u << N) - 1);
    end_of(&m);
}

static void masks_of_a_method_that_interpolates_are_its_weights(void **state) {
    (void)state;
    made m;
    float masks[N][SIDE * SIDE];
    make(&m, "method=mixup&lambda=0.25");
    served_fill(m.source, "masks", masks, sizeof masks);
    assert_true(m.mixed.interpolates && masks[0][0] == 0.25f && masks[N - 1][5] == 0.25f);
    end_of(&m);
}

/* Rows of fmix and of none in one batch. */
static void each_row_has_the_numbers_of_its_own_method(void **state) {
    (void)state;
    made m;
    unsigned char method[N], mixed[N][SIDE * SIDE];
    float masks[N][SIDE * SIDE];
    double effective[N];
    unsigned unmixed = 0;
    make(&m, "method=mixup&prob=0.5&seed=1&lambda=0.25&index=4");
    served_fill(m.source, "method", method, sizeof method);
    served_fill(m.source, "masks", masks, sizeof masks);
    served_fill(m.source, "lambda_eff", effective, sizeof effective);
    served_fill(m.source, "mixed", mixed, sizeof mixed);
    for (unsigned i = 0; i < N; i++) {
        bool kept = method[i] == FMIX_METHOD_NONE;
        unmixed += kept;
        assert_true(kept || method[i] == FMIX_METHOD_MIXUP);
        assert_true(masks[i][0] == (kept ? 1.0f : 0.25f) && effective[i] == masks[i][0]);
        assert_true(!kept || mixed[i][0] == 10 * (i + 1));
    }
    assert_in_range(unmixed, 1, N - 1);
    end_of(&m);
}

static void with_scope_batch_every_row_has_one_mask(void **state) {
    (void)state;
    made m;
    float masks[N][SIDE * SIDE];
    make(&m, "method=cutmix&seed=3&scope=batch");
    served_fill(m.source, "masks", masks, sizeof masks);
    for (unsigned i = 1; i < N; i++)
        assert_memory_equal(masks[i], masks[0], sizeof masks[0]);
    end_of(&m);
}

static void parts_pick_tensors(void **state) {
    (void)state;
    static const struct {
        const char *text;
        unsigned count;
        const char *first;
    } table[] = {{"", 5, "mixed"},
                 {"parts=pairing,lambda", 2, "pairing"},
                 {"parts=masks", 1, "masks"},
                 {"parts=method", 1, "method"},
                 {"prob=0.5", 6, "mixed"},
                 {"prob=1", 5, "mixed"},
                 {"method=fmix,mixup&switch=sample", 6, "mixed"},
                 {"method=fmix,mixup", 5, "mixed"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        made m;
        make(&m, table[i].text);
        assert_int_equal(m.source->count, table[i].count);
        assert_string_equal(m.source->tensors[0].name, table[i].first);
        end_of(&m);
    }
}

static fmix_status fill_sevens(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                               void *out) {
    (void)scratch;
    (void)first;
    memset(out, *(const int *)self, (size_t)n * SIDE * SIDE);
    return FMIX_OK;
}

static void an_owner_may_fill_mixed_itself(void **state) {
    (void)state;
    static const int seven = 7;
    made m;
    unsigned char mixed[N][SIDE * SIDE];
    resource_request c = served_request(bench, mix_post, "", &format_npz);
    array x = {.name = "x", .type = DTYPE_U8, .rank = 3, .shape = {N, SIDE, SIDE}};
    batch_geometry g = {.rank = 2, .sides = x.shape + 1, .channels = 1};
    make(&m, "");
    tensor_source *s = tensor_source_new(N);
    m.mixed.fill = fill_sevens;
    m.mixed.fill_self = &seven;
    m.mixed.row_cost = 1e6;
    assert_true(mixed_batch_source(&m.mixed, s, &c.query, &x, DTYPE_U8, &g));
    served_fill(s, "mixed", mixed, sizeof mixed);
    assert_int_equal(mixed[N - 1][SIDE * SIDE - 1], 7);
    assert_true(s->tensors[0].row_cost >= m.source->tensors[0].row_cost + 1e6);
    tensor_source_free(s);
    end_of(&m);
}

static void parts_that_a_mixed_batch_lacks_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool hosted, good;
    } table[] = {{"", false, true},
                 {"parts=method", false, true},
                 {"parts=lengths", false, false},
                 {"parts=rows", false, false},
                 {"parts=rows", true, true}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        resource_request c = served_request(bench, mix_post, table[i].text, &format_npz);
        problem p = {0};
        assert_int_equal(mixed_batch_parts(&c, table[i].hosted, &p), table[i].good);
        served_is(&p, table[i].good ? 0 : 400, "parts");
    }
}

static void without_class_numbers_pairing_by_class_is_refused(void **state) {
    (void)state;
    static const char *const texts[] = {"pairing=other_class", "pairing=same_class",
                                        "pairing=roll"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        resource_request c = served_request(bench, mix_post, texts[i], &format_npz);
        problem p = {0};
        assert_int_equal(mixed_batch_pairing(&c.query, NULL, "send some", &p), i == 2);
        served_is(&p, i == 2 ? 0 : 400, "pairing");
        assert_true(i == 2 || strstr(p.errors[0].detail, "send some"));
    }
}

static void dense_is_a_part_only_where_there_are_targets(void **state) {
    (void)state;
    dense none = {.count = 0}, one = {.count = 1};
    resource_request c = served_request(bench, mix_post, "parts=dense", &format_npz);
    problem p = {0};
    assert_true(mixed_batch_dense(&c.query, &one, "", &p));
    assert_false(mixed_batch_dense(&c.query, &none, "there are none", &p));
    served_is(&p, 400, "parts");
    c = served_request(bench, mix_post, "", &format_npz);
    assert_true(mixed_batch_dense(&c.query, &none, "", &p));
}

static void one_method_of_the_list_that_cannot_mix_the_type_refuses_all(void **state) {
    (void)state;
    static const struct {
        const char *text;
        dtype x;
        bool good;
    } table[] = {{"method=cutmix", DTYPE_I64, true},
                 {"method=mixup", DTYPE_U8, true},
                 {"method=mixup", DTYPE_I64, false},
                 {"method=cutmix,mixup", DTYPE_I64, false}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        resource_request c = served_request(bench, mix_post, table[i].text, &format_npz);
        problem p = {0};
        dtype out;
        assert_int_equal(mixed_batch_out_type(&c.query, table[i].x, &out, &p), table[i].good);
        served_is(&p, table[i].good ? 0 : 400, "method");
        assert_int_equal(out, table[i].x);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(the_pairing_is_a_permutation_and_lambda_says_the_share_of_the_row),
        T(masks_of_a_method_that_interpolates_are_its_weights),
        T(each_row_has_the_numbers_of_its_own_method),
        T(with_scope_batch_every_row_has_one_mask),
        T(parts_pick_tensors),
        T(an_owner_may_fill_mixed_itself),
        T(parts_that_a_mixed_batch_lacks_are_refused),
        T(without_class_numbers_pairing_by_class_is_refused),
        T(dense_is_a_part_only_where_there_are_targets),
        T(one_method_of_the_list_that_cannot_mix_the_type_refuses_all),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
