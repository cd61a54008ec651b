#include "unit.h"

#include "box.h"

__extension__ typedef unsigned __int128 wide; /* holds (2^24)^3 * 2^32 = 2^104 */

static wide power(uint32_t n, unsigned rank) {
    wide p = 1;
    for (unsigned i = 0; i < rank; i++)
        p *= n;
    return p;
}

/* r^rank * 2^32 <= n^rank * (2^32 - L) */
static bool fits(uint32_t r, uint32_t n, unsigned rank, uint64_t lambda) {
    return power(r, rank) << 32 <= power(n, rank) * (wide)(FMIX_LAMBDA_ONE - lambda);
}

static uint64_t some_lambda(uint64_t *random) {
    static const uint64_t notable[] = {0,
                                       1,
                                       2,
                                       UINT64_C(1) << 31,
                                       (UINT64_C(1) << 31) + 1,
                                       UINT64_C(3) << 30,
                                       UINT64_C(7) << 29,
                                       UINT32_MAX,
                                       FMIX_LAMBDA_ONE - 2,
                                       FMIX_LAMBDA_ONE};
    uint64_t pick = unit_random(random) % 20;
    return pick < 10 ? notable[pick] : unit_random(random) % (FMIX_LAMBDA_ONE + 1);
}

static void side_of_small_boxes_is_found_by_trying_all(void **state) {
    (void)state;
    uint64_t random = 1;
    for (unsigned rank = 1; rank <= 3; rank++)
        for (uint32_t n = 1; n <= 70; n++)
            for (int i = 0; i < 100; i++) {
                uint64_t lambda = some_lambda(&random);
                uint32_t best = 0;
                for (uint32_t r = 0; r <= n + 2; r++)
                    best = fits(r, n, rank, lambda) ? r : best;
                assert_int_equal(fmix_box_side(n, rank, lambda), best);
            }
}

static void side_of_any_box_fits_and_one_more_does_not(void **state) {
    (void)state;
    uint64_t random = 2;
    static const uint32_t sides[] = {1u << 24, (1u << 24) - 1, 16777213, 1u << 23, 4097, 1000003};
    for (unsigned rank = 1; rank <= 3; rank++)
        for (int i = 0; i < 60000; i++) {
            uint32_t n =
                i % 3 ? 1 + (uint32_t)(unit_random(&random) % (1u << 24)) : sides[i / 3 % 6];
            uint64_t lambda = some_lambda(&random);
            uint32_t r = fmix_box_side(n, rank, lambda);
            assert_true(fits(r, n, rank, lambda));
            assert_false(fits(r + 1, n, rank, lambda));
        }
}

static void side_is_exact_where_equality_holds(void **state) {
    (void)state;
    for (unsigned rank = 1; rank <= 3; rank++)
        for (unsigned halvings = 0; rank * halvings <= 32 && halvings <= 24; halvings++) {
            /* 1 - lambda = 2^(-rank halvings): r = n 2^-halvings just fits, and not with L one
             * larger */
            uint32_t n = 1u << 24, r = n >> halvings;
            uint64_t lambda = FMIX_LAMBDA_ONE - (FMIX_LAMBDA_ONE >> rank * halvings);
            assert_int_equal(fmix_box_side(n, rank, lambda), r);
            assert_true(fmix_box_side(n, rank, lambda + 1) < r);
        }
}

static void ends_of_lambda_cut_everything_or_nothing(void **state) {
    (void)state;
    for (unsigned rank = 1; rank <= 3; rank++)
        for (uint32_t n = 1; n <= 1u << 24; n = 2 * n + (n % 3 == 0)) {
            assert_int_equal(fmix_box_side(n, rank, 0), n);
            assert_int_equal(fmix_box_side(n, rank, FMIX_LAMBDA_ONE), 0);
        }
}

static fmix_plan *plan_of(fmix_context *context, fmix_shape shape, double lambda, uint64_t seed) {
    fmix_recipe recipe = {.seed = seed,
                          .method = FMIX_METHOD_CUTMIX,
                          .shape = shape,
                          .lambda_given = true,
                          .lambda = lambda};
    fmix_plan *plan = NULL;
    assert_ok(fmix_plan_new(context, &recipe, &plan));
    return plan;
}

/* Whether coordinate i lies in the box along side d: all in signed numbers, nothing clipped. */
static bool inside(uint32_t i, uint32_t n, uint32_t r, uint32_t word) {
    int64_t centre = (int64_t)(((wide)word * n) >> 32);
    int64_t start = centre - r / 2;
    return (int64_t)i >= start && (int64_t)i < start + r;
}

/* The mask of STREAM §4 at t, element by element; its ones. */
static uint64_t mask_by_definition(const fmix_plan *plan, uint64_t t, uint64_t lambda,
                                   unsigned char *mask) {
    const fmix_shape *shape = &plan->recipe.shape;
    uint32_t n[3] = {1, 1, 1}, r[3] = {1, 1, 1}, word[3] = {0}, w[4];
    uint64_t ones = 0, i = 0;
    fmix_words_block(&plan->box_key, t, 0, w);
    for (unsigned d = 0; d < shape->rank; d++) {
        n[d] = shape->side[d];
        word[d] = w[d];
        while (r[d] < n[d] && fits(r[d] + 1, n[d], shape->rank, lambda))
            r[d]++;
        if (!fits(r[d], n[d], shape->rank, lambda))
            r[d] = 0;
    }
    for (uint32_t a = 0; a < n[0]; a++)
        for (uint32_t b = 0; b < n[1]; b++)
            for (uint32_t c = 0; c < n[2]; c++) {
                bool in = inside(a, n[0], r[0], word[0]) && inside(b, n[1], r[1], word[1]) &&
                          inside(c, n[2], r[2], word[2]);
                mask[i++] = !in;
                ones += !in;
            }
    return ones;
}

