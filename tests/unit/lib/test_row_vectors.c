/* The golden vectors of STREAM §10 to §13 by the library's own calls. */
#include "vectors.h"

enum { ROWS = 64, METHODS = 3 };

static const fmix_method methods[METHODS] = {FMIX_METHOD_MIXUP, FMIX_METHOD_BC, FMIX_METHOD_NONE};

typedef struct mixer_bench {
    fmix_context *context;
    fmix_mixer *mixer;
} mixer_bench;

static mixer_bench mixer_of(const fmix_recipe *recipe, const fmix_choice *choice) {
    mixer_bench b = {unit_context(), NULL};
    assert_ok(fmix_mixer_new(b.context, recipe, choice, &b.mixer));
    return b;
}

static void mixer_bench_free(mixer_bench *b) {
    fmix_mixer_free(b->mixer);
    fmix_context_free(b->context);
}

static fmix_recipe recipe_of_one_element(const json_t *v) {
    const json_t *lambda = json_object_get(v, "lambda");
    return (fmix_recipe){.seed = large(v, "seed"),
                         .shape = {1, {1}},
                         .alpha = 1,
                         .lambda_given = json_is_number(lambda),
                         .lambda = json_number_value(lambda)};
}

static void the_same_rows_are_mixed_as_in_the_vectors(void **state) {
    (void)state;
    EACH(v, "prob") {
        const fmix_method mixup = FMIX_METHOD_MIXUP;
        const fmix_choice choice = {
            .count = 1, .methods = &mixup, .prob_given = true, .prob = real(v, "prob")};
        const fmix_recipe recipe = recipe_of_one_element(v);
        const fmix_rows rows = {.count = 8, .index = large(v, "index")};
        mixer_bench b = mixer_of(&recipe, &choice);
        for (uint64_t i = 0; i < rows.count; i++) {
            fmix_method method;
            fmix_row row;
            assert_ok(fmix_mixer_row(b.mixer, &rows, i, &method, &row));
            assert_int_equal(method == FMIX_METHOD_MIXUP, entry_of(v, "mixed", i));
        }
        mixer_bench_free(&b);
    }
}

static unsigned weights_of(const json_t *v, uint32_t *weights) {
    unsigned count = (unsigned)json_array_size(json_object_get(v, "weights"));
    for (unsigned i = 0; i < count; i++)
        weights[i] = (uint32_t)entry_of(v, "weights", i);
    return count;
}

/* Methods at places of a list are told apart by their alpha: by what each alone would draw. */
static void switched_methods_equal_the_vectors(void **state) {
    (void)state;
    static const fmix_method mixups[FMIX_MAX_METHODS] = {
        FMIX_METHOD_MIXUP, FMIX_METHOD_MIXUP, FMIX_METHOD_MIXUP, FMIX_METHOD_MIXUP,
        FMIX_METHOD_MIXUP, FMIX_METHOD_MIXUP, FMIX_METHOD_MIXUP, FMIX_METHOD_MIXUP};
    static const double alphas[FMIX_MAX_METHODS] = {0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.6};
    EACH(v, "switch") {
        uint32_t weights[FMIX_MAX_METHODS];
        fmix_choice choice = {.count = weights_of(v, weights),
                              .methods = mixups,
                              .alphas = alphas,
                              .weights = weights,
                              .by_sample = true};
        const fmix_recipe recipe = recipe_of_one_element(v);
        const fmix_rows rows = {.count = 8, .index = large(v, "index")};
        mixer_bench b = mixer_of(&recipe, &choice);
        for (uint64_t i = 0; i < rows.count; i++) {
            fmix_choice alone = {.count = 1, .methods = mixups};
            fmix_method method;
            fmix_row row, wanted;
            alone.alphas = alphas + entry_of(v, "methods", i);
            mixer_bench one = mixer_of(&recipe, &alone);
            assert_ok(fmix_mixer_row(b.mixer, &rows, i, &method, &row));
            assert_ok(fmix_mixer_row(one.mixer, &rows, i, &method, &wanted));
            assert_true(row.lambda == wanted.lambda);
            mixer_bench_free(&one);
        }
        mixer_bench_free(&b);
    }
}

static fmix_scope scope_of(const json_t *v) {
    return is(v, "scope", "pair")    ? FMIX_SCOPE_PAIR
           : is(v, "scope", "batch") ? FMIX_SCOPE_BATCH
                                     : FMIX_SCOPE_SAMPLE;
}

