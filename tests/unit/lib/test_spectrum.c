#include "unit.h"

#include "spectrum.h"

#include <math.h>
#include <mpfr.h>

static const fmix_shape shapes[] = {
    {1, {1, 0, 0}},    {1, {2, 0, 0}},   {1, {3, 0, 0}},  {1, {8, 0, 0}},  {1, {97, 0, 0}},
    {1, {120, 0, 0}},  {2, {1, 1, 0}},   {2, {1, 8, 0}},  {2, {8, 1, 0}},  {2, {5, 7, 0}},
    {2, {4, 6, 0}},    {2, {6, 5, 0}},   {2, {13, 8, 0}}, {2, {3, 40, 0}}, {2, {64, 2, 0}},
    {3, {1, 1, 9}},    {3, {3, 4, 5}},   {3, {4, 4, 4}},  {3, {2, 1, 6}},  {3, {5, 3, 2}},
    {1, {2051, 0, 0}}, {2, {40, 62, 0}}, {3, {6, 1, 1}},  {3, {7, 2, 11}},
};
#define SHAPES (sizeof shapes / sizeof *shapes)

static const double deltas[] = {0, 0.25, 1, 2, 3, 4.7, 7, 10};
#define DELTAS (sizeof deltas / sizeof *deltas)

static fmix_spectrum_params params_of(const fmix_shape *shape, double delta) {
    return fmix_spectrum_params_of(&(fmix_recipe){.shape = *shape, .delta = delta});
}

static fmix_cache *cache_new(void) {
    fmix_cache *cache = NULL;
    assert_ok(fmix_cache_new(64u << 20, &cache));
    return cache;
}

static fmix_key key_of(uint64_t seed) {
    fmix_key key;
    assert_ok(fmix_key_derive(seed, FMIX_DOMAIN_SPECTRUM, &key));
    return key;
}

/* A bin of the half spectrum, of sides from the back (missing ones in front are 1). */
typedef struct bin {
    uint32_t n[3], b[3];
    size_t mirror;    /* flat index of -b, if the last coordinate is its own mirror */
    bool column, own; /* last coordinate is its own mirror; the whole bin is */
    bool zero;        /* the bin of frequency 0 */
} bin;

static bin bin_at(const fmix_shape *shape, size_t flat) {
    bin a = {.n = {1, 1, 1}};
    for (unsigned d = 0; d < shape->rank; d++)
        a.n[3 - shape->rank + d] = shape->side[d];
    size_t row = a.n[2] / 2 + 1;
    a.b[2] = (uint32_t)(flat % row);
    a.b[1] = (uint32_t)(flat / row % a.n[1]);
    a.b[0] = (uint32_t)(flat / row / a.n[1]);
    size_t m0 = (a.n[0] - a.b[0]) % a.n[0], m1 = (a.n[1] - a.b[1]) % a.n[1];
    a.column = (a.n[2] - a.b[2]) % a.n[2] == a.b[2];
    a.mirror = (m0 * a.n[1] + m1) * row + a.b[2];
    a.own = a.column && a.mirror == flat;
    a.zero = flat == 0;
    return a;
}

static long signed_number(uint32_t b, uint32_t n) {
    return 2 * (uint64_t)b > n ? (long)b - (long)n : (long)b;
}

/* f^-delta, and 0 at the zero bin */
static void power_of(const bin *a, double delta, mpfr_t out) {
    mpfr_t k;
    mpfr_init2(k, 200);
    mpfr_set_zero(out, 1);
    for (int d = 0; d < 3; d++) {
        mpfr_set_si(k, signed_number(a->b[d], a->n[d]), MPFR_RNDN);
        mpfr_div_ui(k, k, a->n[d], MPFR_RNDN);
        mpfr_sqr(k, k, MPFR_RNDN);
        mpfr_add(out, out, k, MPFR_RNDN);
    }
    if (!a->zero) {
        mpfr_set_d(k, -delta / 2, MPFR_RNDN);
        mpfr_pow(out, out, k, MPFR_RNDN);
    }
    mpfr_clear(k);
}

/* |w - exact| in units of u * exact; 0 of 0 */
static double error_of(double w, const mpfr_t exact) {
    mpfr_t e;
    mpfr_init2(e, 200);
    mpfr_sub_d(e, exact, w, MPFR_RNDN);
    if (!mpfr_zero_p(e))
        mpfr_div(e, e, exact, MPFR_RNDN);
    mpfr_mul_2si(e, e, 53, MPFR_RNDN);
    double ratio = fabs(mpfr_get_d(e, MPFR_RNDA));
    mpfr_clear(e);
    return ratio;
}

