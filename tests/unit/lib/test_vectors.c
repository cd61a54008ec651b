/* The contract's golden vectors (tests/golden/stream.json) by the library's own calls. */
#include "lambda.h"
#include "vectors.h"
#include "words.h"

static fmix_recipe recipe_of(const json_t *v, const char *method) {
    const json_t *shape = json_object_get(v, "shape");
    fmix_recipe r = {.seed = large(v, "seed"), .alpha = 1};
    r.shape.rank = (unsigned)json_array_size(shape);
    for (unsigned d = 0; d < r.shape.rank; d++)
        r.shape.side[d] = (uint32_t)entry_of(v, "shape", d);
    r.delta = json_number_value(json_object_get(v, "delta"));
    r.lambda_given = true;
    r.lambda = json_number_value(json_object_get(v, "lambda"));
    r.soft = json_number_value(json_object_get(v, "soft"));
    r.frequency = is(v, "frequency", "extent") ? FMIX_FREQUENCY_EXTENT : FMIX_FREQUENCY_PIXEL;
    r.spectrum = is(v, "spectrum", "official") ? FMIX_SPECTRUM_OFFICIAL : FMIX_SPECTRUM_PAPER;
    r.box = is(v, "box", "inside") ? FMIX_BOX_INSIDE : FMIX_BOX_CLIPPED;
    assert_ok(fmix_method_named(method, &r.method));
    return r;
}

typedef struct bench {
    fmix_context *context;
    fmix_plan *plan;
    fmix_scratch *scratch;
} bench;

static bench bench_of(const fmix_recipe *recipe) {
    bench b = {unit_context(), NULL, NULL};
    assert_ok(fmix_plan_new(b.context, recipe, &b.plan));
    assert_ok(fmix_scratch_new(&b.scratch));
    return b;
}

static void bench_free(bench *b) {
    fmix_scratch_free(b->scratch);
    fmix_plan_free(b->plan);
    fmix_context_free(b->context);
}

static void words_equal_the_vectors(void **state) {
    (void)state;
    EACH(v, "words") {
        fmix_key key;
        assert_ok(fmix_key_derive(large(v, "seed"), (fmix_domain)whole(v, "domain"), &key));
        assert_true(key.k[0] == entry_of(v, "key", 0) && key.k[1] == entry_of(v, "key", 1));
        for (uint32_t block = 0; block < 2; block++) {
            uint32_t w[4];
            fmix_words_block(&key, large(v, "index"), block, w);
            for (size_t i = 0; i < 4; i++)
                assert_int_equal(w[i], entry_of(v, "words", 4 * block + i));
        }
    }
}

static void lambdas_equal_the_vectors(void **state) {
    (void)state;
    EACH(v, "drawn") {
        for (int reformulate = 0; reformulate < 2; reformulate++) {
            fmix_recipe recipe = {.seed = large(v, "seed"),
                                  .shape = {1, {1}},
                                  .method = FMIX_METHOD_MIXUP,
                                  .alpha = real(v, "alpha"),
                                  .reformulate = reformulate == 1};
            bench b = bench_of(&recipe);
            fmix_row row;
            assert_ok(fmix_plan_row(b.plan, large(v, "index"), &row));
            assert_true(row.lambda == large(v, reformulate ? "reformulated" : "L"));
            bench_free(&b);
        }
    }
    EACH(g, "given") {
        assert_true(fmix_lambda_round(real(g, "lambda")) == large(g, "L"));
    }
}

/* Whole numbers over `steps`, each rounded once to float64. */
static void check_soft(const json_t *v, const bench *b) {
    static double weights[MOST];
    size_t n = json_array_size(json_object_get(v, "weights"));
    assert_ok(fmix_plan_masks(b->plan, b->scratch, large(v, "index"), 1, FMIX_DTYPE_F64, weights));
    for (size_t i = 0; i < n; i++)
        assert_true(weights[i] == (double)entry_of(v, "weights", i) / real(v, "steps"));
}

static void check_hard(const json_t *v, const bench *b) {
    unsigned char mask[MOST], wanted[MOST];
    size_t bytes = bytes_of(v, "mask", wanted);
    assert_ok(fmix_plan_masks(b->plan, b->scratch, large(v, "index"), 1, FMIX_DTYPE_BITS, mask));
    assert_memory_equal(mask, wanted, bytes);
}

static void masks_equal_the_vectors(void **state) {
    (void)state;
    EACH(v, "fmix") {
        fmix_recipe recipe = recipe_of(v, "fmix");
        bool soft = json_object_get(v, "weights") != NULL;
        bench b = bench_of(&recipe);
        (soft ? check_soft : check_hard)(v, &b);
        bench_free(&b);
    }
    EACH(c, "cutmix") {
        fmix_recipe recipe = recipe_of(c, "cutmix");
        bench b = bench_of(&recipe);
        check_hard(c, &b);
        bench_free(&b);
    }
}

static void greys_equal_the_vectors(void **state) {
    (void)state;
    EACH(v, "grey") {
        unsigned char levels[MOST];
        fmix_recipe recipe = recipe_of(v, "fmix");
        bench b = bench_of(&recipe);
        assert_ok(fmix_plan_greys(b.plan, b.scratch, large(v, "index"), 1, FMIX_DTYPE_U8, levels));
        for (size_t i = 0; i < json_array_size(json_object_get(v, "levels")); i++)
            assert_int_equal(levels[i], entry_of(v, "levels", i));
        bench_free(&b);
    }
}