static uint64_t large_entry_of(const json_t *v, const char *name, size_t i) {
    return strtoull(json_string_value(json_array_get(json_object_get(v, name), i)), NULL, 10);
}

static void check_choice(const json_t *v, const fmix_mixer *mixer) {
    const fmix_rows rows = {
        .batch = large(v, "batch"), .count = whole(v, "n"), .index = large(v, "index")};
    for (uint64_t i = 0; i < rows.count; i++) {
        int64_t place = (int64_t)entry_of(v, "method", i);
        fmix_method method;
        fmix_row row;
        assert_ok(fmix_mixer_row(mixer, &rows, i, &method, &row));
        assert_int_equal(method, place < 0 ? FMIX_METHOD_NONE : methods[place]);
        assert_true(row.lambda == large_entry_of(v, "L", i));
    }
}

static void choices_equal_the_vectors(void **state) {
    (void)state;
    EACH(v, "choice") {
        uint32_t weights[FMIX_MAX_METHODS];
        double alphas[METHODS];
        for (size_t i = 0; i < METHODS; i++)
            alphas[i] = json_number_value(json_array_get(json_object_get(v, "alphas"), i));
        const fmix_choice choice = {.count = weights_of(v, weights),
                                    .methods = methods,
                                    .alphas = alphas,
                                    .policy = is(v, "policy", "random") ? FMIX_POLICY_RANDOM
                                                                        : FMIX_POLICY_ALTERNATE,
                                    .weights = weights,
                                    .by_sample = is(v, "switch", "sample"),
                                    .prob_given = true,
                                    .prob = real(v, "prob"),
                                    .scope = scope_of(v)};
        const fmix_recipe recipe = recipe_of_one_element(v);
        mixer_bench b = mixer_of(&recipe, &choice);
        check_choice(v, b.mixer);
        mixer_bench_free(&b);
    }
}

static void partners_equal_the_vectors(void **state) {
    (void)state;
    EACH(v, "partners") {
        uint64_t t[ROWS];
        int32_t classes[ROWS];
        int64_t partners[ROWS];
        const fmix_rows rows = {.count = json_array_size(json_object_get(v, "t")), .t = t};
        assert_true(rows.count <= ROWS);
        for (size_t i = 0; i < rows.count; i++) {
            t[i] = large_entry_of(v, "t", i);
            classes[i] = (int32_t)entry_of(v, "classes", i);
        }
        assert_ok(fmix_pairing_by_class(
            is(v, "kind", "same_class") ? FMIX_PAIRING_SAME_CLASS : FMIX_PAIRING_OTHER_CLASS,
            large(v, "seed"), &rows, FMIX_DTYPE_I32, classes, 8, partners));
        for (size_t i = 0; i < rows.count; i++)
            assert_int_equal(partners[i], entry_of(v, "partners", i));
    }
}

static void neighbours_equal_the_vectors(void **state) {
    (void)state;
    EACH(v, "neighbour") {
        uint64_t j;
        fmix_light light;
        unsigned sides = (unsigned)whole(v, "sides");
        assert_ok(fmix_neighbour(large(v, "seed"), large(v, "index"), whole(v, "k"), &j));
        assert_int_equal(j, whole(v, "j"));
        assert_ok(fmix_light_draw_neighbour(large(v, "seed"), large(v, "index"), sides,
                                            (uint32_t)whole(v, "crop"), &light));
        for (unsigned d = 0; d < sides; d++)
            assert_int_equal(light.offset[d], entry_of(v, "offsets", d));
        assert_int_equal(light.flip, json_is_true(json_object_get(v, "flip")));
    }
}

static void buckets_equal_the_vectors(void **state) {
    (void)state;
    EACH(v, "bucket") {
        int64_t offsets[ROWS + 1] = {0};
        const json_t *batches = json_object_get(v, "batches");
        fmix_bucket bucket = {.seed = large(v, "seed"),
                              .epoch = large(v, "epoch"),
                              .samples = json_array_size(json_object_get(v, "lengths")),
                              .batch = whole(v, "size"),
                              .windows = whole(v, "bucket"),
                              .shuffles = json_is_true(json_object_get(v, "shuffle")),
                              .offsets = offsets};
        assert_true(bucket.samples <= ROWS);
        for (size_t s = 0; s < bucket.samples; s++)
            offsets[s + 1] = offsets[s] + (int64_t)entry_of(v, "lengths", s);
        for (size_t step = 0; step < json_array_size(batches); step++) {
            const json_t *wanted = json_array_get(batches, step);
            uint64_t rows, sample[ROWS], t[ROWS];
            assert_ok(fmix_bucket_batch(&bucket, step, &rows, sample, t));
            assert_int_equal(rows, json_array_size(json_object_get(wanted, "t")));
            for (size_t i = 0; i < rows; i++) {
                assert_true(sample[i] == entry_of(wanted, "samples", i));
                assert_true(t[i] == large_entry_of(wanted, "t", i));
            }
        }
    }
}

