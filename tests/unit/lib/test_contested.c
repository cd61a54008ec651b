#include "unit.h"

#include "contested.h"
#include "image.h"
#include "plan.h"

/* Whether pixel a comes before pixel b: what is within 2^-256 of the total is equal. */
static bool before(const image *m, uint32_t a, uint32_t b) {
    mpfr_t difference, tolerance;
    mpfr_inits2(BITS, difference, tolerance, (mpfr_ptr)NULL);
    mpfr_sub(difference, m->g[a], m->g[b], MPFR_RNDN);
    mpfr_div_2ui(tolerance, m->total, 256, MPFR_RNDN);
    bool equal = mpfr_cmpabs(difference, tolerance) < 0;
    bool result = equal ? a < b : mpfr_sgn(difference) > 0;
    mpfr_clears(difference, tolerance, (mpfr_ptr)NULL);
    return result;
}

/* rank[i]: how many pixels come before pixel i. */
static void rank_pixels(const image *m, uint32_t *rank) {
    for (uint32_t i = 0; i < m->n; i++)
        rank[i] = 0;
    for (uint32_t i = 0; i < m->n; i++)
        for (uint32_t j = i + 1; j < m->n; j++)
            rank[before(m, i, j) ? j : i]++;
}

static const struct {
    fmix_shape shape;
    double delta;
} cases[] = {
    {{1, {1}}, 3},       {{1, {2}}, 3},          {{1, {7}}, 0},          {{1, {24}}, 2.5},
    {{2, {1, 9}}, 3},    {{2, {9, 1}}, 3},       {{2, {2, 2}}, 0},       {{2, {6, 8}}, 3},
    {{2, {5, 7}}, 10},   {{2, {3, 16}}, 10},     {{3, {2, 2, 2}}, 1},    {{3, {3, 4, 5}}, 3},
    {{3, {1, 5, 4}}, 4}, {{3, {4, 1, 6}}, 0.01}, {{3, {2, 3, 1}}, 9.75},
};
#define CASES (sizeof cases / sizeof *cases)

typedef struct fixture {
    fmix_context *context;
    fmix_key key;
    fmix_spectrum_params params;
    fmix_field field;
    image image;
    uint32_t rank[MOST];
    fmix_tier last; /* that a contest needed */
} fixture;

static void open_case(fixture *f, const fmix_shape *shape, double delta, uint64_t seed,
                      uint64_t t) {
    f->context = unit_context();
    f->last = FMIX_TIER_NONE;
    assert_ok(fmix_key_derive(seed, FMIX_DOMAIN_SPECTRUM, &f->key));
    fmix_sides sides = fmix_shape_sides(shape);
    image_init(&f->image, sides.n, delta, &f->key, t);
    rank_pixels(&f->image, f->rank);
    f->params = fmix_spectrum_params_of(&(fmix_recipe){.shape = *shape, .delta = delta});
    f->field = (fmix_field){.params = &f->params,
                            .total = mpfr_get_d(f->image.total, MPFR_RNDN),
                            .key = &f->key,
                            .t = t};
}

/* The first `need` of n pixels, of which nothing is known. */
static fmix_status settle(fixture *f, uint32_t *pixels, size_t n, size_t need) {
    const fmix_run all = {0, n};
    return fmix_contested_order(f->context, &f->field, pixels, &all, 1, need, need, &f->last);
}

static void close_case(fixture *f) {
    image_clear(&f->image);
    mpfr_free_cache();
    fmix_context_free(f->context);
}

static void shuffle(uint32_t *pixels, uint32_t n, uint64_t *random) {
    for (uint32_t i = 0; i < n; i++)
        pixels[i] = i;
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = (uint32_t)(unit_random(random) % i), kept = pixels[i - 1];
        pixels[i - 1] = pixels[j];
        pixels[j] = kept;
    }
}

/* Settles all pixels, whatever their order at first: the first `need` are those that rank so. */
static void assert_settled(fixture *f, uint32_t need, uint64_t *random) {
    uint32_t pixels[MOST], n = f->image.n;
    bool seen[MOST] = {false};
    shuffle(pixels, n, random);
    assert_ok(settle(f, pixels, n, need));
    for (uint32_t i = 0; i < n; i++) {
        assert_true(pixels[i] < n && !seen[pixels[i]]);
        seen[pixels[i]] = true;
        assert_int_equal(f->rank[pixels[i]] < need, i < need);
    }
}

