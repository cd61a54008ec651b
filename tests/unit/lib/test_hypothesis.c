/* Hypothesis H (lib/BOUND.md, section 5): a transform's error is at most 64 u log2(N) ||X||_1.
 * Values are summed by their definition in double-double, all of them or, where that would take
 * long, some. */
#include "unit.h"

#include "double_double.h"
#include "kernels.h"
#include "memory.h"
#include "spectrum.h"
#include "transform.h"
#include "transform_way.h"

#include <math.h>

#define UNIT 0x1p-53
#define SEEN 8.0                   /* what no case here may pass, of the 64 that H allows */
#define WORK ((uint64_t)80 * 1000) /* bins times values summed for one input */

/* A half spectrum and what it takes to sum it at any element. */
typedef struct subject {
    fmix_shape shape;
    uint32_t n[3];
    size_t row, bins, elements;
    double *x, *spoiled, *g; /* spoiled: the copy that the transform destroys */
    fmix_dd *cosine, *sine;  /* of 2 pi i / elements */
    bool *column;            /* bins whose last coordinate is its own mirror */
} subject;

static subject subject_new(const fmix_shape *shape) {
    subject s = {.shape = *shape, .n = {1, 1, 1}};
    for (unsigned d = 0; d < shape->rank; d++)
        s.n[3 - shape->rank + d] = shape->side[d];
    s.elements = (size_t)s.n[0] * s.n[1] * s.n[2];
    s.row = s.n[2] / 2 + 1;
    s.bins = (size_t)s.n[0] * s.n[1] * s.row;
    s.x = fmix_aligned_new(2 * (s.bins + FMIX_KERNELS_PAD));
    s.spoiled = fmix_aligned_new(2 * s.bins);
    s.g = fmix_aligned_new(s.elements);
    s.cosine = malloc(s.elements * sizeof *s.cosine);
    s.sine = malloc(s.elements * sizeof *s.sine);
    assert_true(s.x && s.spoiled && s.g && s.cosine && s.sine);
    for (size_t i = 0; i < s.elements; i++)
        fmix_dd_turn(i, s.elements, &s.cosine[i], &s.sine[i]);
    return s;
}

static void subject_free(subject *s) {
    fmix_aligned_free(s->x);
    fmix_aligned_free(s->spoiled);
    fmix_aligned_free(s->g);
    free(s->cosine);
    free(s->sine);
}

static bool own_column(const subject *s, size_t b2) {
    return (s->n[2] - b2) % s->n[2] == b2;
}

static size_t mirror(const subject *s, size_t b0, size_t b1, size_t b2) {
    return ((s->n[0] - b0) % s->n[0] * s->n[1] + (s->n[1] - b1) % s->n[1]) * s->row + b2;
}

/* Sets a bin, and in a self-mirrored column its mirror with it. */
static void put(subject *s, size_t j, double re, double im) {
    size_t b2 = j % s->row, b1 = j / s->row % s->n[1], b0 = j / s->row / s->n[1];
    s->x[2 * j] = re;
    s->x[2 * j + 1] = im;
    if (!own_column(s, b2))
        return;
    size_t m = mirror(s, b0, b1, b2);
    s->x[2 * m] = re;
    s->x[2 * m + 1] = m == j ? 0 : -im;
}

static long double norm_of(const subject *s) {
    long double sum = 0;
    for (size_t j = 0; j < s->bins; j++)
        sum += (own_column(s, j % s->row) ? 1 : 2) * hypotl(s->x[2 * j], s->x[2 * j + 1]);
    return sum;
}

/* sum over the full plane of X_b e^(2 pi i sum b_d e_d / n_d), by the half: double what has a
 * mirror outside it. The phase is counted in integers, in units of 1/elements. */
static fmix_dd exact_at(const subject *s, size_t element) {
    uint64_t n = s->elements;
    uint64_t step[3] = {element / s->n[2] / s->n[1] * (n / s->n[0]),
                        element / s->n[2] % s->n[1] * (n / s->n[1]),
                        element % s->n[2] * (n / s->n[2])};
    fmix_dd sum = {0, 0};
    size_t j = 0;
    for (uint64_t b0 = 0; b0 < s->n[0]; b0++)
        for (uint64_t b1 = 0; b1 < s->n[1]; b1++) {
            uint64_t phase = (b0 * step[0] + b1 * step[1]) % n;
            for (size_t b2 = 0; b2 < s->row; b2++, j++) {
                double times = own_column(s, b2) ? 1 : 2;
                double re = times * s->x[2 * j], im = times * s->x[2 * j + 1];
                if (re != 0)
                    sum = fmix_dd_add(sum, fmix_dd_scale(s->cosine[phase], re));
                if (im != 0)
                    sum = fmix_dd_sub(sum, fmix_dd_scale(s->sine[phase], im));
                phase += step[2];
                phase -= phase >= n ? n : 0;
            }
        }
    return sum;
}

