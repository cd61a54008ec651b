#include "unit.h"

#include "words.h"

enum { ROWS = 24, ELEMENTS = 35, CHANNELS = 2, VALUES = ELEMENTS * CHANNELS, CLASSES = 5 };

/* One batch, and the mixer of one choice. */
typedef struct bench {
    fmix_context *context;
    fmix_scratch *scratch;
    fmix_mixer *mixer;
    fmix_recipe recipe;
    fmix_choice choice;
    fmix_method methods[FMIX_MAX_METHODS];
    double alphas[FMIX_MAX_METHODS];
    uint32_t weights[FMIX_MAX_METHODS];
    fmix_rows rows;
    uint64_t t[ROWS];
    int64_t pairing[ROWS];
    float x[ROWS * VALUES], y[ROWS * CLASSES];
    fmix_batch batch;
    fmix_labels labels;
} bench;

static void fill(bench *b) {
    uint64_t random = 12;
    for (size_t i = 0; i < ROWS * VALUES; i++)
        b->x[i] = (float)(unit_random(&random) >> 40) * 0x1p-20f - 7;
    for (size_t i = 0; i < ROWS * CLASSES; i++)
        b->y[i] = (float)(unit_random(&random) >> 40) * 0x1p-24f;
    for (size_t i = 0; i < ROWS; i++) {
        b->t[i] = unit_random(&random);
        b->pairing[i] = (int64_t)(unit_random(&random) % ROWS);
    }
    b->batch = (fmix_batch){.x = b->x,
                            .dtype = FMIX_DTYPE_F32,
                            .out_dtype = FMIX_DTYPE_F32,
                            .channels = CHANNELS,
                            .pairing = b->pairing};
    b->labels = (fmix_labels){.y = b->y,
                              .dtype = FMIX_DTYPE_F32,
                              .classes = CLASSES,
                              .smoothing = 0.1,
                              .pairing = b->pairing};
}

static void begin(bench *b) {
    memset(b, 0, sizeof *b);
    b->context = unit_context();
    assert_ok(fmix_scratch_new(&b->scratch));
    b->recipe = (fmix_recipe){.seed = 3, .shape = {2, {5, 7}}, .alpha = 1, .delta = 3};
    b->choice = (fmix_choice){.count = 1, .methods = b->methods};
    b->rows = (fmix_rows){.batch = 9, .count = ROWS, .index = 1000};
    fill(b);
}

static void build(bench *b) {
    assert_ok(fmix_mixer_new(b->context, &b->recipe, &b->choice, &b->mixer));
}

static void end(bench *b) {
    fmix_mixer_free(b->mixer);
    fmix_scratch_free(b->scratch);
    fmix_context_free(b->context);
}

/* ---- STREAM §10 in long hand, row by row, with plans of one method ---- */

static uint32_t word(uint64_t seed, fmix_domain domain, uint64_t index, unsigned number) {
    fmix_key key;
    uint32_t w[4];
    assert_ok(fmix_key_derive(seed, domain, &key));
    fmix_words_block(&key, index, 0, w);
    return w[number];
}

static uint64_t own_t(const bench *b, uint64_t i) {
    return b->rows.t ? b->rows.t[i] : b->rows.index + i;
}

static uint64_t shared_t(const bench *b, uint64_t i) {
    uint64_t mirror = b->rows.count - 1 - i;
    return b->choice.scope == FMIX_SCOPE_BATCH  ? own_t(b, 0)
           : b->choice.scope == FMIX_SCOPE_PAIR ? own_t(b, i < mirror ? i : mirror)
                                                : own_t(b, i);
}

