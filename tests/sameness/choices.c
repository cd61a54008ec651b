/*
 * choices.c - the golden set of rows: their methods, partners, dense targets, and batches of
 * sequences
 */
#include "golden.h"

#include <string.h>

enum { ROWS_MOST = 6, CHANNELS_MOST = 2, CLASSES = 4, SAMPLES_MOST = 60, BATCH_MOST = 9 };

/* ---- recipes ---- */

typedef struct sample {
    fmix_recipe recipe;
    fmix_choice choice;
    fmix_method methods[FMIX_MAX_METHODS];
    double alphas[FMIX_MAX_METHODS];
    uint32_t weights[FMIX_MAX_METHODS];
    fmix_rows rows;
    uint64_t t[ROWS_MOST];
    fmix_pairing_kind pairing;
    fmix_batch mix, dense; /* without their data */
    fmix_labels labels;    /* without their data */
} sample;

static fmix_dtype one_of(const fmix_dtype *types, uint64_t count, uint64_t *random) {
    return types[below(random, count)];
}

/* Here and below one draw a statement: the order of two in an expression is the compiler's. */

/* Alphas and weights, some of which may be 0 but the first. */
static void choose_methods(sample *s, uint64_t *random) {
    static const double alphas[] = {0.01, 0.2, 1, 4, 1000};
    static const uint32_t weights[] = {0, 1, 3, 1 << 20};
    static const double probs[] = {0, 1, 0.5, 0x1p-33, 1 - 0x1p-40, 0.9, 0.3};
    fmix_method known = 0;
    while (fmix_method_name(known))
        known++;
    fmix_choice *c = &s->choice;
    c->count = 1 + (unsigned)below(random, FMIX_MAX_METHODS);
    for (unsigned i = 0; i < c->count; i++) {
        s->methods[i] = (fmix_method)below(random, known);
        s->alphas[i] = alphas[below(random, 5)];
        s->weights[i] = weights[below(random, 4)] + (i == 0);
    }
    c->methods = s->methods;
    c->alphas = below(random, 2) ? s->alphas : NULL;
    c->weights = below(random, 2) ? s->weights : NULL;
    c->policy = below(random, 2) ? FMIX_POLICY_RANDOM : FMIX_POLICY_ALTERNATE;
    c->by_sample = below(random, 3) > 0;
    c->prob_given = below(random, 3) > 0;
    c->prob = probs[below(random, 7)];
    c->scope = (fmix_scope)below(random, 3);
}

static void choose_rows(sample *s, uint64_t *random) {
    uint64_t t = next(random);
    s->rows.batch = next(random);
    s->rows.count = 1 + below(random, ROWS_MOST);
    s->rows.index = t >> below(random, 64);
    if (s->rows.index > UINT64_MAX - ROWS_MOST)
        s->rows.index = 0;
    for (unsigned i = 0; i < ROWS_MOST; i++)
        s->t[i] = next(random);
    s->rows.t = below(random, 3) ? NULL : s->t;
    s->pairing = s->choice.scope == FMIX_SCOPE_PAIR ? FMIX_PAIRING_FLIP
                                                    : (fmix_pairing_kind)below(random, 7);
}

/* Where a method refuses the types, floats take their place. */
static void choose_types(sample *s, uint64_t *random) {
    static const fmix_dtype types[] = {FMIX_DTYPE_F32,  FMIX_DTYPE_U8,  FMIX_DTYPE_F16,
                                       FMIX_DTYPE_BF16, FMIX_DTYPE_F64, FMIX_DTYPE_I64};
    static const fmix_dtype targets[] = {FMIX_DTYPE_U8, FMIX_DTYPE_BOOL, FMIX_DTYPE_I64,
                                         FMIX_DTYPE_F16, FMIX_DTYPE_F32};
    const fmix_recipe *r = &s->recipe;
    bool refused = false, dense = false, soft = r->soft > 0;
    s->mix.layout = below(random, 2) ? FMIX_CHANNELS_FIRST : FMIX_CHANNELS_LAST;
    s->mix.channels = 1 + below(random, CHANNELS_MOST);
    s->mix.dtype = one_of(types, 6, random);
    s->mix.out_dtype = below(random, 3) ? s->mix.dtype : FMIX_DTYPE_F32;
    s->dense = s->mix;
    s->dense.dense = true;
    s->dense.channels = 1 + below(random, CHANNELS_MOST);
    s->dense.dtype = one_of(targets, 5, random);
    for (unsigned i = 0; i < s->choice.count; i++) {
        fmix_method m = s->methods[i];
        refused |= fmix_method_refuses(m, soft, s->mix.dtype, s->mix.out_dtype) != NULL;
        dense |=
            fmix_method_refuses_dense(m, soft, r->lambda_given, r->lambda, s->dense.dtype) != NULL;
    }
    if (refused)
        s->mix.dtype = s->mix.out_dtype = FMIX_DTYPE_F32;
    if (dense)
        s->dense.dtype = FMIX_DTYPE_F64;
    s->dense.out_dtype = s->dense.dtype;
}