/* |g - exact| at the worst element looked at, as a multiple of ||X||_1. `also` is looked at always.
 */
static double error_of(const subject *s, size_t also, uint64_t *random) {
    long double norm = norm_of(s);
    uint64_t count = WORK / s->bins + 1;
    bool every = count >= s->elements;
    double worst = 0;
    for (uint64_t i = 0; i < (every ? s->elements : count); i++) {
        size_t element = every ? (size_t)i : i ? (size_t)(unit_random(random) % s->elements) : also;
        fmix_dd e = fmix_dd_sub(exact_at(s, element), fmix_dd_from(s->g[element]));
        worst = fabs(e.high) > worst ? fabs(e.high) : worst;
    }
    return (double)(worst / norm);
}

/* Inputs. What counts against ||X||_1 is few large bins, or many whose waves all meet somewhere, or
 * one large bin and dust that is rounded up each time it is added. */
enum { PAPER_0, PAPER_3, PAPER_10, ONE_BIN, TWO_BINS, MEET, DUST, NOISE, INPUTS };

static double uniform(uint64_t *random) {
    return (double)(unit_random(random) >> 11) * 0x1p-52 - 1;
}

static void fill_paper(subject *s, double delta, uint64_t *random) {
    fmix_cache *cache = NULL;
    const fmix_weights *weights = NULL;
    void *entry = NULL;
    fmix_key key;
    assert_ok(fmix_cache_new(1u << 20, &cache));
    assert_ok(fmix_key_derive(1, FMIX_DOMAIN_SPECTRUM, &key));
    assert_ok(fmix_weights_get(cache,
                               (fmix_spectrum_params[]){fmix_spectrum_params_of(
                                   &(fmix_recipe){.shape = s->shape, .delta = delta})},
                               &weights, &entry));
    fmix_spectrum_fill(weights, fmix_kernels_best(), &key, unit_random(random), s->x);
    fmix_cache_release(cache, entry);
    fmix_cache_free(cache);
}

/* Every wave has its crest, of this height, at one element, which it returns. */
static size_t fill_meet(subject *s, double height, uint64_t *random) {
    size_t element = (size_t)(unit_random(random) % s->elements);
    uint64_t n = s->elements;
    for (size_t j = 0; j < s->bins; j++) {
        size_t b2 = j % s->row, b1 = j / s->row % s->n[1], b0 = j / s->row / s->n[1];
        uint64_t phase = (b0 * (element / s->n[2] / s->n[1]) % s->n[0] * (n / s->n[0]) +
                          b1 * (element / s->n[2] % s->n[1]) % s->n[1] * (n / s->n[1]) +
                          b2 * (element % s->n[2]) % s->n[2] * (n / s->n[2])) %
                         n;
        put(s, j, height * s->cosine[phase].high, -height * s->sine[phase].high);
    }
    return element;
}

/* Returns an element worth a look. */
static size_t fill(subject *s, int input, uint64_t *random) {
    static const double deltas[] = {[PAPER_0] = 0, [PAPER_3] = 3, [PAPER_10] = 10};
    size_t waves = input == ONE_BIN ? 1 : 2, also;
    memset(s->x, 0, 2 * s->bins * sizeof *s->x);
    switch (input) {
    case PAPER_0:
    case PAPER_3:
    case PAPER_10:
        fill_paper(s, deltas[input], random);
        return 0;
    case ONE_BIN:
    case TWO_BINS:
        for (size_t i = 0; i < waves; i++)
            put(s, (size_t)(unit_random(random) % s->bins), 1 + uniform(random) / 2,
                uniform(random));
        return 0;
    case MEET:
        return fill_meet(s, 1, random);
    case DUST:
        also = fill_meet(s, UNIT * (1.5 + uniform(random)), random);
        if (s->bins > 1)
            put(s, 1, s->x[2] / UNIT, s->x[3] / UNIT);
        return also;
    default:
        for (size_t j = 0; j < s->bins; j++)
            put(s, j, uniform(random), uniform(random));
        return 0;
    }
}

