/*
 * library.c - libfmix against what it is built on, in one process
 *
 * Prints a line for each round and row: its name, our nanoseconds, the baseline's. Rounds of the
 * two alternate; bench.py takes medians. Time is this thread's, but where two threads are compared.
 *
 *   library masks [NAME]     FMix in bits against FFTW's bare c2r, measured plan
 *   library v3               FMix in bits by the kernels of x86-64-v3 against the same, 224x224
 *   library soft             soft masks (0.1) of 224x224 in f32 against hard ones
 *   library large [NAME]     FMix in bits against FFTW's bare c2r, both with estimated plans
 *   library blend            mixing against memcpy, nanoseconds a gigabyte moved
 *   library transpose        rows of pixels laid out anew against memcpy, the same
 *   library threads          two threads against one
 *   library batch            nanoseconds of 128 masks of 32x32 in bits, and
 *   library mix              of mixing 128x3x224x224 bytes by fmix: once for each line it is sent
 *   library hosted NAME      the same of 256 rows anywhere in a set: 28x28, 224x224 (of three
 *                            channels), or 224x224-one, with one mask for all
 */
#include "tests/bench/subject.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#define ROUNDS 11

typedef struct shape_row {
    const char *name;
    fmix_shape shape;
} shape_row;

static const shape_row shapes[] = {
    {"224x224", {2, {224, 224, 0}}}, {"512x512", {2, {512, 512, 0}}},
    {"64x64x64", {3, {64, 64, 64}}}, {"32x32", {2, {32, 32, 0}}},
    {"64x64", {2, {64, 64, 0}}},     {"96x64", {2, {96, 64, 0}}},
    {"512", {1, {512, 0, 0}}},
};

/* ---- the bare transform ---- */

typedef struct bare {
    fftw_plan plan;
    size_t bins;
    double *x, *kept, *g;
} bare;

static bare bare_new(const fmix_shape *shape, unsigned planned) {
    bare b = {.bins = 1};
    int n[3];
    for (unsigned d = 0; d < shape->rank; d++) {
        n[d] = (int)shape->side[d];
        b.bins *= d + 1 == shape->rank ? shape->side[d] / 2 + 1 : shape->side[d];
    }
    b.x = room(2 * b.bins * sizeof *b.x);
    b.kept = room(2 * b.bins * sizeof *b.kept);
    b.g = room((size_t)fmix_shape_elements(shape) * sizeof *b.g);
    b.plan = fftw_plan_dft_c2r((int)shape->rank, n, (fftw_complex *)b.x, b.g,
                               planned | FFTW_DESTROY_INPUT);
    must(b.plan, "fftw_plan_dft_c2r");
    for (size_t i = 0; i < 2 * b.bins; i++)
        b.kept[i] = (double)rand() / RAND_MAX - 0.5;
    return b;
}

static void bare_free(bare *b) {
    fftw_destroy_plan(b->plan);
    fftw_free(b->x);
    fftw_free(b->kept);
    fftw_free(b->g);
}

/* A transform destroys its input: it is put back outside the time, and the clock's own is taken
 * off. */
static double time_bare(bare *b, double least) {
    double spent = 0, start = now();
    uint64_t count = 0;
    while (now() - start < least) {
        memcpy(b->x, b->kept, 2 * b->bins * sizeof *b->x);
        double begun = now();
        fftw_execute(b->plan);
        double ended = now();
        spent += (ended - begun) - (now() - ended);
        count++;
    }
    return spent / (double)count;
}

static void masks_against_bare(const char *row, const fmix_shape *shape, subject_how how) {
    const fmix_recipe law = {.seed = 7, .shape = *shape, .alpha = 1, .delta = 3};
    subject s = subject_of_how(&law, how, WARM_NS);
    bare b = bare_new(shape, how.estimated ? FFTW_ESTIMATE : FFTW_MEASURE);
    time_bare(&b, 2e7);
    for (int round = 0; round < ROUNDS; round++) {
        double ours = time_masks(&s, 2e7);
        printf("%s %.1f %.1f\n", row, ours, time_bare(&b, 2e7));
    }
    bare_free(&b);
    subject_free(&s);
}