/* A mask of one's own choice has no call; a lambda of 0 or 1 gives the masks of zeros or of ones.
 */
static bool has_its_weight(const json_t *v, fmix_method method) {
    double lambda = json_number_value(json_object_get(v, "lambda"));
    return (method != FMIX_METHOD_FMIX && method != FMIX_METHOD_CUTMIX) || lambda == 0 ||
           lambda == 1;
}

/* A drawn lambda stands in `weight`. */
static void check_dense(const json_t *v, fmix_method method, fmix_dtype type) {
    unsigned char x1[MOST], x2[MOST], wanted[MOST], out[MOST];
    const json_t *lambda =
        json_object_get(v, json_is_number(json_object_get(v, "lambda")) ? "lambda" : "weight");
    const fmix_recipe recipe = {.shape = {1, {5}},
                                .alpha = 1,
                                .delta = 3,
                                .soft = real(v, "soft"),
                                .lambda_given = true,
                                .lambda = json_number_value(lambda)};
    const fmix_choice choice = {.count = 1, .methods = &method};
    const fmix_rows rows = {.count = 1};
    const fmix_batch batch = {
        .x = x1, .x2 = x2, .dtype = type, .out_dtype = type, .channels = 1, .dense = true};
    mixer_bench b = mixer_of(&recipe, &choice);
    fmix_scratch *scratch;
    assert_ok(fmix_scratch_new(&scratch));
    bytes_of(v, "x1", x1);
    bytes_of(v, "x2", x2);
    assert_ok(fmix_mixer_mix(b.mixer, scratch, &rows, &batch, 0, 1, out));
    assert_memory_equal(out, wanted, bytes_of(v, "mixed", wanted));
    fmix_scratch_free(scratch);
    mixer_bench_free(&b);
}

static void dense_targets_equal_the_vectors(void **state) {
    (void)state;
    EACH(v, "dense") {
        fmix_method method;
        const fmix_dtype type = type_of(v, "dtype");
        const json_t *lambda = json_object_get(v, "lambda");
        bool refused = json_is_true(json_object_get(v, "refused"));
        assert_ok(fmix_method_named(text(v, "method"), &method));
        assert_int_equal(fmix_method_refuses_dense(method, real(v, "soft") > 0,
                                                   json_is_number(lambda),
                                                   json_number_value(lambda), type) != NULL,
                         refused);
        if (!refused && has_its_weight(v, method))
            check_dense(v, method, type);
    }
}

/* The labels of values are rows of one weight. */
static void value_labels_equal_the_vectors(void **state) {
    (void)state;
    EACH(v, "value_labels") {
        unsigned char y[MOST], y2[MOST], wanted[MOST];
        float out;
        const fmix_method mixup = FMIX_METHOD_MIXUP;
        const fmix_choice choice = {.count = 1, .methods = &mixup};
        const fmix_recipe recipe = {
            .shape = {1, {1}}, .alpha = 1, .lambda_given = true, .lambda = real(v, "weight")};
        const fmix_rows rows = {.count = 1};
        const fmix_labels labels = {.y = y, .y2 = y2, .dtype = type_of(v, "dtype"), .classes = 1};
        mixer_bench b = mixer_of(&recipe, &choice);
        bytes_of(v, "y1", y);
        bytes_of(v, "y2", y2);
        assert_ok(fmix_mixer_labels(b.mixer, &rows, &labels, 0, 1, &out));
        assert_memory_equal(&out, wanted, bytes_of(v, "labels", wanted));
        mixer_bench_free(&b);
    }
}

RUN(T(the_same_rows_are_mixed_as_in_the_vectors), T(switched_methods_equal_the_vectors),
    T(choices_equal_the_vectors), T(partners_equal_the_vectors), T(neighbours_equal_the_vectors),
    T(buckets_equal_the_vectors), T(dense_targets_equal_the_vectors),
    T(value_labels_equal_the_vectors))
