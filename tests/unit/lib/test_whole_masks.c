/* Whole masks against G in MPFR at 320 bits: every small shape, larger ones by a transform along
 * side after side, and of those that would take too long the pixels nearest to the edge of the
 * mask. FMIX_WHOLE_MASKS=1 tries far more, in some ten minutes. */
#define IMAGE_BITS 320
#include "unit.h"

#include "context.h"
#include "image.h"
#include "plan.h"

#include <math.h>

static bool thorough(void) {
    const char *set = getenv("FMIX_WHOLE_MASKS");
    return set && set[0] == '1';
}

typedef struct complex_t {
    mpfr_t re, im;
} complex_t;

static complex_t *complex_new(size_t n) {
    complex_t *x = malloc(n * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < n; i++)
        mpfr_inits2(BITS, x[i].re, x[i].im, (mpfr_ptr)NULL);
    return x;
}

static void complex_free(complex_t *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        mpfr_clears(x[i].re, x[i].im, (mpfr_ptr)NULL);
    free(x);
}

/* One sample, and all that there is to know of it. */
typedef struct subject {
    uint32_t n[3];
    double delta;
    uint64_t seed, t;
    fmix_key key;
    complex_t *turns[3]; /* e^(2 pi i k / n_d) */
    mpfr_t total;        /* sum of the weights */
} subject;

static void subject_open(subject *s, const fmix_recipe *recipe, uint64_t t) {
    fmix_sides sides = fmix_shape_sides(&recipe->shape);
    *s = (subject){.delta = recipe->delta, .seed = recipe->seed, .t = t};
    assert_ok(fmix_key_derive(recipe->seed, FMIX_DOMAIN_SPECTRUM, &s->key));
    mpfr_init2(s->total, BITS);
    mpfr_set_zero(s->total, 1);
    for (int d = 0; d < 3; d++) {
        s->n[d] = sides.n[d];
        s->turns[d] = complex_new(s->n[d]);
        for (uint32_t k = 0; k < s->n[d]; k++)
            angle(s->turns[d][k].re, s->turns[d][k].im, k, s->n[d]);
    }
}

static void subject_close(subject *s) {
    for (int d = 0; d < 3; d++)
        complex_free(s->turns[d], s->n[d]);
    mpfr_clear(s->total);
    mpfr_free_cache();
}

/* c f^-delta Z of bin j, which is not 0; adds to the total. */
static void bin_value(subject *s, uint64_t j, complex_t *out) {
    uint64_t row = s->n[2] / 2 + 1;
    const uint32_t bin[3] = {(uint32_t)(j / row / s->n[1]), (uint32_t)(j / row % s->n[1]),
                             (uint32_t)(j % row)};
    mpfr_t weight;
    mpfr_init2(weight, BITS);
    weigh(weight, s->n, bin, s->delta);
    mpfr_add(s->total, s->total, weight, MPFR_RNDN);
    normal(out->re, out->im, &s->key, s->t, j);
    mpfr_mul(out->re, out->re, weight, MPFR_RNDN);
    mpfr_mul(out->im, out->im, weight, MPFR_RNDN);
    mpfr_clear(weight);
}

/* sum += a b */
static void add_product(complex_t *sum, const complex_t *a, const complex_t *b, mpfr_t scratch) {
    mpfr_fmms(scratch, a->re, b->re, a->im, b->im, MPFR_RNDN);
    mpfr_add(sum->re, sum->re, scratch, MPFR_RNDN);
    mpfr_fmma(scratch, a->re, b->im, a->im, b->re, MPFR_RNDN);
    mpfr_add(sum->im, sum->im, scratch, MPFR_RNDN);
}

/* In place, each of `lines` runs of n numbers `step` apart. */
static void transform_side(complex_t *x, size_t first, size_t n, size_t step,
                           const complex_t *turns) {
    complex_t *sums = complex_new(n);
    mpfr_t scratch;
    mpfr_init2(scratch, BITS);
    for (size_t e = 0; e < n; e++) {
        mpfr_set_zero(sums[e].re, 1);
        mpfr_set_zero(sums[e].im, 1);
        for (size_t b = 0; b < n; b++)
            add_product(&sums[e], &x[first + b * step], &turns[b * e % n], scratch);
    }
    for (size_t e = 0; e < n; e++) {
        mpfr_swap(x[first + e * step].re, sums[e].re);
        mpfr_swap(x[first + e * step].im, sums[e].im);
    }
    mpfr_clear(scratch);
    complex_free(sums, n);
}

