/*
 * golden.c - one golden set of recipes, hashed
 *
 *   golden [--recipes N] [--kernels NAME] [--threads N] [--single]
 *
 * Prints a digest a recipe, of everything that libfmix answers to it, and at last two lines: the
 * digest of all, and what differed underneath, with the digest of the raw values G before anything
 * was decided. The recipes are the same whatever the options: kernels of one build, several threads
 * that share the work, or each row asked for by itself.
 */
#include "lib/context.h"

#include <fftw3.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ELEMENTS_MOST = 6144, ROWS_MOST = 4, CHANNELS_MOST = 3, CLASSES = 5, THREADS_MOST = 16 };
#define VALUES_MOST ((size_t)ROWS_MOST * CHANNELS_MOST * ELEMENTS_MOST)

typedef crypto_generichash_state hash;

typedef struct options {
    uint64_t recipes;
    const char *kernels;
    unsigned threads;
    bool single;
} options;

/* ---- recipes ---- */

typedef struct sample {
    fmix_recipe recipe;
    uint64_t t, n, batch;
    fmix_pairing_kind pairing;
    fmix_batch mix; /* without its data */
    bool uncorrected;
    double smoothing;
} sample;

static uint64_t next(uint64_t *random) {
    *random ^= *random >> 12;
    *random ^= *random << 25;
    *random ^= *random >> 27;
    return *random * UINT64_C(2685821657736338717);
}

static uint64_t below(uint64_t *random, uint64_t n) {
    return (next(random) >> 33) % n;
}

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