static void masks(const char *only) {
    char row[32];
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        snprintf(row, sizeof row, "masks/%s", shapes[i].name);
        if (!only || strcmp(only, shapes[i].name) == 0)
            masks_against_bare(row, &shapes[i].shape, (subject_how){.dtype = FMIX_DTYPE_BITS});
    }
}

static void large(const char *only) {
    static const shape_row rows[] = {{"4096x4096", {2, {4096, 4096, 0}}},
                                     {"256x256x256", {3, {256, 256, 256}}}};
    char row[32];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(row, sizeof row, "large/%s", rows[i].name);
        if (!only || strcmp(only, rows[i].name) == 0)
            masks_against_bare(row, &rows[i].shape,
                               (subject_how){.dtype = FMIX_DTYPE_BITS, .estimated = true});
    }
}

/* As a build without AVX-512 has them. Machines without AVX2 have no such row. */
static void v3(const char *only) {
    (void)only;
    const fmix_kernels *kernels = NULL, *k;
    for (size_t i = 0; (k = fmix_kernels_nth(i)) != NULL; i++)
        if (strcmp(k->name, "x86-64-v3") == 0 && k->runs())
            kernels = k;
    must(kernels != NULL, "finding the kernels of x86-64-v3 on this machine");
    masks_against_bare("v3/224x224", &shapes[0].shape,
                       (subject_how){.dtype = FMIX_DTYPE_BITS, .kernels = kernels});
}

static void soft(const char *only) {
    (void)only;
    fmix_recipe law = {.seed = 7, .shape = shapes[0].shape, .alpha = 1, .delta = 3};
    const subject_how how = {.dtype = FMIX_DTYPE_F32};
    subject hard = subject_of_how(&law, how, WARM_NS);
    law.soft = 0.1;
    subject blurred = subject_of_how(&law, how, WARM_NS);
    for (int round = 0; round < ROUNDS; round++) {
        double ours = time_masks(&blurred, 2e7);
        printf("soft/224x224 %.1f %.1f\n", ours, time_masks(&hard, 2e7));
    }
    subject_free(&hard);
    subject_free(&blurred);
}

/* ---- transposing ---- */

enum { LAID_ROWS = 256, LAID_CHANNELS = 3, LAID_SIDE = 224 };

/* As rows of a hosted batch are laid out anew: each from its own place to another. */
static void transpose_row(const char *name, size_t size, bool last) {
    uint64_t elements = LAID_SIDE * LAID_SIDE, channels = LAID_CHANNELS;
    size_t row = (size_t)(elements * channels) * size, bytes = LAID_ROWS * row;
    unsigned char *x = room(bytes), *out = room(bytes);
    memset(x, 1, bytes);
    for (unsigned round = 0; round <= ROUNDS; round++) {
        double start = now();
        for (size_t i = 0; i < LAID_ROWS; i++)
            must(fmix_transpose(size, last ? elements : channels, last ? channels : elements,
                                x + i * row, out + i * row) == FMIX_OK,
                 "fmix_transpose");
        double ours = now() - start;
        start = now();
        memcpy(out, x, bytes);
        double theirs = now() - start, gigabyte = 1e9 / (double)bytes;
        if (round > 0)
            printf("transpose/%s %.1f %.1f\n", name, ours * gigabyte / 2, theirs * gigabyte / 2);
    }
    fftw_free(x);
    fftw_free(out);
}

static void transpose(const char *only) {
    (void)only;
    transpose_row("last-to-first-u8", 1, true);
    transpose_row("first-to-last-u8", 1, false);
    transpose_row("last-to-first-f32", 4, true);
    transpose_row("first-to-last-f32", 4, false);
}

/* ---- blending ---- */

enum { ROWS = 256, CHANNELS = 3, SIDE = 224 };