/* G of every pixel, side after side. */
static void all_values(subject *s, mpfr_t *g) {
    size_t row = s->n[2] / 2 + 1, rows = (size_t)s->n[0] * s->n[1];
    complex_t *x = complex_new(rows * row);
    mpfr_t scratch;
    mpfr_init2(scratch, BITS);
    mpfr_set_zero(x[0].re, 1);
    mpfr_set_zero(x[0].im, 1);
    for (uint64_t j = 1; j < rows * row; j++)
        bin_value(s, j, &x[j]);
    for (size_t i = 0; i < s->n[1] * row; i++)
        transform_side(x, i, s->n[0], s->n[1] * row, s->turns[0]);
    for (size_t i = 0; i < s->n[0] * row; i++)
        transform_side(x, i / row * s->n[1] * row + i % row, s->n[1], row, s->turns[1]);
    for (size_t i = 0; i < rows * s->n[2]; i++) {
        size_t e = i % s->n[2];
        mpfr_set_zero(g[i], 1);
        for (size_t b = 0; b < row; b++) {
            const complex_t *a = &x[i / s->n[2] * row + b], *turn = &s->turns[2][b * e % s->n[2]];
            mpfr_fmms(scratch, a->re, turn->re, a->im, turn->im, MPFR_RNDN);
            mpfr_add(g[i], g[i], scratch, MPFR_RNDN);
        }
    }
    mpfr_clear(scratch);
    complex_free(x, rows * row);
}

/* G of a few pixels, by its definition. */
static void some_values(subject *s, const uint32_t *pixels, size_t count, mpfr_t *g) {
    uint32_t row = s->n[2] / 2 + 1;
    complex_t *work = complex_new(3);
    mpfr_t scratch;
    mpfr_init2(scratch, BITS);
    for (size_t i = 0; i < count; i++)
        mpfr_set_zero(g[i], 1);
    for (uint64_t j = 1; j < (uint64_t)s->n[0] * s->n[1] * row; j++) {
        bin_value(s, j, &work[0]);
        for (size_t i = 0; i < count; i++) {
            uint32_t e2 = pixels[i] % s->n[2], rest = pixels[i] / s->n[2];
            uint64_t b[3] = {j / row / s->n[1], j / row % s->n[1], j % row};
            const complex_t *t0 = &s->turns[0][b[0] * (rest / s->n[1]) % s->n[0]];
            const complex_t *t1 = &s->turns[1][b[1] * (rest % s->n[1]) % s->n[1]];
            const complex_t *t2 = &s->turns[2][b[2] * e2 % s->n[2]];
            mpfr_set_zero(work[1].re, 1);
            mpfr_set_zero(work[1].im, 1);
            mpfr_set_zero(work[2].re, 1);
            mpfr_set_zero(work[2].im, 1);
            add_product(&work[1], t0, t1, scratch);
            add_product(&work[2], &work[1], t2, scratch);
            mpfr_fmms(scratch, work[0].re, work[2].re, work[0].im, work[2].im, MPFR_RNDN);
            mpfr_add(g[i], g[i], scratch, MPFR_RNDN);
        }
    }
    mpfr_clear(scratch);
    complex_free(work, 3);
}

static mpfr_t *values_new(size_t n) {
    mpfr_t *g = malloc(n * sizeof *g);
    assert_non_null(g);
    for (size_t i = 0; i < n; i++)
        mpfr_init2(g[i], BITS);
    return g;
}

static void values_free(mpfr_t *g, size_t n) {
    for (size_t i = 0; i < n; i++)
        mpfr_clear(g[i]);
    free(g);
}

/* What qsort compares by; one thread only. */
static mpfr_t *sorted_by, tolerance, apart;
static const uint32_t *flat;

static int by_contract(const void *left, const void *right) {
    const uint32_t *a = left, *b = right;
    mpfr_sub(apart, sorted_by[*a], sorted_by[*b], MPFR_RNDN);
    if (mpfr_cmpabs(apart, tolerance) < 0)
        return flat[*a] < flat[*b] ? -1 : 1;
    return mpfr_sgn(apart) > 0 ? -1 : 1;
}