/* The recipe of row i alone. */
static fmix_recipe recipe_of(const bench *b, uint64_t i) {
    const fmix_choice *c = &b->choice;
    fmix_recipe r = b->recipe;
    uint64_t t = shared_t(b, i);
    unsigned place;
    if (c->prob_given && word(r.seed, FMIX_DOMAIN_CHOICE, t, 0) >= c->prob * 0x1p32) {
        r.method = FMIX_METHOD_NONE;
        r.lambda_given = true;
        r.lambda = 1;
        r.reformulate = false;
        return r;
    }
    if (c->by_sample) {
        double sum = 0, passed = 0, w = word(r.seed, FMIX_DOMAIN_CHOICE, t, 1) * 0x1p-32;
        for (unsigned k = 0; k < c->count; k++)
            sum += c->weights ? c->weights[k] : 1;
        for (place = 0;; place++) {
            passed += c->weights ? c->weights[place] : 1;
            if (passed > w * sum)
                break;
        }
    } else {
        assert_ok(fmix_policy(c->policy, r.seed, b->rows.batch, c->count, c->weights, &place));
    }
    r.method = c->methods[place];
    r.alpha = c->alphas ? c->alphas[place] : r.alpha;
    return r;
}

/* What each row is alone. */
typedef struct outputs {
    fmix_method method[ROWS];
    fmix_row row[ROWS];
    float mask[ROWS * ELEMENTS], mixed[ROWS * VALUES], label[ROWS * CLASSES];
} outputs;

static void expect(const bench *b, outputs *out) {
    memset(out, 0, sizeof *out);
    for (uint64_t i = 0; i < b->rows.count; i++) {
        fmix_recipe r = recipe_of(b, i);
        fmix_plan *plan = NULL;
        uint64_t t = shared_t(b, i);
        float *mask = out->mask + i * ELEMENTS;
        /* As row 0 of a batch of its own, whose partner is row 0 of x2. */
        fmix_batch batch = b->batch;
        fmix_labels labels = b->labels;
        batch.x = b->x + i * VALUES;
        batch.x2 = b->x + b->pairing[i] * VALUES;
        labels.y = b->y + i * CLASSES;
        labels.y2 = b->y + b->pairing[i] * CLASSES;
        assert_ok(fmix_plan_new(b->context, &r, &plan));
        out->method[i] = r.method;
        assert_ok(fmix_plan_row(plan, t, &out->row[i]));
        assert_ok(fmix_method_masks(r.method)
                      ? fmix_plan_masks(plan, b->scratch, t, 1, FMIX_DTYPE_F32, mask)
                      : fmix_plan_weights(plan, t, 0, 1, FMIX_DTYPE_F32, mask));
        assert_ok(fmix_plan_mix(plan, b->scratch, &batch, t, 0, 1, out->mixed + i * VALUES));
        assert_ok(fmix_plan_labels(plan, &labels, t, 0, 1, out->label + i * CLASSES));
        fmix_plan_free(plan);
    }
}

static void write_part(const bench *b, uint64_t first, uint64_t n, outputs *out) {
    assert_ok(fmix_mixer_masks(b->mixer, b->scratch, &b->rows, first, n, FMIX_DTYPE_F32,
                               out->mask + first * ELEMENTS));
    assert_ok(fmix_mixer_mix(b->mixer, b->scratch, &b->rows, &b->batch, first, n,
                             out->mixed + first * VALUES));
    assert_ok(
        fmix_mixer_labels(b->mixer, &b->rows, &b->labels, first, n, out->label + first * CLASSES));
    for (uint64_t i = first; i < first + n; i++)
        assert_ok(fmix_mixer_row(b->mixer, &b->rows, i, &out->method[i], &out->row[i]));
}

static void draw_choice(bench *b, uint64_t *random) {
    fmix_choice *c = &b->choice;
    *c = (fmix_choice){.count = 1 + (unsigned)(unit_random(random) % FMIX_MAX_METHODS),
                       .methods = b->methods,
                       .alphas = unit_random(random) % 2 ? b->alphas : NULL,
                       .policy =
                           unit_random(random) % 2 ? FMIX_POLICY_RANDOM : FMIX_POLICY_ALTERNATE,
                       .weights = unit_random(random) % 2 ? b->weights : NULL,
                       .by_sample = unit_random(random) % 2,
                       .prob_given = unit_random(random) % 2,
                       .prob = (double)(unit_random(random) % 5) / 4,
                       .scope = (fmix_scope)(unit_random(random) % 3)};
    if (!c->weights && c->policy == FMIX_POLICY_RANDOM)
        c->weights = b->weights;
    for (unsigned k = 0; k < c->count; k++) {
        b->methods[k] = (fmix_method)(unit_random(random) % FMIX_METHODS);
        b->alphas[k] = 0.1 + (double)(unit_random(random) % 40) / 10;
        b->weights[k] = (uint32_t)(unit_random(random) % 3) + (k == 0);
    }
    b->recipe.seed = unit_random(random);
    b->recipe.reformulate = unit_random(random) % 2;
    b->recipe.soft = unit_random(random) % 4 ? 0 : 0.2;
    b->labels.uncorrected = unit_random(random) % 2;
    b->rows = (fmix_rows){.batch = unit_random(random),
                          .count = 1 + unit_random(random) % ROWS,
                          .index = unit_random(random) >> 1,
                          .t = unit_random(random) % 3 ? NULL : b->t};
    for (uint64_t i = 0; i < ROWS; i++)
        b->pairing[i] = (int64_t)(unit_random(random) % b->rows.count);
}

