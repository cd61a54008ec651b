#include "unit.h"

#include "difference.h"
#include "image.h"

#include <math.h>

/* Whose longest side comes first, in the middle and last, once with more lines than there is room
 * for at once. */
static const struct {
    fmix_shape shape;
    double delta;
} cases[] = {
    {{1, {1}}, 3},        {{1, {2}}, 3},           {{1, {211}}, 0},        {{1, {256}}, 2.5},
    {{2, {1, 9}}, 3},     {{2, {9, 1}}, 3},        {{2, {2, 2}}, 0},       {{2, {16, 16}}, 1},
    {{2, {5, 71}}, 10},   {{2, {64, 4}}, 10},      {{2, {7, 63}}, 1},      {{3, {13, 3, 5}}, 3},
    {{3, {3, 16, 4}}, 4}, {{3, {4, 6, 12}}, 0.01}, {{3, {8, 8, 8}}, 9.75},
};
#define CASES (sizeof cases / sizeof *cases)

/* |value - (G[pixel] - G[pivot])| */
static double error_of(const image *m, const fmix_difference *d) {
    mpfr_t e;
    mpfr_init2(e, BITS);
    mpfr_sub(e, m->g[d->pair.pixel], m->g[d->pair.pivot], MPFR_RNDN);
    mpfr_sub_d(e, e, d->value.high, MPFR_RNDN);
    mpfr_sub_d(e, e, d->value.low, MPFR_RNDN);
    double error = fabs(mpfr_get_d(e, MPFR_RNDN));
    mpfr_clear(e);
    return error;
}

/* Every pixel against a few; the largest error there was, in bounds. */
static double worst_of(size_t which, bool quick, double *bound) {
    static image m;
    static fmix_difference d[3 * MOST];
    const fmix_shape *shape = &cases[which].shape;
    const fmix_recipe recipe = {.shape = *shape, .delta = cases[which].delta};
    const uint64_t t = which;
    fmix_spectrum_params params = fmix_spectrum_params_of(&recipe);
    fmix_sides sides = fmix_shape_sides(shape);
    fmix_key key;
    double worst = 0;
    assert_ok(fmix_key_derive(which, FMIX_DOMAIN_SPECTRUM, &key));
    image_init(&m, sides.n, recipe.delta, &key, t);
    const fmix_field field = {.params = &params, .key = &key, .t = t};
    size_t n = 0;
    for (uint32_t pivot = 0; pivot < 3; pivot++)
        for (uint32_t pixel = 0; pixel < m.n; pixel++)
            d[n++].pair = (fmix_pair){pixel, (pivot * 77 + m.n / 3) % m.n};
    assert_ok(fmix_differences(&field, quick, d, n));
    *bound = 0;
    for (size_t i = 0; i < n; i++) {
        double error = error_of(&m, &d[i]);
        assert_true(error <= d[i].bound);
        worst = d[i].bound > 0 ? fmax(worst, error / d[i].bound) : worst;
        *bound = fmax(*bound, d[i].bound / mpfr_get_d(m.total, MPFR_RNDN));
    }
    image_clear(&m);
    return worst;
}

static void float64_sums_are_within_their_bound(void **state) {
    (void)state;
    double worst = 0, bound;
    for (size_t i = 0; i < CASES; i++) {
        worst = fmax(worst, worst_of(i, true, &bound));
        assert_true(bound < 0x1p-42);
    }
    print_message("at most %.3f of it\n", worst);
    assert_true(worst > 0.001);
}

static void double_double_sums_are_within_their_bound(void **state) {
    (void)state;
    double worst = 0, bound;
    for (size_t i = 0; i < CASES; i++) {
        worst = fmax(worst, worst_of(i, false, &bound));
        assert_true(bound < 0x1p-75);
    }
    print_message("at most 2^%.1f of it\n", log2(worst));
    assert_true(worst > 0x1p-40);
}

/* A line's pixels differ by 2^-50 of G here. What they share must not be in their bound. */
static void terms_shared_by_a_line_do_not_widen_its_bounds(void **state) {
    (void)state;
    static const fmix_shape shape = {2, {4, 128}};
    const fmix_recipe recipe = {.shape = shape, .delta = 10};
    fmix_spectrum_params params = fmix_spectrum_params_of(&recipe);
    fmix_key key;
    assert_ok(fmix_key_derive(1, FMIX_DOMAIN_SPECTRUM, &key));
    const fmix_field field = {.params = &params, .key = &key, .t = 1};
    fmix_difference d[] = {{.pair = {5, 128 + 5}}, {.pair = {6, 128 + 5}}};
    assert_ok(fmix_differences(&field, false, d, 2));
    assert_true(d[0].bound < 0x1p-40 * d[1].bound);
    assert_ok(fmix_differences(&field, true, d, 2));
    assert_true(d[0].bound < fabs(d[0].value.high));
}

static void a_heavy_share_is_exact_in_quick_sums_too(void **state) {
    (void)state;
    static const fmix_shape shape = {2, {64, 64}};
    const fmix_recipe flat = {.shape = shape, .delta = 0}, steep = {.shape = shape, .delta = 10};
    fmix_spectrum_params laws[] = {fmix_spectrum_params_of(&flat), fmix_spectrum_params_of(&steep)};
    double relative[2];
    fmix_key key;
    assert_ok(fmix_key_derive(2, FMIX_DOMAIN_SPECTRUM, &key));
    for (int i = 0; i < 2; i++) {
        const fmix_field field = {.params = &laws[i], .key = &key, .t = 3};
        fmix_difference quick = {.pair = {1, 900}}, exact = quick;
        assert_ok(fmix_differences(&field, true, &quick, 1));
        assert_ok(fmix_differences(&field, false, &exact, 1));
        relative[i] = quick.bound / exact.bound;
    }
    assert_true(relative[0] > 0x1p32 && relative[0] < 0x1p34);
    assert_true(relative[1] < 0x1p20);
}

/* The official spectrum has bins of the first two numbers along the last side, which is 1 here, and
 * none but 0 along the longest: G is the same all along it, and nothing is left of a difference. */
static void terms_shared_by_all_lines_do_not_widen_bounds(void **state) {
    (void)state;
    static const fmix_shape shape = {3, {13, 7, 1}};
    const fmix_recipe recipe = {.shape = shape, .delta = 1, .spectrum = FMIX_SPECTRUM_OFFICIAL};
    fmix_spectrum_params params = fmix_spectrum_params_of(&recipe);
    fmix_key key;
    assert_ok(fmix_key_derive(1, FMIX_DOMAIN_SPECTRUM, &key));
    const fmix_field field = {.params = &params, .key = &key, .t = 1};
    fmix_difference d[] = {{.pair = {3, 7 * 5 + 3}}, {.pair = {4, 7 * 5 + 3}}};
    for (int quick = 0; quick < 2; quick++) {
        assert_ok(fmix_differences(&field, quick, d, 2));
        assert_true(d[0].bound == 0 && d[0].value.high == 0);
        assert_true(d[1].bound > 0 && d[1].value.high != 0);
    }
}

RUN(T(float64_sums_are_within_their_bound), T(double_double_sums_are_within_their_bound),
    T(terms_shared_by_a_line_do_not_widen_its_bounds),
    T(terms_shared_by_all_lines_do_not_widen_bounds), T(a_heavy_share_is_exact_in_quick_sums_too))