/* order: numbers of pixels, as they rank. */
static void rank(const subject *s, mpfr_t *g, const uint32_t *pixels, size_t n, uint32_t *order) {
    mpfr_inits2(BITS, tolerance, apart, (mpfr_ptr)NULL);
    mpfr_div_2ui(tolerance, s->total, 256, MPFR_RNDN);
    sorted_by = g;
    flat = pixels;
    for (size_t i = 0; i < n; i++)
        order[i] = (uint32_t)i;
    qsort(order, n, sizeof *order, by_contract);
    mpfr_clears(tolerance, apart, (mpfr_ptr)NULL);
}

static void draw(fmix_context *context, const fmix_recipe *recipe, uint64_t t,
                 unsigned char *mask) {
    fmix_plan *plan = NULL;
    fmix_scratch *scratch = NULL;
    assert_ok(fmix_plan_new(context, recipe, &plan));
    assert_ok(fmix_scratch_new(&scratch));
    assert_ok(fmix_plan_masks(plan, scratch, t, 1, FMIX_DTYPE_U8, mask));
    fmix_scratch_free(scratch);
    fmix_plan_free(plan);
}

/* Masks of every number of ones, or of `share` of them. */
static void check_whole(fmix_context *context, fmix_recipe *recipe, uint64_t t, uint32_t step) {
    subject s;
    uint32_t n = (uint32_t)fmix_shape_elements(&recipe->shape);
    uint32_t *pixels = malloc(n * sizeof *pixels), *order = malloc(n * sizeof *order);
    unsigned char *mask = malloc(n);
    mpfr_t *g = values_new(n);
    assert_true(pixels && order && mask);
    for (uint32_t i = 0; i < n; i++)
        pixels[i] = i;
    subject_open(&s, recipe, t);
    all_values(&s, g);
    rank(&s, g, pixels, n, order);
    recipe->lambda_given = true;
    for (uint32_t k = step < n ? step : n / 2; k < n; k += step) {
        recipe->lambda = (double)k / n;
        draw(context, recipe, t, mask);
        for (uint32_t i = 0; i < n; i++)
            assert_int_equal(mask[order[i]], i < k);
    }
    subject_close(&s);
    values_free(g, n);
    free(mask);
    free(order);
    free(pixels);
}

static void every_mask_of_every_small_shape_is_exact(void **state) {
    (void)state;
    static const double deltas[] = {0, 0.01, 1, 1.5, 3, 10};
    const uint32_t most = thorough() ? 60 : 18;
    fmix_context *context = unit_context();
    unsigned shapes = 0;
    for (uint32_t a = 1; a <= most; a++)
        for (uint32_t b = 1; a * b <= most; b++)
            for (uint32_t c = 1; a * b * c <= most; c++) {
                unsigned rank = a > 1 ? 3 : b > 1 ? 2 : 1; /* of others a leading 1 is as good */
                fmix_shape shape = {rank, {0}};
                const uint32_t sides[] = {a, b, c};
                for (unsigned d = 0; d < rank; d++)
                    shape.side[d] = sides[3 - rank + d];
                for (size_t i = 0; i < sizeof deltas / sizeof *deltas; i++) {
                    fmix_recipe recipe = {.seed = shapes, .shape = shape, .delta = deltas[i]};
                    check_whole(context, &recipe, UINT64_MAX - i, 1);
                }
                shapes++;
            }
    print_message("%u shapes\n", shapes);
    fmix_context_free(context);
}

static const struct wide {
    fmix_shape shape;
    double delta;
    bool slow;
} wides[] = {
    {{1, {512}}, 2, false},       {{1, {509}}, 0, false},       {{2, {2, 300}}, 10, false},
    {{2, {300, 2}}, 10, false},   {{2, {4, 128}}, 7, false},    {{2, {32, 32}}, 3, false},
    {{2, {31, 37}}, 1, false},    {{3, {13, 8, 21}}, 5, false}, {{3, {2, 64, 3}}, 10, false},
    {{2, {64, 64}}, 0, true},     {{2, {16, 1024}}, 10, true},  {{2, {1024, 16}}, 9, true},
    {{2, {2, 4096}}, 10, true},   {{2, {224, 224}}, 3, true},   {{2, {101, 103}}, 1.5, true},
    {{3, {32, 32, 32}}, 3, true}, {{3, {4, 4, 512}}, 10, true}, {{2, {256, 192}}, 0.1, true},
};