/* Every `stride`th weight against MPFR: the largest error seen, in units of u. */
static double largest_error(const fmix_shape *shape, double delta, const fmix_weights *weights,
                            size_t stride, mpfr_t total) {
    double worst = 0;
    mpfr_t power, root;
    mpfr_inits2(200, power, root, (mpfr_ptr)NULL);
    mpfr_set_zero(total, 1);
    for (size_t j = 0; j < weights->bins; j += stride) {
        bin a = bin_at(shape, j);
        power_of(&a, delta, power);
        mpfr_set_d(root, a.column ? 1 : 0.5, MPFR_RNDN);
        mpfr_sqrt(root, root, MPFR_RNDN);
        mpfr_mul(root, power, root, MPFR_RNDN);
        if (a.zero)
            assert_true(weights->w[j] == 0);
        double error = error_of(weights->w[j], root);
        worst = error > worst ? error : worst;
        mpfr_set_d(root, a.column ? 1 : 2, MPFR_RNDN); /* c is 1 or sqrt 2 */
        mpfr_sqrt(root, root, MPFR_RNDN);
        mpfr_fma(total, root, power, total, MPFR_RNDN);
    }
    mpfr_clears(power, root, (mpfr_ptr)NULL);
    return worst;
}

static void weights_and_their_total_are_those_of_mpfr(void **state) {
    (void)state;
    fmix_cache *cache = cache_new();
    double worst = 0;
    mpfr_t total;
    mpfr_init2(total, 200);
    for (size_t s = 0; s < SHAPES; s++)
        for (size_t d = 0; d < DELTAS; d++) {
            const fmix_weights *weights = NULL;
            void *entry = NULL;
            assert_ok(fmix_weights_get(cache,
                                       (fmix_spectrum_params[]){params_of(&shapes[s], deltas[d])},
                                       &weights, &entry));
            bin last = bin_at(&shapes[s], 0);
            assert_true(weights->bins == (uint64_t)last.n[0] * last.n[1] * (last.n[2] / 2 + 1));
            double error = largest_error(&shapes[s], deltas[d], weights, 1, total);
            worst = error > worst ? error : worst;
            assert_true(error <= 48);
            assert_true(error_of(weights->total, total) <= 0x1p23); /* 2^-30 of it */
            fmix_cache_release(cache, entry);
        }
    print_message("weights: at most %.1f u of 48 u\n", worst);
    mpfr_clear(total);
    fmix_cache_free(cache);
}

static void weights_of_long_sides_keep_the_bound(void **state) {
    (void)state;
    static const fmix_shape large[] = {
        {1, {1u << 20, 0, 0}}, {2, {4099, 101, 0}}, {2, {2, 1u << 19, 0}}, {3, {61, 64, 67}}};
    fmix_cache *cache = cache_new();
    mpfr_t total;
    mpfr_init2(total, 200);
    for (size_t s = 0; s < sizeof large / sizeof *large; s++)
        for (int d = 0; d < 3; d++) {
            static const double some[] = {0.3, 3, 10};
            const fmix_weights *weights = NULL;
            void *entry = NULL;
            assert_ok(fmix_weights_get(
                cache, (fmix_spectrum_params[]){params_of(&large[s], some[d])}, &weights, &entry));
            assert_true(largest_error(&large[s], some[d], weights, 997, total) <= 48);
            fmix_cache_release(cache, entry);
        }
    mpfr_clear(total);
    fmix_cache_free(cache);
}

static void weights_are_kept_by_shape_and_delta(void **state) {
    (void)state;
    fmix_cache *cache = cache_new();
    const fmix_weights *a = NULL, *b = NULL, *c = NULL, *d = NULL;
    void *held[4] = {0};
    fmix_shape shape = {2, {6, 5, 77}}, same = {2, {6, 5, 99}}, other = {2, {5, 6, 0}};
    assert_false(fmix_weights_cached(cache, (fmix_spectrum_params[]){params_of(&shape, 3)}));
    assert_ok(
        fmix_weights_get(cache, (fmix_spectrum_params[]){params_of(&shape, 3)}, &a, &held[0]));
    assert_true(fmix_weights_cached(cache, (fmix_spectrum_params[]){params_of(
                                               &same, 3)})); /* sides past the rank mean nothing */
    assert_false(fmix_weights_cached(
        cache, (fmix_spectrum_params[]){params_of(&shape, 0x1.8000000000001p+1)}));
    assert_false(fmix_weights_cached(cache, (fmix_spectrum_params[]){params_of(&other, 3)}));
    assert_ok(fmix_weights_get(cache, (fmix_spectrum_params[]){params_of(&same, 3)}, &b, &held[1]));
    assert_ok(
        fmix_weights_get(cache, (fmix_spectrum_params[]){params_of(&shape, 2)}, &c, &held[2]));
    assert_ok(
        fmix_weights_get(cache, (fmix_spectrum_params[]){params_of(&other, 3)}, &d, &held[3]));
    assert_ptr_equal(a, b);
    assert_true(c != a && d != a && d != c);
    for (int i = 0; i < 4; i++)
        fmix_cache_release(cache, held[i]);
    fmix_cache_free(cache);
}