/* Lets a contest begin with this way to settle. */
static void begin_with(fixture *f, int tier) {
    f->context->hooks.no_quick = tier > FMIX_TIER_QUICK;
    f->context->hooks.no_direct = tier > FMIX_TIER_DIRECT;
}

static void assert_all_cases(fmix_tier tier) {
    static fixture f;
    uint64_t random = 3;
    for (size_t i = 0; i < CASES; i++) {
        open_case(&f, &cases[i].shape, cases[i].delta, i, UINT64_MAX - i);
        begin_with(&f, tier);
        for (uint32_t need = 0; need <= f.image.n; need++)
            assert_settled(&f, need, &random);
        close_case(&f);
    }
}

static void float64_picks_what_the_contract_says(void **state) {
    (void)state;
    assert_all_cases(FMIX_TIER_QUICK);
}

static void double_double_picks_what_the_contract_says(void **state) {
    (void)state;
    assert_all_cases(FMIX_TIER_DIRECT);
}

static void mpfr_picks_what_the_contract_says(void **state) {
    (void)state;
    assert_all_cases(FMIX_TIER_EXACT);
}

/* A column's pixels differ by 2^-40 of G here and the bins that tell them apart are as small. */
static void pixels_that_differ_in_small_bins_alone_are_ordered(void **state) {
    (void)state;
    static fixture f;
    static const fmix_shape shape = {2, {4, 128}};
    uint64_t random = 5;
    open_case(&f, &shape, 10, 1, 1);
    for (uint32_t need = 1; need < f.image.n; need += 37)
        assert_settled(&f, need, &random);
    assert_true(f.last == FMIX_TIER_QUICK || f.last == FMIX_TIER_DIRECT);
    close_case(&f);
}

/* A subset is ordered as the whole is. */
static void a_few_of_the_pixels_are_ordered_like_all(void **state) {
    (void)state;
    static fixture f;
    static const fmix_shape shape = {2, {8, 8}};
    open_case(&f, &shape, 3, 9, 4);
    for (uint32_t a = 0; a < 64; a += 5)
        for (uint32_t b = a + 1; b < 64; b += 7) {
            uint32_t pixels[2] = {a, b};
            assert_ok(settle(&f, pixels, 2, 1));
            assert_int_equal(pixels[0], f.rank[a] < f.rank[b] ? a : b);
            assert_int_equal(pixels[0] + pixels[1], a + b);
        }
    close_case(&f);
}

/* STREAM §3's tie, in each shape that has its two bins. */
static void of_equals_the_smaller_flat_index_is_larger(void **state) {
    (void)state;
    static const fmix_shape shapes[] = {{1, {2}}, {2, {1, 2}}, {2, {2, 1}}, {3, {1, 2, 1}}};
    static fixture f;
    const size_t tiers = FMIX_TIERS - FMIX_TIER_QUICK;
    for (size_t i = 0; i < tiers * sizeof shapes / sizeof *shapes; i++) {
        uint32_t pixels[2] = {1, 0};
        open_case(&f, &shapes[i / tiers], 3, 0, 1166203367);
        begin_with(&f, FMIX_TIER_QUICK + (int)(i % tiers));
        assert_true(f.rank[0] == 0 && f.rank[1] == 1);
        assert_ok(settle(&f, pixels, 2, 1));
        assert_true(pixels[0] == 0 && pixels[1] == 1);
        close_case(&f);
    }
}

static void the_last_tier_that_was_needed_is_told(void **state) {
    (void)state;
    static fixture f;
    static const fmix_shape shape = {2, {4, 4}};
    uint64_t random = 1;
    open_case(&f, &shape, 3, 0, 0);
    for (int tier = FMIX_TIER_QUICK; tier < FMIX_TIERS; tier++) {
        begin_with(&f, tier);
        assert_settled(&f, 5, &random);
        assert_int_equal(f.last, tier);
    }
    begin_with(&f, FMIX_TIER_QUICK); /* which lowers nothing */
    assert_settled(&f, 5, &random);
    assert_int_equal(f.last, FMIX_TIER_EXACT);
    close_case(&f);
}