static void any_choice_mixes_each_row_as_a_plan_of_its_method_does(void **state) {
    (void)state;
    static bench b;
    static outputs expected, whole, parts;
    uint64_t random = 31;
    unsigned seen[FMIX_METHODS] = {0};
    begin(&b);
    for (unsigned run = 0; run < 400; run++) {
        draw_choice(&b, &random);
        build(&b);
        memset(&whole, 0, sizeof whole);
        memset(&parts, 0, sizeof parts);
        expect(&b, &expected);
        write_part(&b, 0, b.rows.count, &whole);
        for (uint64_t first = 0, n; first < b.rows.count; first += n) {
            n = unit_random(&random) % (b.rows.count - first + 1);
            write_part(&b, first, n, &parts);
        }
        assert_memory_equal(&whole, &expected, sizeof whole);
        assert_memory_equal(&parts, &expected, sizeof parts);
        for (uint64_t i = 0; i < b.rows.count; i++)
            seen[whole.method[i]]++;
        fmix_mixer_free(b.mixer);
        b.mixer = NULL;
    }
    for (unsigned m = 0; m < FMIX_METHODS; m++)
        assert_true(seen[m] > 100);
    end(&b);
}

static void one_method_alone_gives_the_bytes_of_its_plan(void **state) {
    (void)state;
    static bench b;
    static outputs whole;
    static float mixed[ROWS * VALUES], label[ROWS * CLASSES];
    begin(&b);
    for (fmix_method m = 0; m < FMIX_METHODS; m++)
        for (int batch = 0; batch < 2; batch++) {
            fmix_plan *plan = NULL;
            b.methods[0] = b.recipe.method = m;
            b.choice.scope = batch ? FMIX_SCOPE_BATCH : FMIX_SCOPE_SAMPLE;
            b.recipe.scope_batch = batch;
            build(&b);
            assert_ok(fmix_plan_new(b.context, &b.recipe, &plan));
            assert_ok(fmix_plan_mix(plan, b.scratch, &b.batch, 1000, 0, ROWS, mixed));
            assert_ok(fmix_plan_labels(plan, &b.labels, 1000, 0, ROWS, label));
            write_part(&b, 0, ROWS, &whole);
            assert_memory_equal(whole.mixed, mixed, sizeof mixed);
            assert_memory_equal(whole.label, label, sizeof label);
            fmix_plan_free(plan);
            fmix_mixer_free(b.mixer);
            b.mixer = NULL;
        }
    end(&b);
}

static void masks_in_every_type_are_those_of_plans(void **state) {
    (void)state;
    static const fmix_dtype types[] = {FMIX_DTYPE_BITS, FMIX_DTYPE_U8, FMIX_DTYPE_F16,
                                       FMIX_DTYPE_F64};
    static bench b;
    static unsigned char masks[ROWS * ELEMENTS * 8], alone[ELEMENTS * 8];
    begin(&b);
    b.choice.count = 3;
    memcpy(b.methods,
           (const fmix_method[]){FMIX_METHOD_FMIX, FMIX_METHOD_CUTMIX, FMIX_METHOD_MIXUP},
           3 * sizeof *b.methods);
    b.choice.by_sample = b.choice.prob_given = true;
    b.choice.prob = 0.7;
    build(&b);
    for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
        size_t bytes = (size_t)fmix_mask_bytes(ELEMENTS, types[k]);
        assert_ok(fmix_mixer_masks(b.mixer, b.scratch, &b.rows, 0, ROWS, types[k], masks));
        for (uint64_t i = 0; i < ROWS; i++) {
            fmix_recipe r = recipe_of(&b, i);
            fmix_plan *plan = NULL;
            assert_ok(fmix_plan_new(b.context, &r, &plan));
            assert_ok(fmix_method_masks(r.method)
                          ? fmix_plan_masks(plan, b.scratch, 1000 + i, 1, types[k], alone)
                          : fmix_plan_weights(plan, 1000 + i, 0, 1, types[k], alone));
            assert_memory_equal(masks + i * bytes, alone, bytes);
            fmix_plan_free(plan);
        }
    }
    end(&b);
}