/* A shape's weights and room for one spectrum. */
typedef struct subject {
    fmix_cache *cache;
    const fmix_weights *weights;
    void *entry;
    double *x;
} subject;

static subject subject_new(const fmix_shape *shape, double delta) {
    subject s = {.cache = cache_new()};
    assert_ok(fmix_weights_get(s.cache, (fmix_spectrum_params[]){params_of(shape, delta)},
                               &s.weights, &s.entry));
    s.x = malloc(2 * ((size_t)s.weights->bins + FMIX_KERNELS_PAD) * sizeof *s.x);
    assert_non_null(s.x);
    return s;
}

static void subject_free(subject *s) {
    free(s->x);
    fmix_cache_release(s->cache, s->entry);
    fmix_cache_free(s->cache);
}

static void self_mirrored_columns_are_hermitian(void **state) {
    (void)state;
    fmix_key key = key_of(3);
    for (size_t i = 0; i < SHAPES; i++) {
        subject s = subject_new(&shapes[i], deltas[i % DELTAS]);
        for (uint64_t t = 0; t < 20; t++) {
            fmix_spectrum_fill(s.weights, fmix_kernels_best(), &key, t, s.x);
            for (size_t j = 0; j < s.weights->bins; j++) {
                bin a = bin_at(&shapes[i], j);
                double re = s.x[2 * j], im = s.x[2 * j + 1];
                assert_true(isfinite(re) && isfinite(im));
                assert_true(a.zero ? re == 0 && im == 0 : re != 0);
                if (a.column)
                    assert_true(s.x[2 * a.mirror] == re && s.x[2 * a.mirror + 1] == -im);
                assert_true(a.own ? im == 0 : im != 0);
            }
        }
        subject_free(&s);
    }
}

/* The definition, bin by bin, from the words: libm will do for 2^-40. */
static void spectrum_is_weight_times_the_normals_of_the_words(void **state) {
    (void)state;
    const double tau = 6.283185307179586;
    fmix_key key = key_of(8);
    for (size_t i = 0; i < SHAPES; i++) {
        subject s = subject_new(&shapes[i], 2);
        size_t bins = (size_t)s.weights->bins;
        double *y = malloc(2 * bins * sizeof *y);
        assert_non_null(y);
        fmix_spectrum_fill(s.weights, fmix_kernels_best(), &key, 7, s.x);
        for (size_t j = 0; j < bins; j++) {
            uint32_t w[4];
            fmix_words_block(&key, 7, j / 2, w);
            double radius = sqrt(-2 * log((w[j % 2 * 2] + 1.0) * 0x1p-32));
            double angle = tau * (w[j % 2 * 2 + 1] * 0x1p-32);
            y[2 * j] = s.weights->w[j] * radius * cos(angle);
            y[2 * j + 1] = s.weights->w[j] * radius * sin(angle);
        }
        for (size_t j = 0; j < bins; j++) {
            bin a = bin_at(&shapes[i], j);
            size_t m = a.column ? a.mirror : j;
            double re = a.column ? (y[2 * j] + y[2 * m]) / 2 : y[2 * j];
            double im = a.column ? (y[2 * j + 1] - y[2 * m + 1]) / 2 : y[2 * j + 1];
            double scale = hypot(y[2 * j], y[2 * j + 1]) + hypot(y[2 * m], y[2 * m + 1]);
            assert_true(hypot(s.x[2 * j] - re, s.x[2 * j + 1] - im) <= 0x1p-40 * scale);
        }
        free(y);
        subject_free(&s);
    }
}