static double log2_up(size_t n) {
    double levels = 0;
    for (size_t power = 1; power < n; power *= 2)
        levels++;
    return levels;
}

/* Puts every kind of input through a transform (or, without one, a way): the largest error, in
 * units of u log2(N) ||X||_1. */
static double ratio_of(subject *s, const fmix_transform *transform, const fmix_way *way,
                       int repeats) {
    uint64_t random = 77;
    double worst = 0;
    for (int i = 0; i < INPUTS * repeats; i++) {
        size_t also = fill(s, i % INPUTS, &random);
        memcpy(s->spoiled, s->x, 2 * s->bins * sizeof *s->x);
        for (size_t e = 0; e < s->elements; e++)
            s->g[e] = NAN;
        if (transform)
            fmix_transform_run(transform, s->spoiled, s->g);
        else
            fmix_way_run(way, s->spoiled, s->g);
        if (norm_of(s) == 0)
            continue; /* a side of 1: the zero bin alone */
        double error = error_of(s, also, &random);
        assert_true(error <= fmix_transform_bound(s->elements)); /* H */
        if (s->elements > 1)
            error /= UNIT * log2_up(s->elements);
        assert_true(error <= SEEN);
        worst = error > worst ? error : worst;
    }
    return worst;
}

static double ratio_of_shape(const fmix_shape *shape, int repeats) {
    subject s = subject_new(shape);
    const fmix_transform *transform = NULL;
    fmix_cache *cache = NULL;
    void *entry = NULL;
    assert_ok(fmix_cache_new(1u << 20, &cache));
    assert_ok(fmix_transform_get(cache, shape, &transform, &entry));
    double ratio = ratio_of(&s, transform, NULL, repeats);
    fmix_cache_release(cache, entry);
    fmix_cache_free(cache);
    subject_free(&s);
    return ratio;
}

static void report(const char *what, const double *ratios, const fmix_shape *shapes, size_t n) {
    size_t worst = 0;
    for (size_t i = 1; i < n; i++)
        worst = ratios[i] > ratios[worst] ? i : worst;
    print_message("H, %s: at most %.2f u log2(N) ||X||_1 of 64, at %u", what, ratios[worst],
                  shapes[worst].side[0]);
    for (unsigned d = 1; d < shapes[worst].rank; d++)
        print_message("x%u", shapes[worst].side[d]);
    print_message("\n");
}

static void check_lines(const char *what, const uint32_t *sides, size_t n, int repeats) {
    fmix_shape shapes[64];
    double ratios[64];
    assert_true(n <= 64);
    for (size_t i = 0; i < n; i++) {
        shapes[i] = (fmix_shape){1, {sides[i], 0, 0}};
        ratios[i] = ratio_of_shape(&shapes[i], repeats);
    }
    report(what, ratios, shapes, n);
}

#define LINES(what, repeats, ...)                                                                  \
    do {                                                                                           \
        static const uint32_t sides[] = {__VA_ARGS__};                                             \
        check_lines(what, sides, sizeof sides / sizeof *sides, repeats);                           \
    } while (0)

static void hypothesis_holds_at_powers_of_two(void **state) {
    (void)state;
    LINES("powers of two", 2, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 16384);
}

static void hypothesis_holds_at_smooth_sizes(void **state) {
    (void)state;
    LINES("smooth sizes", 2, 6, 9, 10, 12, 15, 18, 25, 27, 28, 45, 49, 60, 100, 121, 125, 169, 210,
          224, 243, 343, 360, 500, 1000, 1155, 2310, 5040, 9216);
}

static void hypothesis_holds_at_primes(void **state) {
    (void)state;
    LINES("primes", 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 53, 61, 71, 83, 97, 101, 113,
          127, 131, 139, 149, 157, 163, 167, 173, 179, 181, 191, 193, 197, 211, 223, 227, 251, 257,
          307, 383, 467, 503, 509, 563, 1019, 1021, 2039, 4093, 8191, 16381);
}