/* As with an official spectrum whose last side is 1: nothing is summed. */
static void without_any_bin_pixels_stand_by_their_index(void **state) {
    (void)state;
    static fixture f;
    static const fmix_shape shape = {2, {4, 4}};
    uint32_t pixels[16];
    uint64_t random = 1;
    open_case(&f, &shape, 3, 0, 0);
    f.field.total = 0;
    shuffle(pixels, 16, &random);
    assert_ok(settle(&f, pixels, 16, 5));
    for (uint32_t i = 0; i < 16; i++)
        assert_int_equal(pixels[i], i);
    assert_int_equal(f.last, FMIX_TIER_NONE);
    close_case(&f);
}

/* The pixels shuffled within runs that are right already, as float64 leaves them. */
static void assert_ordered(fixture *f, uint32_t from, uint32_t to, uint64_t *random) {
    uint32_t pixels[MOST], by_rank[MOST], n = f->image.n;
    fmix_run runs[MOST] = {{0, 0}};
    size_t count = 0;
    for (uint32_t i = 0; i < n; i++)
        by_rank[f->rank[i]] = i;
    for (uint32_t first = 0, end; first < n; first = end) {
        uint32_t kept[MOST];
        end = first + 1 + (uint32_t)(unit_random(random) % 9);
        end = end < n ? end : n;
        shuffle(kept, end - first, random);
        for (uint32_t i = first; i < end; i++)
            pixels[i] = by_rank[first + kept[i - first]];
        runs[count++] = (fmix_run){first, end};
    }
    fmix_tier last = FMIX_TIER_NONE;
    assert_ok(fmix_contested_order(f->context, &f->field, pixels, runs, count, from, to, &last));
    for (uint32_t i = 0; i < n; i++) {
        if (i >= from && i < to)
            assert_int_equal(pixels[i], by_rank[i]);
        assert_int_equal(f->rank[pixels[i]] < from, i < from);
        assert_int_equal(f->rank[pixels[i]] < to, i < to);
    }
}

static void a_band_of_ranks_is_ordered_whatever_was_known(void **state) {
    (void)state;
    static fixture f;
    uint64_t random = 8;
    for (size_t i = 0; i < CASES; i++) {
        open_case(&f, &cases[i].shape, cases[i].delta, i + 40, i);
        uint32_t n = f.image.n;
        for (int tier = FMIX_TIER_QUICK; tier < FMIX_TIERS; tier++) {
            begin_with(&f, tier);
            assert_ordered(&f, 0, n, &random);
            assert_ordered(&f, n / 4, n - n / 3, &random);
            assert_ordered(&f, n / 2, n / 2, &random);
        }
        close_case(&f);
    }
}

static bool is_cancelled(void *user) {
    ++*(int *)user;
    return true;
}

static void each_way_to_sum_can_be_cancelled(void **state) {
    (void)state;
    static fixture f;
    static const fmix_shape shape = {2, {8, 16}};
    open_case(&f, &shape, 3, 0, 0);
    for (int tier = FMIX_TIER_QUICK; tier < FMIX_TIERS; tier++) {
        uint32_t pixels[] = {3, 1, 2};
        int asked = 0;
        begin_with(&f, tier);
        f.field.cancellation = (fmix_cancellation){is_cancelled, &asked};
        assert_int_equal(settle(&f, pixels, 3, 1), FMIX_ERROR_CANCELLED);
        assert_int_equal(asked, 1);
        f.field.cancellation = (fmix_cancellation){0};
        assert_ok(settle(&f, pixels, 3, 1));
    }
    close_case(&f);
}

RUN(T(float64_picks_what_the_contract_says), T(double_double_picks_what_the_contract_says),
    T(mpfr_picks_what_the_contract_says), T(pixels_that_differ_in_small_bins_alone_are_ordered),
    T(a_few_of_the_pixels_are_ordered_like_all), T(of_equals_the_smaller_flat_index_is_larger),
    T(the_last_tier_that_was_needed_is_told), T(without_any_bin_pixels_stand_by_their_index),
    T(a_band_of_ranks_is_ordered_whatever_was_known), T(each_way_to_sum_can_be_cancelled))