static void pairings_equal_the_vectors(void **state) {
    (void)state;
    static const char *const kinds[] = {"permutation", "derangement", "flip", "roll", "none"};
    EACH(v, "pairing") {
        int64_t partners[64];
        unsigned kind = 0;
        while (!is(v, "kind", kinds[kind]))
            kind++;
        uint32_t n = (uint32_t)whole(v, "n");
        assert_ok(fmix_pairing((fmix_pairing_kind)kind, large(v, "seed"), large(v, "batch"), n,
                               partners));
        for (uint32_t i = 0; i < n; i++)
            assert_int_equal(partners[i], entry_of(v, "partners", i));
    }
}

static void policies_equal_the_vectors(void **state) {
    (void)state;
    EACH(v, "policy") {
        uint32_t weights[8];
        unsigned count = (unsigned)json_array_size(json_object_get(v, "weights")), choice;
        for (unsigned i = 0; i < count; i++)
            weights[i] = (uint32_t)entry_of(v, "weights", i);
        fmix_policy_kind kind =
            is(v, "policy", "random") ? FMIX_POLICY_RANDOM : FMIX_POLICY_ALTERNATE;
        assert_ok(fmix_policy(kind, large(v, "seed"), large(v, "batch"), count, weights, &choice));
        assert_int_equal(choice, whole(v, "choice"));
    }
}

static void labels_equal_the_vectors(void **state) {
    (void)state;
    EACH(v, "labels") {
        fmix_recipe recipe = {.shape = {1, {1}},
                              .method = FMIX_METHOD_MIXUP,
                              .lambda_given = true,
                              .lambda = real(v, "weight")};
        const int64_t y[] = {(int64_t)whole(v, "y1")}, y2[] = {(int64_t)whole(v, "y2")};
        const fmix_labels l = {.y = y,
                               .y2 = y2,
                               .dtype = FMIX_DTYPE_I64,
                               .numbers = true,
                               .classes = whole(v, "classes"),
                               .smoothing = real(v, "smoothing")};
        float out[8];
        unsigned char wanted[MOST];
        size_t bytes = bytes_of(v, "labels", wanted);
        bench b = bench_of(&recipe);
        assert_ok(fmix_plan_labels(b.plan, &l, 0, 0, 1, out));
        assert_memory_equal(out, wanted, bytes);
        bench_free(&b);
    }
}

static void shuffles_equal_the_vectors(void **state) {
    (void)state;
    EACH(v, "shuffle") {
        uint64_t order[64], n = json_array_size(json_object_get(v, "order"));
        assert_ok(
            fmix_shuffle(large(v, "seed"), large(v, "epoch"), whole(v, "samples"), 0, n, order));
        for (size_t i = 0; i < n; i++)
            assert_true(order[i] == entry_of(v, "order", i));
    }
}

static void light_augmentations_equal_the_vectors(void **state) {
    (void)state;
    EACH(v, "light") {
        fmix_light light;
        unsigned sides = (unsigned)whole(v, "sides");
        assert_ok(fmix_light_draw(large(v, "seed"), large(v, "index"), sides,
                                  (uint32_t)whole(v, "crop"), &light));
        for (unsigned d = 0; d < sides; d++)
            assert_int_equal(light.offset[d], entry_of(v, "offsets", d));
        assert_int_equal(light.flip, json_is_true(json_object_get(v, "flip")));
    }
}

static void normalised_rows_equal_the_vectors(void **state) {
    (void)state;
    EACH(v, "normalising") {
        unsigned char x[MOST], wanted[MOST], out[MOST];
        const double mean = real(v, "mean"), std = real(v, "std");
        uint64_t n = bytes_of(v, "x", x);
        const fmix_normal how = {.dtype = FMIX_DTYPE_U8,
                                 .out_dtype = FMIX_DTYPE_F32,
                                 .count = 1,
                                 .mean = &mean,
                                 .std = &std};
        size_t bytes = bytes_of(v, "prepared", wanted);
        assert_ok(fmix_normalise(&how, n, 1, x, out));
        assert_memory_equal(out, wanted, bytes);
    }
}

/* A mask of one's own choice has no call; what interpolates has. */
static void mixed_rows_equal_the_vectors(void **state) {
    (void)state;
    unsigned tried = 0;
    EACH(v, "mixing") {
        unsigned char x1[MOST], x2[MOST], wanted[MOST], out[MOST];
        const fmix_dtype type = type_of(v, "dtype");
        if (is(v, "method", "fmix"))
            continue;
        uint64_t n = bytes_of(v, "x1", x1) / fmix_dtype_bytes(type);
        bytes_of(v, "x2", x2);
        fmix_recipe recipe = {.shape = {1, {(uint32_t)n}}, .lambda_given = true};
        recipe.lambda = json_number_value(json_object_get(v, "weight"));
        assert_ok(fmix_method_named(text(v, "method"), &recipe.method));
        const fmix_batch batch = {
            .x = x1, .x2 = x2, .dtype = type, .out_dtype = type_of(v, "out_dtype"), .channels = 1};
        bench b = bench_of(&recipe);
        assert_ok(fmix_plan_mix(b.plan, b.scratch, &batch, 0, 0, 1, out));
        assert_memory_equal(out, wanted, bytes_of(v, "mixed", wanted));
        bench_free(&b);
        tried++;
    }
    assert_true(tried > 10);
}

RUN(T(words_equal_the_vectors), T(lambdas_equal_the_vectors), T(masks_equal_the_vectors),
    T(greys_equal_the_vectors), T(pairings_equal_the_vectors), T(policies_equal_the_vectors),
    T(labels_equal_the_vectors), T(mixed_rows_equal_the_vectors), T(shuffles_equal_the_vectors),
    T(light_augmentations_equal_the_vectors), T(normalised_rows_equal_the_vectors))