/* The largest error of inputs of one bin and dust, in units of u log2(N) ||X||_1. */
static double ratio_of_dust(fmix_way_kind kind, const fmix_shape *shape, int repeats) {
    subject s = subject_new(shape);
    fmix_way way;
    uint64_t random = 5;
    double worst = 0;
    assert_true(fmix_way_plan(kind, FFTW_ESTIMATE, shape, s.spoiled, s.g, &way));
    for (int repeat = 0; repeat < repeats; repeat++) {
        size_t element = fill(&s, DUST, &random);
        memcpy(s.spoiled, s.x, 2 * s.bins * sizeof *s.x);
        fmix_way_run(&way, s.spoiled, s.g);
        double error = fabs(fmix_dd_sub(exact_at(&s, element), fmix_dd_from(s.g[element])).high);
        error /= UNIT * log2_up(s.elements) * (double)norm_of(&s);
        worst = error > worst ? error : worst;
    }
    fmix_way_drop(&way);
    subject_free(&s);
    return worst;
}

/* Up to 173, FFTW sums a prime size by its definition, so the rounding of n/2 additions may add up:
 * the worst that is known for H. Were every one off by u in the same direction, 173 would have
 * (n/2 + 4) / log2(n) = 12, and two rows at once twice (n/2 + 4) / (log2(n) + 1) = 20: that the
 * other cases stay below SEEN is luck, here it is arithmetic. */
static void hypothesis_holds_where_rounding_adds_up(void **state) {
    (void)state;
    static const uint32_t sides[] = {53, 71, 101, 113, 127, 139, 149, 163, 167, 173, 179, 191};
    enum { N = sizeof sides / sizeof *sides };
    fmix_shape shapes[2 * N];
    double ratios[2 * N];
    for (size_t i = 0; i < 2 * N; i++) {
        bool alone = i < N;
        shapes[i] = alone ? (fmix_shape){1, {sides[i], 0, 0}} : (fmix_shape){2, {2, sides[i - N]}};
        ratios[i] = ratio_of_dust(alone ? FMIX_WAY_WHOLE : FMIX_WAY_PAIRS, &shapes[i], 300);
        assert_true(ratios[i] <= (alone ? 12 : 20));
    }
    report("one bin and dust", ratios, shapes, N);
    report("one bin and dust, two rows at once", ratios + N, shapes + N, N);
}

static void hypothesis_holds_at_multiples_of_primes(void **state) {
    (void)state;
    LINES("multiples of primes", 2, 2 * 127, 3 * 127, 4 * 127, 9 * 127, 2 * 13, 8 * 17, 4 * 31,
          2 * 71, 2 * 167, 2 * 173, 3 * 173, 2 * 251, 3 * 509, 16 * 257, 127 * 127, 13 * 257,
          31 * 67, 6 * 1021, 2 * 8191);
}

static void hypothesis_holds_at_long_lines(void **state) {
    (void)state;
    LINES("long lines", 1, 65536, 65537, 131071, 3 * 43691, 99991, 100000);
}

/* FFTW's own tests plan so; its header does not name it. */
#define WITHOUT_SIMD (1u << 17)

/* Every way to plan: no plan may show (README, Reproducibility). Which plans those are depends on
 * the machine and the day, so this looks at other ones each time. */
static const struct kind {
    const char *name;
    unsigned flags;
} kinds[] = {{"estimated, without SIMD", FFTW_ESTIMATE | WITHOUT_SIMD},
             {"estimated, unaligned", FFTW_ESTIMATE | FFTW_UNALIGNED},
             {"measured", FFTW_MEASURE},
             {"measured, unaligned, without SIMD", FFTW_MEASURE | FFTW_UNALIGNED | WITHOUT_SIMD},
             {"patient", FFTW_PATIENT}};
#define KINDS (sizeof kinds / sizeof *kinds)

/* The ways that FFTW has for primes, as its plans are printed. */
static const char *const ways[] = {"generic", "rader", "bluestein"};
enum { WAYS = sizeof ways / sizeof *ways };

static void see(fftw_plan plan, unsigned seen[WAYS]) {
    char *text = plan ? fftw_sprint_plan(plan) : NULL;
    for (int w = 0; text && w < WAYS; w++)
        seen[w] += strstr(text, ways[w]) != NULL;
    free(text);
}

