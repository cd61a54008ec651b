/*
 * recipes.c - the golden set of plans: rows, masks, greys, pairings, labels and mixed batches
 */
#include "golden.h"

#include <string.h>

enum { ROWS_MOST = 4, CHANNELS_MOST = 3, CLASSES = 5 };

/* ---- recipes ---- */

typedef struct sample {
    fmix_recipe recipe;
    uint64_t t, n, batch;
    fmix_pairing_kind pairing;
    fmix_batch mix; /* without its data */
    bool uncorrected;
    double smoothing;
} sample;

/* Small sides of every sort: powers, smooth numbers, primes; thin shapes among them. */
static fmix_shape any_shape(uint64_t *random) {
    static const uint32_t sides[] = {1,  2,  3,  4,  5,  7,  8,  12, 13,  16,  17,  24,  28,  31,
                                     32, 37, 48, 53, 64, 81, 96, 97, 101, 127, 128, 180, 256, 263};
    const size_t count = sizeof sides / sizeof *sides;
    for (;;) {
        fmix_shape s = {.rank = 1 + (unsigned)below(random, 3)};
        for (unsigned d = 0; d < s.rank; d++)
            s.side[d] = sides[below(random, s.rank == 3 ? count / 2 : count)];
        if (fmix_shape_elements(&s) <= ELEMENTS_MOST)
            return s;
    }
}

static double any_delta(uint64_t *random) {
    static const double deltas[] = {0, 0.5, 1, 1.5, 2, 3, 3, 3, 4, 5.25, 7, 10};
    return deltas[below(random, sizeof deltas / sizeof *deltas)];
}

void choose_law(fmix_recipe *r, uint64_t *random) {
    static const double alphas[] = {0.01, 0.2, 1, 1, 4, 1000};
    r->shape = any_shape(random);
    r->seed = next(random);
    r->alpha = alphas[below(random, 6)];
    r->delta = any_delta(random);
    r->lambda_given = below(random, 4) == 0;
    r->lambda = (double)below(random, 1001) / 1000;
    r->reformulate = !r->lambda_given && below(random, 4) == 0;
    r->scope_batch = below(random, 5) == 0;
    r->frequency = below(random, 5) == 0 ? FMIX_FREQUENCY_EXTENT : FMIX_FREQUENCY_PIXEL;
    r->box = below(random, 3) == 0 ? FMIX_BOX_INSIDE : FMIX_BOX_CLIPPED;
    r->spectrum =
        r->shape.side[0] > 1 && r->frequency == FMIX_FREQUENCY_PIXEL && below(random, 6) == 0
            ? FMIX_SPECTRUM_OFFICIAL
            : FMIX_SPECTRUM_PAPER;
    r->soft = below(random, 4) == 0 ? (double)below(random, 501) / 1000 : 0;
}

static sample sample_of(uint64_t number) {
    static const fmix_dtype types[] = {FMIX_DTYPE_F32,  FMIX_DTYPE_U8,  FMIX_DTYPE_F16,
                                       FMIX_DTYPE_BF16, FMIX_DTYPE_F64, FMIX_DTYPE_I64};
    uint64_t random = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
    sample s = {.n = 1 + below(&random, ROWS_MOST)};
    choose_law(&s.recipe, &random);
    /* two in three draw FMix, the rest is shared by all */
    fmix_method methods = 0;
    while (fmix_method_name(methods))
        methods++;
    s.recipe.method = number % 3 ? 0 : (fmix_method)(number / 3 % methods);
    /* One draw a statement: the order of two in an expression is the compiler's. */
    uint64_t t = next(&random);
    s.t = t >> below(&random, 64);
    s.t = s.t > UINT64_MAX - ROWS_MOST ? 0 : s.t;
    s.batch = next(&random);
    s.pairing = (fmix_pairing_kind)below(&random, 5);
    s.mix.dtype = types[below(&random, 6)];
    s.mix.out_dtype = below(&random, 3) ? s.mix.dtype : FMIX_DTYPE_F32;
    s.mix.layout = below(&random, 2) ? FMIX_CHANNELS_FIRST : FMIX_CHANNELS_LAST;
    s.mix.channels = 1 + below(&random, CHANNELS_MOST);
    s.uncorrected = below(&random, 3) == 0;
    s.smoothing = below(&random, 3) ? 0 : 0.1;
    return s;
}

static void add_rows(hash *h, const fmix_plan *plan, const sample *s, uint64_t number) {
    for (uint64_t i = 0; i < s->n; i++) {
        fmix_row row;
        must(fmix_plan_row(plan, fmix_plan_sample(plan, s->t, i), &row) == FMIX_OK, "row", number);
        add_row(h, &row);
    }
}