static void an_unmixed_row_is_itself_with_its_label(void **state) {
    (void)state;
    static bench b;
    static outputs out;
    begin(&b);
    b.methods[0] = FMIX_METHOD_SAMPLEPAIRING;
    b.choice.prob_given = true;
    b.labels.smoothing = 0;
    build(&b);
    write_part(&b, 0, ROWS, &out);
    assert_memory_equal(out.mixed, b.x, sizeof b.x);
    assert_memory_equal(out.label, b.y, sizeof b.y);
    for (uint64_t i = 0; i < ROWS; i++) {
        assert_int_equal(out.method[i], FMIX_METHOD_NONE);
        assert_true(out.row[i].lambda == FMIX_LAMBDA_ONE && out.row[i].lambda_effective == 1);
        assert_true(out.row[i].weight == 1 && out.mask[i * ELEMENTS] == 1);
    }
    end(&b);
}

static void rows_of_a_pair_share_lambda_mask_and_method(void **state) {
    (void)state;
    static bench b;
    static outputs out;
    unsigned different = 0;
    begin(&b);
    b.choice.count = 3;
    memcpy(b.methods,
           (const fmix_method[]){FMIX_METHOD_FMIX, FMIX_METHOD_CUTMIX, FMIX_METHOD_MIXUP},
           3 * sizeof *b.methods);
    b.choice.by_sample = b.choice.prob_given = true;
    b.choice.prob = 0.6;
    b.choice.scope = FMIX_SCOPE_PAIR;
    build(&b);
    for (b.rows.count = ROWS - 1; b.rows.count <= ROWS; b.rows.count++) {
        write_part(&b, 0, b.rows.count, &out);
        for (uint64_t i = 0; i < b.rows.count; i++) {
            uint64_t other = b.rows.count - 1 - i;
            assert_int_equal(out.method[i], out.method[other]);
            assert_memory_equal(&out.row[i], &out.row[other], sizeof *out.row);
            assert_memory_equal(out.mask + i * ELEMENTS, out.mask + other * ELEMENTS,
                                ELEMENTS * sizeof *out.mask);
            different += out.row[i].lambda != out.row[0].lambda;
        }
    }
    assert_true(different > ROWS);
    end(&b);
}

static uint64_t masks_drawn(const bench *b) {
    fmix_counters c;
    fmix_context_counters(b->context, &c);
    return c.masks;
}

static void a_batch_that_shares_one_mask_draws_it_once(void **state) {
    (void)state;
    static bench b;
    static outputs out;
    begin(&b);
    b.choice.scope = FMIX_SCOPE_BATCH;
    build(&b);
    assert_ok(fmix_mixer_mix(b.mixer, b.scratch, &b.rows, &b.batch, 0, ROWS, out.mixed));
    assert_true(masks_drawn(&b) == 1);
    assert_ok(fmix_mixer_masks(b.mixer, b.scratch, &b.rows, 0, ROWS, FMIX_DTYPE_F32, out.mask));
    assert_true(masks_drawn(&b) == 2);
    end(&b);
}