static double ratio_of_kind(const struct kind *kind, const fmix_shape *shape, unsigned seen[WAYS]) {
    subject s = subject_new(shape);
    double worst = 0;
    for (unsigned k = 0; k < FMIX_WAY_KINDS; k++) {
        fmix_way way;
        if (!fmix_way_serves(k, shape))
            continue;
        assert_true(fmix_way_plan(k, kind->flags, shape, s.spoiled, s.g, &way));
        see(way.whole, seen);
        see(way.columns, seen);
        see(way.rows, seen);
        double ratio = ratio_of(&s, NULL, &way, 2);
        worst = ratio > worst ? ratio : worst;
        fmix_way_drop(&way);
    }
    subject_free(&s);
    return worst;
}

static void hypothesis_holds_in_planes_and_volumes(void **state) {
    (void)state;
    static const fmix_shape shapes[] = {
        {2, {1, 1, 0}},     {2, {1, 2, 0}},    {2, {2, 1, 0}},     {2, {1, 127, 0}},
        {2, {127, 1, 0}},   {2, {3, 5, 0}},    {2, {16, 16, 0}},   {2, {32, 32, 0}},
        {2, {7, 13, 0}},    {2, {24, 48, 0}},  {2, {31, 127, 0}},  {2, {127, 31, 0}},
        {2, {2, 257, 0}},   {2, {257, 2, 0}},  {2, {16, 1024, 0}}, {2, {1024, 16, 0}},
        {2, {167, 173, 0}}, {2, {64, 509, 0}}, {2, {254, 6, 0}},   {2, {97, 101, 0}},
        {3, {1, 1, 1}},     {3, {1, 1, 31}},   {3, {31, 1, 1}},    {3, {1, 31, 1}},
        {3, {2, 2, 2}},     {3, {3, 4, 5}},    {3, {8, 8, 8}},     {3, {7, 11, 13}},
        {3, {16, 16, 16}},  {3, {5, 1, 127}},  {3, {127, 3, 2}},   {3, {13, 17, 19}},
        {3, {2, 173, 3}},   {3, {6, 10, 15}},
    };
    enum { N = sizeof shapes / sizeof *shapes };
    double ratios[N];
    unsigned seen[WAYS] = {0};
    for (size_t i = 0; i < N; i++)
        ratios[i] = ratio_of_kind(&(struct kind){"estimated", FFTW_ESTIMATE}, &shapes[i], seen);
    report("planes and volumes", ratios, shapes, N);
}

static void hypothesis_holds_for_every_kind_of_plan(void **state) {
    (void)state;
    static const fmix_shape shapes[] = {
        {1, {127, 0, 0}},   {1, {512, 0, 0}},  {1, {1000, 0, 0}}, {1, {173, 0, 0}},
        {1, {509, 0, 0}},   {1, {1021, 0, 0}}, {1, {4093, 0, 0}}, {1, {8191, 0, 0}},
        {1, {16381, 0, 0}}, {1, {6138, 0, 0}}, {2, {32, 32, 0}},  {2, {28, 28, 0}},
        {2, {13, 127, 0}},  {2, {2, 1021, 0}}, {2, {227, 7, 0}},  {3, {8, 12, 10}},
        {3, {3, 5, 131}},   {2, {2, 127, 0}},  {2, {254, 6, 0}},  {3, {2, 3, 139}}};
    enum { N = sizeof shapes / sizeof *shapes };
    double ratios[N];
    unsigned seen[WAYS] = {0};
    fftw_set_timelimit(0.2);
    for (size_t k = 0; k < (unit_short() ? KINDS - 1 : KINDS); k++) {
        fftw_forget_wisdom();
        for (size_t i = 0; i < N; i++)
            ratios[i] = ratio_of_kind(&kinds[k], &shapes[i], seen);
        report(kinds[k].name, ratios, shapes, N);
    }
    fftw_set_timelimit(FFTW_NO_TIMELIMIT);
    for (int w = 0; w < WAYS; w++)
        print_message("%u of these plans use %s\n", seen[w], ways[w]);
    assert_true(seen[0] > 0 && seen[1] > 0);
}

RUN(T(hypothesis_holds_at_powers_of_two), T(hypothesis_holds_at_smooth_sizes),
    T(hypothesis_holds_at_primes), T(hypothesis_holds_where_rounding_adds_up),
    T(hypothesis_holds_at_multiples_of_primes), T(hypothesis_holds_at_long_lines),
    T(hypothesis_holds_in_planes_and_volumes), T(hypothesis_holds_for_every_kind_of_plan))