/* Class numbers, rows of weights, or values, which are weights of one class. */
static void choose_labels(sample *s, uint64_t *random) {
    static const fmix_dtype types[] = {FMIX_DTYPE_F16, FMIX_DTYPE_F32, FMIX_DTYPE_F64};
    s->labels.numbers = below(random, 2);
    s->labels.classes = s->labels.numbers || below(random, 2) ? CLASSES : 1;
    s->labels.dtype = s->labels.numbers ? FMIX_DTYPE_U8 : one_of(types, 3, random);
    s->labels.uncorrected = below(random, 3) == 0;
    s->labels.smoothing = s->labels.classes == 1 || below(random, 2) ? 0 : 0.1;
}

static void choose(sample *s, uint64_t number) {
    uint64_t random = (number + 1) * UINT64_C(0xd1b54a32d192ed03);
    *s = (sample){.labels = {.y = NULL}};
    choose_law(&s->recipe, &random);
    if (below(&random, 8) == 0) {
        s->recipe.lambda_given = true;
        s->recipe.lambda = (double)below(&random, 2);
        s->recipe.reformulate = false;
    }
    choose_methods(s, &random);
    choose_rows(s, &random);
    choose_types(s, &random);
    choose_labels(s, &random);
}

/* ---- answers ---- */

/* A mixer and whom its rows are mixed with. */
typedef struct task {
    bench *bench;
    const sample *sample;
    const fmix_mixer *mixer;
    hash *hash;
    uint64_t number;
    uint64_t each; /* rows that a call takes */
    int64_t pairing[ROWS_MOST];
} task;

static void add_rows(const task *w) {
    for (uint64_t i = 0; i < w->sample->rows.count; i++) {
        fmix_method method;
        fmix_row row;
        must(fmix_mixer_row(w->mixer, &w->sample->rows, i, &method, &row) == FMIX_OK, "row",
             w->number);
        add_number(w->hash, method);
        add_row(w->hash, &row);
    }
}

static void add_masks(const task *w) {
    static const fmix_dtype types[] = {FMIX_DTYPE_F32, FMIX_DTYPE_F16, FMIX_DTYPE_F64,
                                       FMIX_DTYPE_BITS, FMIX_DTYPE_U8};
    const fmix_rows *rows = &w->sample->rows;
    fmix_dtype dtype = types[w->number % (w->sample->recipe.soft > 0 ? 3 : 5)];
    uint64_t elements = fmix_shape_elements(&w->sample->recipe.shape);
    uint64_t bytes = fmix_mask_bytes(elements, dtype);
    unsigned char *out = w->bench->out;
    for (uint64_t i = 0; i < rows->count; i += w->each)
        must(fmix_mixer_masks(w->mixer, w->bench->scratch, rows, i, w->each, dtype,
                              out + i * bytes) == FMIX_OK,
             "masks", w->number);
    if (dtype == FMIX_DTYPE_BITS)
        crypto_generichash_update(w->hash, out, rows->count * bytes);
    else
        add_elements(w->hash, dtype, out, rows->count * elements);
}

static void add_pairing(task *w, const unsigned char *classes) {
    const sample *s = w->sample;
    const fmix_rows *rows = &s->rows;
    fmix_status status = s->pairing >= FMIX_PAIRING_OTHER_CLASS
                             ? fmix_pairing_by_class(s->pairing, s->recipe.seed, rows,
                                                     FMIX_DTYPE_U8, classes, CLASSES, w->pairing)
                             : fmix_pairing(s->pairing, s->recipe.seed, rows->batch,
                                            (uint32_t)rows->count, w->pairing);
    must(status == FMIX_OK, "pairing", w->number);
    for (uint64_t i = 0; i < rows->count; i++)
        add_number(w->hash, (uint64_t)w->pairing[i]);
}

static void add_labels(const task *w, const unsigned char *classes) {
    const fmix_rows *rows = &w->sample->rows;
    fmix_labels l = w->sample->labels;
    float labels[ROWS_MOST * CLASSES];
    if (!l.numbers)
        make_values(w->bench->x, l.dtype, rows->count * l.classes, w->number);
    l.y = l.numbers ? (const void *)classes : w->bench->x;
    l.pairing = w->pairing;
    for (uint64_t i = 0; i < rows->count; i += w->each)
        must(fmix_mixer_labels(w->mixer, rows, &l, i, w->each, labels + i * l.classes) == FMIX_OK,
             "labels", w->number);
    add_elements(w->hash, FMIX_DTYPE_F32, labels, rows->count * l.classes);
}