/* ||X||_1 over the full spectrum: what is not mirrored within the half counts twice. */
static long double norm_of(const fmix_shape *shape, const subject *s) {
    long double sum = 0;
    for (size_t j = 0; j < s->weights->bins; j++) {
        bin a = bin_at(shape, j);
        sum += (a.column ? 1 : 2) * hypotl(s->x[2 * j], s->x[2 * j + 1]);
    }
    return sum;
}

static void returned_norm_is_an_upper_bound_and_a_close_one(void **state) {
    (void)state;
    fmix_key key = key_of(4);
    double worst = 0;
    for (size_t i = 0; i < SHAPES; i++)
        for (size_t d = 0; d < DELTAS; d++) {
            subject s = subject_new(&shapes[i], deltas[d]);
            long double bounds = 0, norms = 0;
            for (uint64_t t = 0; t < 100; t++) {
                double bound = fmix_spectrum_fill(s.weights, fmix_kernels_best(), &key, t, s.x);
                long double norm = norm_of(&shapes[i], &s);
                assert_true((long double)bound >= norm);
                bounds += (long double)bound;
                norms += norm;
            }
            /* A spectrum of own mirrors alone has bound 2|Z| for |Re Z|: pi on average. Where most
             * bins are doubled the two are nearly equal. */
            assert_true(bounds <= 4 * norms);
            if (shapes[i].rank == 1 && shapes[i].side[0] > 90 && deltas[d] < 1)
                assert_true(bounds <= 1.05L * norms);
            if (norms > 0 && (double)(bounds / norms) > worst)
                worst = (double)(bounds / norms);
            subject_free(&s);
        }
    print_message("norm: at most %.2f times ||X||_1, averaged\n", worst);
}

/*
 * What the power of a bin must be. STREAM §3: Z has |Z|^2 = -2 ln u, of mean 2. G is Re of a sum
 * over the half with c = 1 or sqrt 2; its variance is thus sum c^2 f^(-2 delta) E|Z|^2 / 2 = the
 * sum of f^(-2 delta) over the *full* plane, where a doubled bin stands for itself and its mirror.
 * A c2r transform of X gives the sum of X_b e^(...) over the full plane with X_-b = conj X_b, so
 * the variance is the sum of E|X_b|^2: equal laws ask E|X_b|^2 = f^(-2 delta), times exactly 1, for
 * every bin of the plane. Indeed: doubled bins are Z f^-delta / sqrt 2, of power 2/2. A
 * self-mirrored column's bin is (Z_b + conj Z_-b) f^-delta / 2, of power (2 + 2)/4. Its own mirrors
 * are Re Z f^-delta, of power 1.
 *
 * |X|^2 f^(2 delta) is exponential, of variance 1, but for own mirrors: there chi squared with one
 * degree of freedom, of variance 2.
 */
typedef struct tally {
    double sum, variance; /* of values of mean 1; of their sum */
} tally;

static void tally_add(tally *a, double sum, double variance) {
    a->sum += sum;
    a->variance += variance;
}

static double deviation(const tally *a, double mean) {
    return fabs(a->sum - mean) / sqrt(a->variance);
}

enum { INTERIOR, ZERO, NYQUIST, POSITIVE, NEGATIVE, GROUPS };

/* Adds the bin's sums to each group it belongs to; counts how many bins each has. */
static void group(const bin *a, double sum, double variance, tally *groups, double *counts) {
    bool in[GROUPS] = {[INTERIOR] = !a->column,
                       [ZERO] = a->column && a->b[2] == 0,
                       [NYQUIST] = a->column && a->b[2] != 0};
    for (int d = 0; d < 2 && !a->column; d++) {
        long k = signed_number(a->b[d], a->n[d]);
        in[POSITIVE] |= k > 0 && 2 * k != (long)a->n[d];
        in[NEGATIVE] |= k < 0;
    }
    for (int g = 0; g < GROUPS; g++)
        if (in[g]) {
            tally_add(&groups[g], sum, variance);
            counts[g]++;
        }
}