/* Mixing reads both samples and writes one: three bytes moved for each; memcpy moves two. */
static void blend_row(const char *name, fmix_dtype dtype, const char *method) {
    size_t values = (size_t)CHANNELS * SIDE * SIDE, bytes = ROWS * values * fmix_dtype_bytes(dtype);
    unsigned char *x = room(bytes), *out = room(bytes);
    fmix_recipe recipe = {
        .seed = 7, .shape = {2, {SIDE, SIDE, 0}}, .alpha = 1, .delta = 3, .scope_batch = true};
    subject s = {0};
    int64_t pairing[ROWS];
    for (size_t i = 0; i < bytes; i++)
        x[i] = (unsigned char)((i * 2654435761u >> 13) & (dtype == FMIX_DTYPE_F32 ? 0x3f : 0xff));
    must(fmix_context_new((size_t)256 << 20, &s.context) == FMIX_OK, "fmix_context_new");
    must(fmix_method_named(method, &recipe.method) == FMIX_OK, "fmix_method_named");
    must(fmix_plan_new(s.context, &recipe, &s.plan) == FMIX_OK, "fmix_plan_new");
    must(fmix_scratch_new(&s.scratch) == FMIX_OK, "fmix_scratch_new");
    must(fmix_pairing(FMIX_PAIRING_PERMUTATION, 7, 0, ROWS, pairing) == FMIX_OK, "fmix_pairing");
    const fmix_batch batch = {.x = x,
                              .dtype = dtype,
                              .out_dtype = dtype,
                              .layout = FMIX_CHANNELS_FIRST,
                              .channels = CHANNELS,
                              .pairing = pairing};
    for (uint64_t round = 0; round <= ROUNDS; round++) {
        double start = now();
        must(fmix_plan_mix(s.plan, s.scratch, &batch, round, 0, ROWS, out) == FMIX_OK,
             "fmix_plan_mix");
        double ours = now() - start;
        start = now();
        memcpy(out, x, bytes);
        double theirs = now() - start, gigabyte = 1e9 / (double)bytes;
        if (round > 0) /* the first is for the caches */
            printf("blend/%s %.1f %.1f\n", name, ours * gigabyte / 3, theirs * gigabyte / 2);
    }
    subject_free(&s);
    fftw_free(x);
    fftw_free(out);
}

static void blend(const char *only) {
    (void)only;
    blend_row("mixup-f32", FMIX_DTYPE_F32, "mixup");
    blend_row("mixup-u8", FMIX_DTYPE_U8, "mixup");
    blend_row("cutmix-f32", FMIX_DTYPE_F32, "cutmix"); /* chosen by a mask that costs nothing */
    blend_row("cutmix-u8", FMIX_DTYPE_U8, "cutmix");
}

/* ---- two threads ---- */

typedef struct worker {
    subject subject;
    uint64_t masks;
    double until;
} worker;

static void *work(void *of) {
    worker *w = of;
    while (now_of(CLOCK_MONOTONIC) < w->until) {
        draw(&w->subject);
        w->masks += w->subject.batch;
    }
    return NULL;
}

/* Nanoseconds a mask, by the wall, with so many threads. */
static double time_threads(worker *workers, unsigned count, double length) {
    pthread_t threads[2];
    double start = now_of(CLOCK_MONOTONIC);
    uint64_t all = 0;
    for (unsigned i = 0; i < count; i++) {
        workers[i].masks = 0;
        workers[i].until = start + length;
        must(pthread_create(&threads[i], NULL, work, &workers[i]) == 0, "pthread_create");
    }
    for (unsigned i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        all += workers[i].masks;
    }
    return (now_of(CLOCK_MONOTONIC) - start) / (double)all;
}

static void threads(const char *only) {
    (void)only;
    worker workers[2];
    subject s = subject_new(&shapes[0].shape, WARM_NS);
    workers[0].subject = workers[1].subject = s;
    must(fmix_scratch_new(&workers[1].subject.scratch) == FMIX_OK, "fmix_scratch_new");
    workers[1].subject.out = room((size_t)(s.batch * fmix_mask_bytes(s.elements, FMIX_DTYPE_BITS)));
    for (int round = 0; round < ROUNDS; round++) {
        double two = time_threads(workers, 2, 1e8);
        printf("threads/224x224 %.1f %.1f\n", two, time_threads(workers, 1, 1e8));
    }
    fmix_scratch_free(workers[1].subject.scratch);
    fftw_free(workers[1].subject.out);
    subject_free(&s);
}

/* ---- what a request's share of the library is ---- */

/* Waits for a line; the answer to the last one is out by then. */
static bool is_asked(void) {
    char line[16];
    fflush(stdout);
    return fgets(line, sizeof line, stdin) != NULL;
}