typedef fmix_status images(const fmix_plan *plan, fmix_scratch *scratch, uint64_t t, uint64_t n,
                           fmix_dtype dtype, void *out);

static void add_images(hash *h, bench *b, images *draw, const fmix_plan *plan, const sample *s,
                       fmix_dtype dtype, uint64_t number) {
    uint64_t elements = fmix_shape_elements(&s->recipe.shape);
    uint64_t bytes = fmix_mask_bytes(elements, dtype);
    uint64_t each = b->options->single ? 1 : s->n;
    for (uint64_t i = 0; i < s->n; i += each)
        must(draw(plan, b->scratch, s->t + i, each, dtype, b->out + i * bytes) == FMIX_OK, "images",
             number);
    if (dtype == FMIX_DTYPE_BITS)
        crypto_generichash_update(h, b->out, s->n * bytes);
    else
        add_elements(h, dtype, b->out, s->n * elements);
}

static void add_masks(hash *h, bench *b, const fmix_plan *plan, const sample *s, uint64_t number) {
    static const fmix_dtype hard[] = {FMIX_DTYPE_BITS, FMIX_DTYPE_U8, FMIX_DTYPE_F32,
                                      FMIX_DTYPE_F16, FMIX_DTYPE_F64};
    static const fmix_dtype soft[] = {FMIX_DTYPE_F32, FMIX_DTYPE_F16, FMIX_DTYPE_F64};
    bool spectrum = fmix_method_has_spectrum(s->recipe.method);
    if (!fmix_method_masks(s->recipe.method))
        return;
    add_images(h, b, fmix_plan_masks, plan, s,
               spectrum && s->recipe.soft > 0 ? soft[number % 3] : hard[number % 5], number);
    if (spectrum && number % 4 == 0)
        add_images(h, b, fmix_plan_greys, plan, s, number % 8 ? FMIX_DTYPE_U8 : FMIX_DTYPE_F32,
                   number);
}

static void add_mix(hash *h, bench *b, const fmix_plan *plan, const sample *s, uint64_t number) {
    int64_t pairing[ROWS_MOST], y[ROWS_MOST];
    float labels[ROWS_MOST * CLASSES];
    fmix_batch batch = s->mix;
    must(fmix_pairing(s->pairing, s->recipe.seed, s->batch, (uint32_t)s->n, pairing) == FMIX_OK,
         "pairing", number);
    for (uint64_t i = 0; i < s->n; i++) {
        add_number(h, (uint64_t)pairing[i]);
        y[i] = (int64_t)((number + i) % CLASSES);
    }
    const fmix_labels l = {.y = y,
                           .dtype = FMIX_DTYPE_I64,
                           .numbers = true,
                           .uncorrected = s->uncorrected,
                           .classes = CLASSES,
                           .smoothing = s->smoothing,
                           .pairing = pairing};
    must(fmix_plan_labels(plan, &l, s->t, 0, s->n, labels) == FMIX_OK, "labels", number);
    add_elements(h, FMIX_DTYPE_F32, labels, s->n * CLASSES);
    if (fmix_method_refuses(s->recipe.method, s->recipe.soft > 0, batch.dtype, batch.out_dtype))
        return;
    uint64_t values = batch.channels * fmix_shape_elements(&s->recipe.shape);
    make_values(b->x, batch.dtype, s->n * values, number);
    batch.x = b->x;
    batch.pairing = pairing;
    uint64_t bytes = values * fmix_dtype_bytes(batch.out_dtype);
    uint64_t each = b->options->single ? 1 : s->n;
    for (uint64_t i = 0; i < s->n; i += each)
        must(fmix_plan_mix(plan, b->scratch, &batch, s->t, i, each, b->out + i * bytes) == FMIX_OK,
             "mix", number);
    add_elements(h, batch.out_dtype, b->out, s->n * values);
}

void recipe_answer(bench *b, uint64_t number, unsigned char digest[16]) {
    sample s = sample_of(number);
    fmix_plan *plan = NULL;
    hash h;
    must(fmix_plan_new(b->context, &s.recipe, &plan) == FMIX_OK, "plan", number);
    crypto_generichash_init(&h, NULL, 0, 16);
    add_rows(&h, plan, &s, number);
    add_masks(&h, b, plan, &s, number);
    add_mix(&h, b, plan, &s, number);
    crypto_generichash_final(&h, digest, 16);
    fmix_plan_free(plan);
}