/* Rows 7 … 15 lie in a buffer of their own, in the order of the batch, and their partners too. */
static void a_buffer_with_a_part_of_the_batch_gives_the_bytes_of_the_whole(void **state) {
    (void)state;
    enum { BASE = 7, PART = 9 };
    static bench b;
    static outputs whole;
    static float partners[PART * VALUES], both[2 * PART * VALUES], mixed[PART * VALUES];
    int64_t pairing[PART];
    const void *rows[2 * PART];
    begin(&b);
    b.methods[0] = FMIX_METHOD_CUTMIX;
    build(&b);
    write_part(&b, 0, ROWS, &whole);
    for (uint64_t i = 0; i < PART; i++) {
        const float *partner = b.x + b.pairing[BASE + i] * VALUES;
        memcpy(partners + i * VALUES, partner, VALUES * sizeof *partner);
        memcpy(both + (PART + i) * VALUES, partner, VALUES * sizeof *partner);
        memcpy(both + i * VALUES, b.x + (BASE + i) * VALUES, VALUES * sizeof *partner);
        pairing[i] = (int64_t)(PART + i);
    }
    for (uint64_t i = 0; i < 2 * PART; i++)
        rows[i] = both + i * VALUES;
    fmix_batch with_x2 = b.batch, with_pairing = b.batch, by_rows = b.batch;
    with_x2.x = both;
    with_x2.x2 = partners;
    with_pairing.x = both;
    with_pairing.pairing = by_rows.pairing = pairing;
    by_rows.x = NULL;
    by_rows.rows = rows;
    with_x2.base = with_pairing.base = by_rows.base = BASE;
    const fmix_batch *const batches[] = {&with_x2, &with_pairing, &by_rows};
    for (int k = 0; k < 3; k++)
        for (uint64_t cut = 0; cut <= PART; cut++) {
            memset(mixed, 0, sizeof mixed);
            assert_ok(fmix_mixer_mix(b.mixer, b.scratch, &b.rows, batches[k], BASE, cut, mixed));
            assert_ok(fmix_mixer_mix(b.mixer, b.scratch, &b.rows, batches[k], BASE + cut,
                                     PART - cut, mixed + cut * VALUES));
            assert_memory_equal(mixed, whole.mixed + BASE * VALUES, sizeof mixed);
        }
    assert_int_equal(fmix_mixer_mix(b.mixer, b.scratch, &b.rows, &with_x2, BASE - 1, 2, mixed),
                     FMIX_ERROR_RANGE);
    end(&b);
}

enum { THREADS = 4 };

/* Writes with a scratch of its own, again and again. NULL: the bytes are not always the same. */
static void *write_beside_others(void *of) {
    const bench *shared = of;
    bench b = *shared;
    outputs *out = calloc(1, sizeof *out), *first = calloc(1, sizeof *first);
    bool same = out && first && fmix_scratch_new(&b.scratch) == FMIX_OK;
    for (unsigned run = 0; run < 50 && same; run++) {
        write_part(&b, 0, ROWS, run ? out : first);
        same = run == 0 || memcmp(out, first, sizeof *out) == 0;
    }
    fmix_scratch_free(b.scratch);
    free(out);
    if (!same) {
        free(first);
        first = NULL;
    }
    return first;
}

static void threads_share_a_mixer(void **state) {
    (void)state;
    static bench b;
    static outputs whole;
    pthread_t threads[THREADS];
    begin(&b);
    b.choice.count = FMIX_METHODS;
    for (fmix_method m = 0; m < FMIX_METHODS; m++)
        b.methods[m] = m;
    b.choice.by_sample = b.choice.prob_given = true;
    b.choice.prob = 0.8;
    build(&b);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_beside_others, &b), 0);
    write_part(&b, 0, ROWS, &whole);
    for (int i = 0; i < THREADS; i++) {
        void *written;
        pthread_join(threads[i], &written);
        assert_non_null(written);
        assert_memory_equal(written, &whole, sizeof whole);
        free(written);
    }
    end(&b);
}

/* ---- dense targets ---- */

/* Every type that is not floating, as random bytes that no arithmetic would keep. */
static const fmix_dtype label_types[] = {FMIX_DTYPE_U8,  FMIX_DTYPE_I8,  FMIX_DTYPE_I16,
                                         FMIX_DTYPE_I32, FMIX_DTYPE_I64, FMIX_DTYPE_BOOL};