static void batch(const char *only) {
    (void)only;
    subject s = subject_new(&shapes[3].shape, WARM_NS);
    while (is_asked())
        printf("batch/32x32 %.1f 0\n", 128 * time_masks(&s, 2e7));
    subject_free(&s);
}

static void mix(const char *only) {
    (void)only;
    enum { N = 128 };
    size_t bytes = (size_t)N * CHANNELS * SIDE * SIDE;
    unsigned char *x = room(bytes), *out = room(bytes);
    int64_t pairing[N];
    subject s = subject_new(&shapes[0].shape, WARM_NS);
    const fmix_batch all = {.x = x,
                            .dtype = FMIX_DTYPE_U8,
                            .out_dtype = FMIX_DTYPE_U8,
                            .layout = FMIX_CHANNELS_FIRST,
                            .channels = CHANNELS,
                            .pairing = pairing};
    for (uint64_t round = 0; is_asked(); round++) {
        must(fmix_pairing(FMIX_PAIRING_PERMUTATION, 7, round, N, pairing) == FMIX_OK,
             "fmix_pairing");
        double start = now();
        must(fmix_plan_mix(s.plan, s.scratch, &all, N * round, 0, N, out) == FMIX_OK,
             "fmix_plan_mix");
        printf("mix/128x3x224x224 %.1f 0\n", now() - start);
    }
    subject_free(&s);
    fftw_free(x);
    fftw_free(out);
}

/* Sets of which a batch takes rows. */
static const struct set {
    const char *name;
    fmix_shape shape;
    uint64_t channels, samples;
    bool one; /* mask for all rows */
} sets[] = {{"28x28", {2, {28, 28}}, 1, 10240, false},
            {"224x224", {2, {224, 224}}, 3, 512, false},
            {"224x224-one", {2, {224, 224}}, 3, 512, true}};

static void hosted(const char *only) {
    enum { N = 256 };
    const struct set *set = sets;
    while (only && strcmp(set->name, only) != 0)
        must(++set < sets + sizeof sets / sizeof *sets, only);
    const fmix_recipe law = {
        .seed = 7, .shape = set->shape, .alpha = 1, .delta = 3, .scope_batch = set->one};
    size_t row = (size_t)(set->channels * fmix_shape_elements(&set->shape));
    unsigned char *all = room(row * (size_t)set->samples), *out = room(row * N);
    int64_t pairing[N];
    uint64_t samples[N];
    const void *rows[N];
    subject s = subject_of(&law, WARM_NS);
    const fmix_batch batch_of = {.rows = rows,
                                 .dtype = FMIX_DTYPE_U8,
                                 .out_dtype = FMIX_DTYPE_U8,
                                 .layout = FMIX_CHANNELS_FIRST,
                                 .channels = set->channels,
                                 .pairing = pairing};
    for (uint64_t round = 0; is_asked(); round++) {
        double start = now();
        must(fmix_pairing(FMIX_PAIRING_PERMUTATION, 7, round, N, pairing) == FMIX_OK &&
                 fmix_shuffle(7, round, set->samples, 0, N, samples) == FMIX_OK,
             "fmix_shuffle");
        for (int i = 0; i < N; i++)
            rows[i] = all + samples[i] * row;
        must(fmix_plan_mix(s.plan, s.scratch, &batch_of, N * round, 0, N, out) == FMIX_OK,
             "fmix_plan_mix");
        printf("hosted/%s %.1f 0\n", set->name, now() - start);
    }
    subject_free(&s);
    fftw_free(all);
    fftw_free(out);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(const char *only);
    } table[] = {{"masks", masks},        {"v3", v3},       {"soft", soft},
                 {"large", large},        {"blend", blend}, {"threads", threads},
                 {"batch", batch},        {"mix", mix},     {"hosted", hosted},
                 {"transpose", transpose}};
    for (size_t i = 0; argc > 1 && i < sizeof table / sizeof *table; i++)
        if (strcmp(argv[1], table[i].name) == 0) {
            table[i].run(argc > 2 ? argv[2] : NULL);
            return 0;
        }
    fprintf(stderr,
            "usage: library masks|v3|soft|large|blend|transpose|threads|batch|mix|hosted [NAME]\n");
    return 2;
}
