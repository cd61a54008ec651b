/*
 * golden.c - a golden set, hashed
 *
 *   golden [--set recipes|choices|views] [--recipes N] [--kernels NAME] [--threads N] [--single]
 *
 * Prints a digest a recipe, of everything that libfmix answers to it, and at last two lines: the
 * digest of all, and what differed underneath, with the digest of the raw values G before anything
 * was decided. The recipes are the same whatever the options: kernels of one build, several threads
 * that share the work, or each row asked for by itself.
 */
#include "golden.h"

#include <fftw3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS_MOST = 16 };

void must(bool good, const char *what, uint64_t number) {
    if (good)
        return;
    fprintf(stderr, "golden: recipe %llu: %s failed\n", (unsigned long long)number, what);
    exit(1);
}

uint64_t next(uint64_t *random) {
    *random ^= *random >> 12;
    *random ^= *random << 25;
    *random ^= *random >> 27;
    return *random * UINT64_C(2685821657736338717);
}

uint64_t below(uint64_t *random, uint64_t n) {
    return (next(random) >> 33) % n;
}

/* ---- hashing ---- */

void add_number(hash *h, uint64_t value) {
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(value >> (8 * i));
    crypto_generichash_update(h, bytes, sizeof bytes);
}

void add_double(hash *h, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    add_number(h, bits);
}

void add_elements(hash *h, fmix_dtype type, const void *elements, uint64_t n) {
    const unsigned char *at = elements;
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

void add_row(hash *h, const fmix_row *row) {
    add_number(h, row->lambda);
    add_number(h, row->ones);
    add_double(h, row->lambda_effective);
    add_double(h, row->weight);
    for (int d = 0; d < 3; d++) {
        add_number(h, row->box_start[d]);
        add_number(h, row->box_size[d]);
    }
}

/* ---- values ---- */

void make_values(void *to, fmix_dtype dtype, uint64_t count, uint64_t number) {
    uint64_t size = fmix_dtype_bytes(dtype), random = number * 2 + 1;
    unsigned char *at = to;
    for (uint64_t i = 0; i < count; i++, at += size) {
        uint64_t word = next(&random);
        double real = (double)(int64_t)(word >> 11) * 0x1p-50 - 4;
        float single = (float)real;
        uint16_t half = (uint16_t)(word >> 48 & 0xbbff); /* finite in both 16-bit types */
        int64_t whole = (int64_t)(word >> 40);
        unsigned char byte = dtype == FMIX_DTYPE_BOOL ? word & 1 : (unsigned char)word;
        const void *from = dtype == FMIX_DTYPE_F64   ? (const void *)&real
                           : dtype == FMIX_DTYPE_F32 ? (const void *)&single
                           : dtype == FMIX_DTYPE_I64 ? (const void *)&whole
                           : size == 1               ? (const void *)&byte
                                                     : (const void *)&half;
        memcpy(at, from, (size_t)size);
    }
}

/* ---- the run ---- */

static void watch(void *of, const double *g, uint64_t n, double bound) {
    (void)bound;
    crypto_generichash_update(of, (const unsigned char *)g, n * sizeof *g);
}

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
        b->options->answer(b, i, b->digests[i]);
    return NULL;
}

static void bench_open(bench *b, const options *o, unsigned number, unsigned char (*digests)[16]) {
    *b = (bench){.options = o, .first = number, .step = o->threads, .digests = digests};
    b->x = malloc(VALUES_MOST * 8);
    b->x2 = malloc(VALUES_MOST * 8);
    b->out = malloc(VALUES_MOST * 8);
    must(b->x && b->x2 && b->out && fmix_context_new((size_t)16 << 20, &b->context) == FMIX_OK &&
             fmix_scratch_new(&b->scratch) == FMIX_OK,
         "allocation", 0);
    b->context->kernels = b->scratch->kernels = kernels_named(o->kernels);
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
    options o = {.recipes = 3000, .threads = 1, .answer = recipe_answer};
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
        else if (strcmp(argv[i], "--set") == 0 && strcmp(value, "choices") == 0)
            o.answer = choice_answer;
        else if (strcmp(argv[i], "--set") == 0 && strcmp(value, "views") == 0)
            o.answer = view_answer;
        else
            must(strcmp(argv[i], "--set") == 0 && strcmp(value, "recipes") == 0, argv[i], 0);
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
        free(benches[i].x2);
        free(benches[i].out);
    }
    free(digests);
    return 0;
}