static fmix_status mix_labels(bench *b, fmix_dtype dtype, unsigned char *x, unsigned char *out) {
    uint64_t random = 77;
    for (size_t i = 0; i < ROWS * VALUES * 8; i++)
        x[i] = (unsigned char)unit_random(&random);
    b->batch.x = x;
    b->batch.dtype = b->batch.out_dtype = dtype;
    b->batch.dense = true;
    return fmix_mixer_mix(b->mixer, b->scratch, &b->rows, &b->batch, 0, ROWS, out);
}

static void dense_labels_are_copied_where_lambda_is_0_or_1(void **state) {
    (void)state;
    static const fmix_method methods[] = {FMIX_METHOD_MIXUP, FMIX_METHOD_BC, FMIX_METHOD_FMIX};
    static bench b;
    static unsigned char x[ROWS * VALUES * 8], out[ROWS * VALUES * 8];
    begin(&b);
    b.recipe.soft = 0.3;
    b.recipe.lambda_given = true;
    for (int lambda = 0; lambda < 2; lambda++)
        for (size_t m = 0; m < 3; m++)
            for (size_t k = 0; k < sizeof label_types / sizeof *label_types; k++) {
                size_t bytes = VALUES * (size_t)fmix_dtype_bytes(label_types[k]);
                b.recipe.lambda = lambda;
                b.methods[0] = methods[m];
                build(&b);
                assert_ok(mix_labels(&b, label_types[k], x, out));
                for (uint64_t i = 0; i < ROWS; i++) {
                    uint64_t from = lambda ? i : (uint64_t)b.pairing[i];
                    assert_memory_equal(out + i * bytes, x + from * bytes, bytes);
                }
                fmix_mixer_free(b.mixer);
                b.mixer = NULL;
            }
    end(&b);
}

static void dense_labels_follow_hard_masks_and_unmixed_rows_keep_theirs(void **state) {
    (void)state;
    static bench b;
    static unsigned char x[ROWS * VALUES * 8], out[ROWS * VALUES * 8], masks[ROWS * ELEMENTS];
    begin(&b);
    b.choice.count = 3;
    memcpy(b.methods, (const fmix_method[]){FMIX_METHOD_FMIX, FMIX_METHOD_CUTMIX, FMIX_METHOD_NONE},
           3 * sizeof *b.methods);
    b.choice.by_sample = b.choice.prob_given = true;
    b.choice.prob = 0.7;
    build(&b);
    assert_ok(fmix_mixer_masks(b.mixer, b.scratch, &b.rows, 0, ROWS, FMIX_DTYPE_U8, masks));
    for (size_t k = 0; k < sizeof label_types / sizeof *label_types; k++) {
        size_t size = (size_t)fmix_dtype_bytes(label_types[k]), bytes = VALUES * size;
        assert_ok(mix_labels(&b, label_types[k], x, out));
        for (uint64_t i = 0; i < ROWS; i++)
            for (uint64_t v = 0; v < VALUES; v++) { /* channels first */
                uint64_t from = masks[i * ELEMENTS + v % ELEMENTS] ? i : (uint64_t)b.pairing[i];
                assert_memory_equal(out + i * bytes + v * size, x + from * bytes + v * size, size);
            }
    }
    end(&b);
}

static void dense_floats_are_mixed_as_samples_are(void **state) {
    (void)state;
    static bench b;
    static outputs whole;
    static float mixed[ROWS * VALUES];
    begin(&b);
    b.choice.count = FMIX_METHODS;
    for (fmix_method m = 0; m < FMIX_METHODS; m++)
        b.methods[m] = m;
    b.choice.by_sample = true;
    b.recipe.soft = 0.2;
    build(&b);
    write_part(&b, 0, ROWS, &whole);
    b.batch.dense = true;
    assert_ok(fmix_mixer_mix(b.mixer, b.scratch, &b.rows, &b.batch, 0, ROWS, mixed));
    assert_memory_equal(mixed, whole.mixed, sizeof mixed);
    end(&b);
}