static void masks_of_larger_shapes_are_exact_whole(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    for (size_t i = 0; i < sizeof wides / sizeof *wides; i++) {
        const struct wide *w = &wides[i];
        if (w->slow && !thorough())
            continue;
        fmix_recipe recipe = {.seed = 100 + i, .shape = w->shape, .delta = w->delta};
        uint32_t n = (uint32_t)fmix_shape_elements(&w->shape);
        check_whole(context, &recipe, i, n / 61 | 1);
    }
    fmix_counters c;
    fmix_context_counters(context, &c);
    print_message("%llu masks, %llu contested\n", (unsigned long long)c.masks,
                  (unsigned long long)c.contested);
    assert_true(c.contested > 10);
    fmix_context_free(context);
}

/* What the transform saw: the pixels whose values are nearest to the edge. */
typedef struct edge {
    double *g;
} edge;

static void see(void *user, const double *g, uint64_t n, double bound) {
    (void)bound;
    memcpy(((edge *)user)->g, g, (size_t)n * sizeof *g);
}

static const double *compared;
static double cut;

static int by_nearness(const void *left, const void *right) {
    const uint32_t *a = left, *b = right;
    double x = fabs(compared[*a] - cut), y = fabs(compared[*b] - cut);
    return (x > y) - (x < y);
}

/* The few pixels that are nearest to the edge of one mask: its ones rank before its zeros. */
static void check_edge(fmix_context *context, const fmix_recipe *recipe, uint64_t t) {
    enum { FEW = 24 };
    subject s;
    uint32_t n = (uint32_t)fmix_shape_elements(&recipe->shape);
    uint32_t *pixels = malloc(n * sizeof *pixels), order[FEW];
    unsigned char *mask = malloc(n);
    edge seen = {malloc(n * sizeof(double))};
    mpfr_t *g = values_new(FEW);
    assert_true(pixels && mask && seen.g);
    context->hooks.watch = see;
    context->hooks.watch_user = &seen;
    draw(context, recipe, t, mask);
    double least = HUGE_VAL, most = -HUGE_VAL; /* of ones, of zeros */
    for (uint32_t i = 0; i < n; i++) {
        pixels[i] = i;
        least = mask[i] ? fmin(least, seen.g[i]) : least;
        most = mask[i] ? most : fmax(most, seen.g[i]);
    }
    compared = seen.g;
    cut = (least + most) / 2;
    qsort(pixels, n, sizeof *pixels, by_nearness);
    subject_open(&s, recipe, t);
    some_values(&s, pixels, FEW, g);
    rank(&s, g, pixels, FEW, order);
    uint32_t ones = 0;
    for (size_t i = 0; i < FEW; i++)
        ones += mask[pixels[i]];
    assert_true(ones > 0 && ones < FEW);
    for (size_t i = 0; i < FEW; i++)
        assert_int_equal(mask[pixels[order[i]]], i < ones);
    subject_close(&s);
    values_free(g, FEW);
    free(seen.g);
    free(mask);
    free(pixels);
}

static const struct wide large[] = {
    {{2, {32, 512}}, 10, false},  {{2, {96, 96}}, 1, false},       {{1, {10007}}, 0.5, false},
    {{2, {512, 512}}, 0, true},   {{2, {1024, 1024}}, 1, true},    {{2, {16, 65536}}, 10, true},
    {{2, {65536, 4}}, 8, true},   {{3, {128, 128, 128}}, 2, true}, {{3, {2, 1024, 512}}, 10, true},
    {{2, {1021, 1031}}, 3, true}, {{2, {2048, 2048}}, 2, true},    {{2, {4096, 4096}}, 10, true},
};

static void masks_of_large_shapes_are_exact_at_their_edge(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        const struct wide *w = &large[i];
        if (w->slow && !thorough())
            continue;
        fmix_recipe recipe = {
            .seed = 200 + i, .shape = w->shape, .delta = w->delta, .lambda_given = true};
        recipe.lambda = 0.37;
        check_edge(context, &recipe, i);
    }
    fmix_context_free(context);
}

RUN(T(every_mask_of_every_small_shape_is_exact), T(masks_of_larger_shapes_are_exact_whole),
    T(masks_of_large_shapes_are_exact_at_their_edge))