static void box_equals_the_definition(void **state) {
    (void)state;
    static const fmix_shape shapes[] = {
        {1, {1, 0, 0}},  {1, {2, 0, 0}},   {1, {17, 0, 0}}, {1, {64, 0, 0}}, {2, {1, 1, 0}},
        {2, {1, 9, 0}},  {2, {5, 6, 0}},   {2, {8, 8, 0}},  {2, {7, 31, 0}}, {2, {40, 3, 0}},
        {3, {1, 1, 1}},  {3, {4, 4, 4}},   {3, {3, 5, 7}},  {3, {2, 1, 20}}, {3, {12, 6, 5}},
        {3, {1, 1, 30}}, {3, {10, 10, 1}},
    };
    static const double lambdas[] = {0, 1e-9, 0.05, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999999, 1};
    unsigned char expected[1024], mask[1024];
    fmix_context *context = unit_context();
    fmix_scratch *scratch = NULL;
    assert_ok(fmix_scratch_new(&scratch));
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (size_t l = 0; l < sizeof lambdas / sizeof *lambdas; l++) {
            fmix_plan *plan = plan_of(context, shapes[s], lambdas[l], s);
            size_t elements = (size_t)plan->elements;
            for (uint64_t t = 0; t < 60; t++) {
                fmix_row row;
                assert_ok(fmix_plan_row(plan, t, &row));
                uint64_t ones = mask_by_definition(plan, t, row.lambda, expected), area = 1;
                for (unsigned d = 0; d < shapes[s].rank; d++) {
                    area *= row.box_size[d];
                    assert_true(row.box_start[d] + row.box_size[d] <= shapes[s].side[d]);
                }
                assert_true(row.ones == ones);
                assert_true(row.ones == elements - area);
                assert_true(row.lambda_effective == (double)ones / (double)elements);
                memset(mask, 7, sizeof mask);
                fmix_box_draw(&shapes[s], &row, mask);
                assert_memory_equal(mask, expected, elements);
                assert_int_equal(mask[elements], 7);
                assert_ok(fmix_plan_masks(plan, scratch, t, 1, FMIX_DTYPE_U8, mask));
                assert_memory_equal(mask, expected, elements);
            }
            fmix_plan_free(plan);
        }
    fmix_scratch_free(scratch);
    fmix_context_free(context);
}

/* Each centre 0 … n-1 gives one interval; those seen over many t must be these, each about as
 * often. */
static void every_centre_up_to_the_last_occurs_equally(void **state) {
    (void)state;
    enum { SIDE = 24, TIMES = 400 };
    fmix_context *context = unit_context();
    bool odd = false, even = false;
    for (uint32_t r = 1; r <= SIDE; r++) {
        double lambda = r < SIDE ? (double)(SIDE - r) / SIDE - 1e-9 : 0;
        fmix_plan *plan = plan_of(context, (fmix_shape){1, {SIDE, 0, 0}}, lambda, 9);
        unsigned seen[SIDE + 1][SIDE + 1] = {{0}}, expected[SIDE + 1][SIDE + 1] = {{0}};
        uint32_t side = fmix_box_side(SIDE, 1, plan->lambda);
        odd |= side % 2 == 1;
        even |= side % 2 == 0;
        assert_int_equal(side, r);
        for (uint64_t t = 0; t < SIDE * TIMES; t++) {
            fmix_row row;
            assert_ok(fmix_plan_row(plan, t, &row));
            seen[row.box_start[0]][row.box_size[0]]++;
        }
        for (int centre = 0; centre < SIDE; centre++) {
            int start = centre - (int)r / 2, end = start + (int)r;
            start = start < 0 ? 0 : start;
            end = end > SIDE ? SIDE : end;
            assert_true(end > start); /* a centre's own element is always cut */
            expected[start][end - start] += TIMES;
        }
        for (int i = 0; i <= SIDE; i++)
            for (int j = 0; j <= SIDE; j++) {
                /* five standard deviations of a binomial are under 5 sqrt(mean) */
                int off = (int)seen[i][j] - (int)expected[i][j];
                assert_true(off * off <= 25 * (int)expected[i][j]);
            }
        fmix_plan_free(plan);
    }
    assert_true(odd && even);
    fmix_context_free(context);
}

static void sides_are_placed_independently_of_each_other(void **state) {
    (void)state;
    unsigned seen[3][3][3] = {{{0}}};
    fmix_context *context = unit_context();
    fmix_plan *plan = plan_of(context, (fmix_shape){3, {3, 3, 3}}, 26.0 / 27, 2);
    for (uint64_t t = 0; t < 27 * 400; t++) {
        fmix_row row;
        assert_ok(fmix_plan_row(plan, t, &row));
        assert_true(row.ones == 26);
        seen[row.box_start[0]][row.box_start[1]][row.box_start[2]]++;
    }
    for (int i = 0; i < 27; i++)
        assert_in_range(seen[i / 9][i / 3 % 3][i % 3], 300, 500); /* five standard deviations */
    fmix_plan_free(plan);
    fmix_context_free(context);
}

RUN(T(side_of_small_boxes_is_found_by_trying_all), T(side_of_any_box_fits_and_one_more_does_not),
    T(side_is_exact_where_equality_holds), T(ends_of_lambda_cut_everything_or_nothing),
    T(box_equals_the_definition), T(every_centre_up_to_the_last_occurs_equally),
    T(sides_are_placed_independently_of_each_other))