static void choose_law(sample *s, uint64_t *random) {
    static const double alphas[] = {0.01, 0.2, 1, 1, 4, 1000};
    fmix_recipe *r = &s->recipe;
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
    choose_law(&s, &random);
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

/* ---- answers ---- */

static void must(bool good, const char *what, uint64_t number) {
    if (good)
        return;
    fprintf(stderr, "golden: recipe %llu: %s failed\n", (unsigned long long)number, what);
    exit(1);
}

/* Numbers go in by their bytes from the lowest on, whatever this machine's order. */
static void add_number(hash *h, uint64_t value) {
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(value >> (8 * i));
    crypto_generichash_update(h, bytes, sizeof bytes);
}

static void add_double(hash *h, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    add_number(h, bits);
}

static void add_elements(hash *h, fmix_dtype type, const unsigned char *at, uint64_t n) {
    uint64_t size = fmix_dtype_bytes(type);
    for (uint64_t i = 0; i < n; i++, at += size) {
        uint64_t bits = 0;
        unsigned char narrow = at[0];
        uint16_t half;
        uint32_t single;
        if (size == 1)
            bits = narrow;
        else if (size == 2)
            bits = (memcpy(&half, at, 2), half);
        else if (size == 4)
            bits = (memcpy(&single, at, 4), single);
        else
            memcpy(&bits, at, 8);
        add_number(h, bits);
    }
}

/* One thread's. */
typedef struct bench {
    fmix_context *context;
    fmix_scratch *scratch;
    unsigned char *x, *out;
    hash raw;
    const options *options;
    uint64_t first, step;
    unsigned char (*digests)[16];
    pthread_t thread;
} bench;

static void watch(void *of, const double *g, uint64_t n, double bound) {
    (void)bound;
    crypto_generichash_update(of, (const unsigned char *)g, n * sizeof *g);
}

static void add_rows(hash *h, const fmix_plan *plan, const sample *s, uint64_t number) {
    for (uint64_t i = 0; i < s->n; i++) {
        fmix_row row;
        must(fmix_plan_row(plan, fmix_plan_sample(plan, s->t, i), &row) == FMIX_OK, "row", number);
        add_number(h, row.lambda);
        add_number(h, row.ones);
        add_double(h, row.lambda_effective);
        add_double(h, row.weight);
        for (int d = 0; d < 3; d++) {
            add_number(h, row.box_start[d]);
            add_number(h, row.box_size[d]);
        }
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

/* Values of the type that is mixed, small where they are integers. */
static void make_data(bench *b, const sample *s, uint64_t number) {
    uint64_t values = s->n * s->mix.channels * fmix_shape_elements(&s->recipe.shape);
    uint64_t size = fmix_dtype_bytes(s->mix.dtype), random = number * 2 + 1;
    for (uint64_t i = 0; i < values; i++) {
        uint64_t word = next(&random);
        double real = (double)(int64_t)(word >> 11) * 0x1p-50 - 4;
        float single = (float)real;
        uint16_t half = (uint16_t)(word >> 48 & 0xbbff); /* finite in both 16-bit types */
        int64_t whole = (int64_t)(word >> 40);
        const void *from = s->mix.dtype == FMIX_DTYPE_F64   ? (const void *)&real
                           : s->mix.dtype == FMIX_DTYPE_F32 ? (const void *)&single
                           : s->mix.dtype == FMIX_DTYPE_I64 ? (const void *)&whole
                                                            : (const void *)&half;
        unsigned char byte = (unsigned char)word;
        memcpy(b->x + i * size, s->mix.dtype == FMIX_DTYPE_U8 ? &byte : from, (size_t)size);
    }
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
    add_elements(h, FMIX_DTYPE_F32, (const unsigned char *)labels, s->n * CLASSES);
    if (fmix_method_refuses(s->recipe.method, s->recipe.soft > 0, batch.dtype, batch.out_dtype))
        return;
    make_data(b, s, number);
    batch.x = b->x;
    batch.pairing = pairing;
    uint64_t values = batch.channels * fmix_shape_elements(&s->recipe.shape);
    uint64_t bytes = values * fmix_dtype_bytes(batch.out_dtype);
    uint64_t each = b->options->single ? 1 : s->n;
    for (uint64_t i = 0; i < s->n; i += each)
        must(fmix_plan_mix(plan, b->scratch, &batch, s->t, i, each, b->out + i * bytes) == FMIX_OK,
             "mix", number);
    add_elements(h, batch.out_dtype, b->out, s->n * values);
}

static void answer(bench *b, uint64_t number, unsigned char digest[16]) {
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

/* ---- the run ---- */

static const fmix_kernels *kernels_named(const char *name) {
    const fmix_kernels *k;
    for (size_t i = 0; name && (k = fmix_kernels_nth(i)); i++)
        if (strcmp(k->name, name) == 0 && k->runs())
            return k;
    must(!name, "finding such kernels on this machine", 0);
    return fmix_kernels_best();
}

static void *work(void *of) {
    bench *b = of;
    for (uint64_t i = b->first; i < b->options->recipes; i += b->step)
        answer(b, i, b->digests[i]);
    return NULL;
}

static void bench_open(bench *b, const options *o, unsigned number, unsigned char (*digests)[16]) {
    *b = (bench){.options = o, .first = number, .step = o->threads, .digests = digests};
    b->x = malloc(VALUES_MOST * 8);
    b->out = malloc(VALUES_MOST * 8);
    must(b->x && b->out && fmix_context_new((size_t)16 << 20, &b->context) == FMIX_OK &&
             fmix_scratch_new(&b->scratch) == FMIX_OK,
         "allocation", 0);
    b->context->kernels = kernels_named(o->kernels);
    crypto_generichash_init(&b->raw, NULL, 0, 16);
    b->context->hooks.watch = watch;
    b->context->hooks.watch_user = &b->raw;
}

static void print_hex(const unsigned char digest[16]) {
    for (int i = 0; i < 16; i++)
        printf("%02x", digest[i]);
}

/* Recipes are dealt to threads by their number, so of several threads the raw values' digest is
 * that of the threads' digests in order. */
static void report(const options *o, bench *benches, unsigned char (*digests)[16]) {
    hash all, raw;
    unsigned char digest[16];
    fmix_counters counters, sum = {0};
    crypto_generichash_init(&all, NULL, 0, 16);
    crypto_generichash_init(&raw, NULL, 0, 16);
    for (uint64_t i = 0; i < o->recipes; i++) {
        print_hex(digests[i]);
        printf(" %llu\n", (unsigned long long)i);
        crypto_generichash_update(&all, digests[i], 16);
    }
    for (unsigned i = 0; i < o->threads; i++) {
        crypto_generichash_final(&benches[i].raw, digest, 16);
        crypto_generichash_update(&raw, digest, 16);
        fmix_context_counters(benches[i].context, &counters);
        sum.masks += counters.masks;
        sum.contested += counters.contested;
        sum.settled_exact += counters.settled_exact;
    }
    crypto_generichash_final(&all, digest, 16);
    printf("answers ");
    print_hex(digest);
    crypto_generichash_final(&raw, digest, 16);
    printf("\nunderneath raw ");
    print_hex(digest);
    printf(" kernels %s fftw %s contested %llu exact %llu of %llu\n",
           benches[0].context->kernels->name, fftw_version, (unsigned long long)sum.contested,
           (unsigned long long)sum.settled_exact, (unsigned long long)sum.masks);
}

static options options_of(int argc, char **argv) {
    options o = {.recipes = 3000, .threads = 1};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--single") == 0) {
            o.single = true;
            continue;
        }
        if (strcmp(argv[i], "--recipes") == 0)
            o.recipes = strtoull(value, NULL, 10);
        else if (strcmp(argv[i], "--kernels") == 0)
            o.kernels = value;
        else if (strcmp(argv[i], "--threads") == 0)
            o.threads = (unsigned)strtoul(value, NULL, 10);
        else
            must(false, argv[i], 0);
        i++;
    }
    must(o.recipes > 0 && o.threads > 0 && o.threads <= THREADS_MOST, "reading the options", 0);
    return o;
}

int main(int argc, char **argv) {
    static bench benches[THREADS_MOST];
    options o = options_of(argc, argv);
    unsigned char(*digests)[16] = calloc((size_t)o.recipes, sizeof *digests);
    must(digests && sodium_init() >= 0, "allocation", 0);
    for (unsigned i = 0; i < o.threads; i++)
        bench_open(&benches[i], &o, i, digests);
    for (unsigned i = 0; i < o.threads; i++)
        must(pthread_create(&benches[i].thread, NULL, work, &benches[i]) == 0, "a thread", 0);
    for (unsigned i = 0; i < o.threads; i++)
        pthread_join(benches[i].thread, NULL);
    report(&o, benches, digests);
    for (unsigned i = 0; i < o.threads; i++) {
        fmix_scratch_free(benches[i].scratch);
        fmix_context_free(benches[i].context);
        free(benches[i].x);
        free(benches[i].out);
    }
    free(digests);
    return 0;
}