static void power_is_that_of_the_law(const fmix_shape *shape, double delta, double samples) {
    subject s = subject_new(shape, delta);
    fmix_key key = key_of(1234);
    size_t bins = (size_t)s.weights->bins;
    double *power = calloc(3 * bins, sizeof *power); /* |X|^2, Re^2 and Re Im, over f^(-2 delta) */
    double *scale = calloc(bins, sizeof *scale);
    assert_true(power && scale);
    for (size_t j = 1; j < bins; j++) {
        bin a = bin_at(shape, j);
        double f = 0;
        for (int d = 0; d < 3; d++)
            f += pow((double)signed_number(a.b[d], a.n[d]) / a.n[d], 2);
        scale[j] = pow(f, delta);
    }
    for (double t = 0; t < samples; t++) {
        fmix_spectrum_fill(s.weights, fmix_kernels_best(), &key, (uint64_t)t, s.x);
        for (size_t j = 0; j < bins; j++) {
            double re = s.x[2 * j], im = s.x[2 * j + 1];
            power[3 * j] += (re * re + im * im) * scale[j];
            power[3 * j + 1] += re * re * scale[j];
            power[3 * j + 2] += re * im * scale[j];
        }
    }
    tally groups[GROUPS] = {{0}};
    double counts[GROUPS] = {0};
    for (size_t j = 1; j < bins; j++) {
        bin a = bin_at(shape, j);
        tally all = {power[3 * j], (a.own ? 2 : 1) * samples};
        assert_true(deviation(&all, samples) < 4);
        if (!a.own) { /* a quarter turn changes nothing: Re^2 has mean 1/2, Re Im none */
            tally real = {power[3 * j + 1], 0.5 * samples};
            tally both = {power[3 * j + 2], 0.25 * samples};
            assert_true(deviation(&real, samples / 2) < 4);
            assert_true(deviation(&both, 0) < 4);
        }
        if (!a.column || a.mirror >= j) /* the same number twice is one sample */
            group(&a, all.sum, all.variance, groups, counts);
    }
    for (int g = 0; g < GROUPS; g++)
        if (counts[g] > 0)
            assert_true(deviation(&groups[g], counts[g] * samples) < 4);
    free(scale);
    free(power);
    subject_free(&s);
}

static void power_is_equal_on_every_column_and_for_both_signs(void **state) {
    (void)state;
    static const fmix_shape some[] = {{1, {24, 0, 0}}, {1, {13, 0, 0}}, {2, {12, 10, 0}},
                                      {2, {9, 7, 0}},  {2, {5, 2, 0}},  {3, {4, 3, 6}},
                                      {3, {3, 4, 5}}};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        power_is_that_of_the_law(&some[i], i % 2 ? 1 : 3, 8000);
}

/* Least squares of log mean power on log f. A bin's log of a mean of n exponentials has standard
 * deviation n^-1/2: with these sizes a slope's is under 0.002. */
static double slope_of(const fmix_shape *shape, double delta, double samples) {
    subject s = subject_new(shape, delta);
    fmix_key key = key_of(55);
    size_t bins = (size_t)s.weights->bins;
    double *power = calloc(bins, sizeof *power);
    assert_non_null(power);
    for (double t = 0; t < samples; t++) {
        fmix_spectrum_fill(s.weights, fmix_kernels_best(), &key, (uint64_t)t, s.x);
        for (size_t j = 0; j < bins; j++)
            power[j] += s.x[2 * j] * s.x[2 * j] + s.x[2 * j + 1] * s.x[2 * j + 1];
    }
    double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (size_t j = 1; j < bins; j++) {
        bin a = bin_at(shape, j);
        double f = 0;
        for (int d = 0; d < 3; d++)
            f += pow((double)signed_number(a.b[d], a.n[d]) / a.n[d], 2);
        double x = log(f) / 2, y = log(power[j]);
        n++;
        sx += x;
        sy += y;
        sxx += x * x;
        sxy += x * y;
    }
    free(power);
    subject_free(&s);
    return (n * sxy - sx * sy) / (n * sxx - sx * sx);
}

static void power_falls_with_frequency_by_twice_delta(void **state) {
    (void)state;
    static const fmix_shape some[] = {{1, {2048, 0, 0}}, {2, {48, 64, 0}}, {3, {16, 12, 14}}};
    static const double decays[] = {1, 2, 3, 5};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        for (int d = 0; d < 4; d++) {
            double slope = slope_of(&some[i], decays[d], 400);
            print_message("rank %u, delta %g: slope %.4f\n", some[i].rank, decays[d], slope);
            assert_true(fabs(slope + 2 * decays[d]) < 0.01);
        }
}

RUN(T(weights_and_their_total_are_those_of_mpfr), T(weights_of_long_sides_keep_the_bound),
    T(weights_are_kept_by_shape_and_delta), T(self_mirrored_columns_are_hermitian),
    T(spectrum_is_weight_times_the_normals_of_the_words),
    T(returned_norm_is_an_upper_bound_and_a_close_one),
    T(power_is_equal_on_every_column_and_for_both_signs),
    T(power_falls_with_frequency_by_twice_delta))