/* Of rows that are asked for one by one, every second set is mixed out of buffers that hold nothing
 * but the row and its partner. */
static void add_mix(const task *w, fmix_batch batch) {
    const fmix_rows *rows = &w->sample->rows;
    bench *b = w->bench;
    uint64_t values = batch.channels * fmix_shape_elements(&w->sample->recipe.shape);
    uint64_t bytes = values * fmix_dtype_bytes(batch.dtype);
    uint64_t out_bytes = values * fmix_dtype_bytes(batch.out_dtype);
    make_values(b->x, batch.dtype, rows->count * values, w->number);
    batch.x = b->x;
    batch.pairing = w->pairing;
    for (uint64_t i = 0; i < rows->count; i += w->each) {
        if (b->options->single && w->number % 2) {
            batch.base = i;
            batch.x = b->x + i * bytes;
            batch.x2 = b->x2;
            memcpy(b->x2, b->x + (uint64_t)w->pairing[i] * bytes, (size_t)bytes);
        }
        must(fmix_mixer_mix(w->mixer, b->scratch, rows, &batch, i, w->each,
                            b->out + i * out_bytes) == FMIX_OK,
             "mix", w->number);
    }
    add_elements(w->hash, batch.out_dtype, b->out, rows->count * values);
}

static void add_neighbours(const task *w, uint64_t *random) {
    uint64_t seed = next(random), t = next(random);
    for (unsigned i = 0; i < 4; i++) {
        uint64_t j, word = next(random);
        uint64_t k = 1 + (word >> 33 >> below(random, 31));
        unsigned sides = 1 + (unsigned)below(random, 3);
        uint32_t crop = (uint32_t)below(random, 1 << 20);
        fmix_light light;
        must(fmix_neighbour(seed, t + i, k, &j) == FMIX_OK &&
                 fmix_light_draw_neighbour(seed, t + i, sides, crop, &light) == FMIX_OK,
             "neighbour", w->number);
        add_number(w->hash, j);
        for (unsigned d = 0; d < sides; d++)
            add_number(w->hash, light.offset[d]);
        add_number(w->hash, light.flip);
    }
}

static void add_buckets(const task *w, uint64_t *random) {
    int64_t offsets[SAMPLES_MOST + 1] = {0};
    fmix_bucket bucket = {.seed = next(random), .offsets = offsets};
    uint64_t word = next(random);
    bucket.epoch = word >> 24 >> below(random, 40);
    bucket.samples = 1 + below(random, SAMPLES_MOST);
    bucket.batch = 1 + below(random, BATCH_MOST);
    bucket.windows = 1 + below(random, 7);
    bucket.shuffles = below(random, 3) > 0;
    for (uint64_t i = 0; i < bucket.samples; i++)
        offsets[i + 1] = offsets[i] + 1 + (int64_t)below(random, 12);
    uint64_t steps = (bucket.samples + bucket.batch - 1) / bucket.batch;
    for (uint64_t step = 0; step < steps; step++) {
        uint64_t rows, samples[BATCH_MOST], t[BATCH_MOST];
        must(fmix_bucket_batch(&bucket, step, &rows, samples, t) == FMIX_OK, "bucket", w->number);
        add_number(w->hash, rows);
        for (uint64_t i = 0; i < rows; i++) {
            add_number(w->hash, samples[i]);
            add_number(w->hash, t[i]);
        }
    }
}

void choice_answer(bench *b, uint64_t number, unsigned char digest[16]) {
    sample s;
    hash h;
    fmix_mixer *mixer = NULL;
    unsigned char classes[ROWS_MOST];
    uint64_t random = (number + 1) * UINT64_C(0xbf58476d1ce4e5b9);
    choose(&s, number);
    must(fmix_mixer_new(b->context, &s.recipe, &s.choice, &mixer) == FMIX_OK, "mixer", number);
    for (unsigned i = 0; i < ROWS_MOST; i++)
        classes[i] = (unsigned char)below(&random, CLASSES);
    crypto_generichash_init(&h, NULL, 0, 16);
    task w = {.bench = b, .sample = &s, .mixer = mixer, .hash = &h, .number = number};
    w.each = b->options->single ? 1 : s.rows.count;
    add_rows(&w);
    add_masks(&w);
    add_pairing(&w, classes);
    add_labels(&w, classes);
    add_mix(&w, s.mix);
    add_mix(&w, s.dense);
    add_neighbours(&w, &random);
    add_buckets(&w, &random);
    crypto_generichash_final(&h, digest, 16);
    fmix_mixer_free(mixer);
}