static void dense_labels_that_a_method_would_interpolate_are_refused(void **state) {
    (void)state;
    static bench b;
    static unsigned char x[ROWS * VALUES * 8], out[ROWS * VALUES * 8];
    begin(&b);
    b.choice.count = 2;
    b.methods[0] = FMIX_METHOD_CUTMIX;
    b.methods[1] = FMIX_METHOD_MIXUP;
    build(&b);
    b.rows.batch = 4; /* alternate: cutmix */
    assert_ok(mix_labels(&b, FMIX_DTYPE_U8, x, out));
    b.rows.batch = 5;
    assert_int_equal(mix_labels(&b, FMIX_DTYPE_U8, x, out), FMIX_ERROR_RANGE);
    assert_int_equal(mix_labels(&b, FMIX_DTYPE_BITS, x, out), FMIX_ERROR_RANGE);
    b.rows.batch = 4;
    b.batch.dtype = FMIX_DTYPE_U8;
    b.batch.out_dtype = FMIX_DTYPE_F32; /* dense targets keep their type */
    assert_int_equal(fmix_mixer_mix(b.mixer, b.scratch, &b.rows, &b.batch, 0, ROWS, out),
                     FMIX_ERROR_RANGE);
    end(&b);
}

/* ---- refusals, and what a mixer says of itself ---- */

static void rows_outside_the_batch_are_refused(void **state) {
    (void)state;
    static bench b;
    static outputs out;
    begin(&b);
    build(&b);
    const fmix_rows late = {.count = ROWS, .index = UINT64_MAX - 3};
    const struct {
        const fmix_rows *rows;
        uint64_t first, n;
    } table[] = {
        {&b.rows, 0, ROWS + 1}, {&b.rows, ROWS, 1}, {&b.rows, UINT64_MAX, 2}, {&late, 4, 1}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const fmix_rows *rows = table[i].rows;
        uint64_t first = table[i].first, n = table[i].n;
        assert_int_equal(
            fmix_mixer_masks(b.mixer, b.scratch, rows, first, n, FMIX_DTYPE_F32, out.mask),
            FMIX_ERROR_RANGE);
        assert_int_equal(fmix_mixer_mix(b.mixer, b.scratch, rows, &b.batch, first, n, out.mixed),
                         FMIX_ERROR_RANGE);
        assert_int_equal(fmix_mixer_labels(b.mixer, rows, &b.labels, first, n, out.label),
                         FMIX_ERROR_RANGE);
        if (n == 1)
            assert_int_equal(fmix_mixer_row(b.mixer, rows, first, out.method, out.row),
                             FMIX_ERROR_RANGE);
    }
    assert_ok(fmix_mixer_row(b.mixer, &late, 3, out.method, out.row));
    end(&b);
}

static void types_that_a_method_of_the_batch_cannot_have_are_refused(void **state) {
    (void)state;
    static bench b;
    static outputs out;
    begin(&b);
    b.choice.count = 2;
    b.methods[0] = FMIX_METHOD_MIXUP;
    b.methods[1] = FMIX_METHOD_FMIX;
    b.recipe.soft = 0.2;
    build(&b);
    b.rows.batch = 0;
    assert_ok(fmix_mixer_masks(b.mixer, b.scratch, &b.rows, 0, 2, FMIX_DTYPE_U8, out.mask));
    assert_int_equal(fmix_mixer_masks(b.mixer, b.scratch, &b.rows, 0, 2, FMIX_DTYPE_I8, out.mask),
                     FMIX_ERROR_RANGE);
    b.rows.batch = 1;
    assert_int_equal(fmix_mixer_masks(b.mixer, b.scratch, &b.rows, 0, 2, FMIX_DTYPE_U8, out.mask),
                     FMIX_ERROR_RANGE);
    b.batch.dtype = b.batch.out_dtype = FMIX_DTYPE_I32;
    assert_int_equal(fmix_mixer_mix(b.mixer, b.scratch, &b.rows, &b.batch, 0, 2, out.mixed),
                     FMIX_ERROR_RANGE);
    b.labels.classes = 0;
    assert_int_equal(fmix_mixer_labels(b.mixer, &b.rows, &b.labels, 0, 2, out.label),
                     FMIX_ERROR_RANGE);
    end(&b);
}

