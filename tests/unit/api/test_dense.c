#include "handler_bench.h"

#include "api/dense.h"
#include "params/choice.h"
#include "params/recipe.h"

enum { N = 4, H = 3, W = 2, C = 2 };

static const array x = {.name = "x", .type = DTYPE_F32, .rank = 4, .shape = {N, C, H, W}};
static const batch_geometry first = {.rank = 2,
                                     .sides = x.shape + 2,
                                     .channels = C,
                                     .has_channels = true,
                                     .layout = FMIX_CHANNELS_FIRST};

typedef struct bench {
    upload all;
    query query;
    dense found;
    problem problem;
} bench;

static void begin(bench *b, const char *text) {
    *b = (bench){.all = {.count = 0}};
    served_query(&b->query, ~0u, text);
}

static void add(bench *b, const char *name, dtype type, unsigned rank, const uint64_t *shape,
                const void *bytes) {
    array *a = &b->all.arrays[b->all.count++];
    *a = (array){.bytes = bytes, .type = type, .rank = rank};
    memcpy(a->shape, shape, rank * sizeof *shape);
    snprintf(a->name, sizeof a->name, "%s", name);
}

static bool find(bench *b, bool partners) {
    return dense_of_upload(&b->query, &b->all, &x, &first, partners, &b->found, &b->problem);
}

static const uint64_t plain[] = {N, H, W}, channelled[] = {N, 3, H, W};

static void names_are_dense_and_dense2_with_any_suffix(void **state) {
    (void)state;
    static const char *const good[] = {"dense", "dense2", "dense.depth", "dense2.depth"};
    static const char *const bad[] = {"x", "dense.", "dense3", "Dense", "densest", "y"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(dense_has_name(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(dense_has_name(bad[i]));
}

static void the_rank_says_whether_a_target_has_channels(void **state) {
    (void)state;
    bench b;
    begin(&b, "");
    add(&b, "dense", DTYPE_U8, 3, plain, "");
    add(&b, "dense.flow", DTYPE_F32, 4, channelled, "");
    assert_true(find(&b, false));
    assert_int_equal(b.found.count, 2);
    assert_int_equal(b.found.targets[0].place, CHANNELS_NOWHERE);
    assert_true(b.found.targets[0].batch.channels == 1);
    assert_int_equal(b.found.targets[1].place, CHANNELS_BEFORE);
    assert_true(b.found.targets[1].batch.channels == 3);
    assert_string_equal(b.found.targets[1].name, "dense.flow");
}

/* A target of bytes of FMix: the bytes of the row where the mask is 1, of the partner elsewhere. */
static void a_target_is_mixed_by_the_mask_of_its_row(void **state) {
    (void)state;
    static const int64_t pairing[N] = {1, 2, 3, 0};
    static unsigned char rows[N][H * W];
    unsigned char mixed[N][H * W], masks[N][H * W];
    fmix_context *context = unit_context();
    fmix_recipe recipe = {.shape = {.rank = 2, .side = {H, W}}};
    fmix_choice choice;
    fmix_scratch *scratch;
    bench b;
    for (unsigned i = 0; i < N; i++)
        memset(rows[i], 10 + (int)i, sizeof rows[i]);
    begin(&b, "method=cutmix&seed=5&alpha=4");
    add(&b, "dense", DTYPE_U8, 3, plain, rows);
    assert_true(find(&b, false));
    assert_true(recipe_from_query(&b.query, &recipe, &b.problem));
    recipe.shape = (fmix_shape){.rank = 2, .side = {H, W}};
    choice_of(&b.query, &choice);
    mixer_rows r = {.rows.count = N, .dtype = FMIX_DTYPE_U8};
    assert_ok(fmix_mixer_new(context, &recipe, &choice, &r.mixer));
    assert_ok(fmix_scratch_new(&scratch));
    assert_ok(mixer_rows_masks(&r, scratch, 0, N, masks));
    tensor_source *s = tensor_source_new(N);
    assert_true(dense_add(&b.found, s, &r, pairing, 0));
    served_fill(s, "dense", mixed, sizeof mixed);
    for (unsigned i = 0; i < N; i++)
        for (unsigned j = 0; j < H * W; j++)
            assert_int_equal(mixed[i][j], 10 + (masks[i][j] ? i : (unsigned)pairing[i]));
    tensor_source_free(s);
    fmix_scratch_free(scratch);
    fmix_mixer_free(r.mixer);
    fmix_context_free(context);
}

static void what_does_not_make_a_target_is_refused_by_the_name_to_blame(void **state) {
    (void)state;
    static const uint64_t few[] = {N - 1, H, W}, turned[] = {N, W, H}, flat[] = {N, H},
                          behind[] = {N, H, W, 3};
    static const struct {
        const char *text, *name;
        dtype type;
        unsigned rank;
        const uint64_t *shape;
        bool partners;
        const char *parameter;
    } table[] = {
        {"", "dense", DTYPE_U8, 3, few, false, "dense"},
        {"", "dense.a", DTYPE_U8, 3, turned, false, "dense.a"},
        {"", "dense", DTYPE_U8, 2, flat, false, "dense"},
        {"", "dense", DTYPE_U8, 4, behind, false, "dense"},
        {"", "dense", DTYPE_U8, 3, plain, true, "dense2"},
        {"", "dense2", DTYPE_U8, 3, plain, false, "dense2"},
        {"", "dense2.a", DTYPE_U8, 3, plain, true, "dense.a"},
        {"method=fmix,mixup", "dense", DTYPE_U8, 3, plain, false, "method"},
        {"method=bc", "dense", DTYPE_BOOL, 3, plain, false, "method"},
        {"soft=0.1", "dense", DTYPE_I64, 3, plain, false, "method"},
        {"method=samplepairing&lambda=1", "dense", DTYPE_I64, 3, plain, false, "method"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        bench b;
        begin(&b, table[i].text);
        add(&b, table[i].name, table[i].type, table[i].rank, table[i].shape, "");
        assert_false(find(&b, table[i].partners));
        served_is(&b.problem, 400, table[i].parameter);
    }
}

static void integers_are_copied_where_lambda_is_0_or_1(void **state) {
    (void)state;
    static const char *const texts[] = {"method=mixup&lambda=0", "method=bc&lambda=1",
                                        "soft=0.2&lambda=1", "method=cutmix", "method=none"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        bench b;
        begin(&b, texts[i]);
        add(&b, "dense", DTYPE_I32, 3, plain, "");
        assert_true(find(&b, false));
    }
}

static void a_ninth_target_is_refused(void **state) {
    (void)state;
    bench b;
    begin(&b, "");
    for (unsigned i = 0; i <= DENSE_TARGETS; i++)
        add(&b, (char[]){'d', 'e', 'n', 's', 'e', '.', (char)('a' + i), 0}, DTYPE_U8, 3, plain, "");
    assert_false(find(&b, false));
    served_is(&b.problem, 400, "dense.i");
}

RUN(T(names_are_dense_and_dense2_with_any_suffix), T(the_rank_says_whether_a_target_has_channels),
    T(a_target_is_mixed_by_the_mask_of_its_row),
    T(what_does_not_make_a_target_is_refused_by_the_name_to_blame),
    T(integers_are_copied_where_lambda_is_0_or_1), T(a_ninth_target_is_refused))