static void a_refusal_does_not_depend_on_what_rows_draw(void **state) {
    (void)state;
    static bench b;
    static outputs out;
    begin(&b);
    b.choice.count = 2;
    b.methods[0] = FMIX_METHOD_CUTMIX;
    b.methods[1] = FMIX_METHOD_MIXUP;
    b.choice.by_sample = true;
    build(&b);
    b.batch.dtype = b.batch.out_dtype = FMIX_DTYPE_I32;
    for (uint64_t i = 0; i < ROWS; i++)
        assert_int_equal(fmix_mixer_mix(b.mixer, b.scratch, &b.rows, &b.batch, i, 1, out.mixed),
                         FMIX_ERROR_RANGE);
    end(&b);
}

static void choices_and_recipes_out_of_range_make_no_mixer(void **state) {
    (void)state;
    static bench b;
    begin(&b);
    fmix_recipe flat = b.recipe;
    flat.shape.rank = 0;
    fmix_choice many = b.choice, unknown = b.choice, weak = b.choice;
    const fmix_method past[] = {FMIX_METHODS};
    const double low[] = {0.001};
    many.count = FMIX_MAX_METHODS + 1;
    unknown.methods = past;
    weak.alphas = low;
    assert_int_equal(fmix_mixer_new(b.context, &flat, &b.choice, &b.mixer), FMIX_ERROR_RANGE);
    assert_int_equal(fmix_mixer_new(b.context, &b.recipe, &many, &b.mixer), FMIX_ERROR_RANGE);
    assert_int_equal(fmix_mixer_new(b.context, &b.recipe, &unknown, &b.mixer), FMIX_ERROR_RANGE);
    assert_int_equal(fmix_mixer_new(b.context, &b.recipe, &weak, &b.mixer), FMIX_ERROR_RANGE);
    b.recipe.method = FMIX_METHODS; /* ignored */
    build(&b);
    end(&b);
}

static void a_mixer_costs_what_its_dearest_plan_costs(void **state) {
    (void)state;
    static bench b;
    static outputs out;
    fmix_plan *plan = NULL;
    begin(&b);
    b.choice.prob_given = true;
    b.methods[0] = FMIX_METHOD_MIXUP;
    build(&b);
    assert_false(fmix_mixer_has_masks(b.mixer));
    assert_true(fmix_mixer_is_warm(b.mixer) && fmix_mixer_memory(b.mixer) == 0);
    fmix_mixer_free(b.mixer);
    b.choice.count = 2;
    b.methods[1] = FMIX_METHOD_FMIX;
    b.choice.prob = 1;
    build(&b);
    b.recipe.method = FMIX_METHOD_FMIX;
    assert_ok(fmix_plan_new(b.context, &b.recipe, &plan));
    assert_true(fmix_mixer_has_masks(b.mixer));
    assert_true(fmix_mixer_cost(b.mixer) == fmix_plan_mask_cost(plan));
    assert_true(fmix_mixer_memory(b.mixer) == fmix_plan_memory(plan));
    assert_false(fmix_mixer_is_warm(b.mixer));
    write_part(&b, 0, ROWS, &out);
    assert_true(fmix_mixer_is_warm(b.mixer));
    fmix_plan_free(plan);
    end(&b);
}

RUN(T(any_choice_mixes_each_row_as_a_plan_of_its_method_does),
    T(one_method_alone_gives_the_bytes_of_its_plan), T(masks_in_every_type_are_those_of_plans),
    T(an_unmixed_row_is_itself_with_its_label), T(rows_of_a_pair_share_lambda_mask_and_method),
    T(a_batch_that_shares_one_mask_draws_it_once),
    T(a_buffer_with_a_part_of_the_batch_gives_the_bytes_of_the_whole), T(threads_share_a_mixer),
    T(dense_labels_are_copied_where_lambda_is_0_or_1),
    T(dense_labels_follow_hard_masks_and_unmixed_rows_keep_theirs),
    T(dense_floats_are_mixed_as_samples_are),
    T(dense_labels_that_a_method_would_interpolate_are_refused),
    T(rows_outside_the_batch_are_refused),
    T(types_that_a_method_of_the_batch_cannot_have_are_refused),
    T(a_refusal_does_not_depend_on_what_rows_draw),
    T(choices_and_recipes_out_of_range_make_no_mixer), T(a_mixer_costs_what_its_dearest_plan_costs))
