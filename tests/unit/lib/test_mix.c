#include "unit.h"

#include <stdio.h>

enum { ROWS = 6, MOST_CHANNELS = 4, MOST_ELEMENTS = 96 };
#define MOST_BYTES (ROWS * MOST_CHANNELS * MOST_ELEMENTS * 4)

static const int64_t partners[ROWS] = {3, 1, 0, 5, 2, 2}; /* row 1 meets itself */

/* One batch of one plan. */
typedef struct bench {
    fmix_context *context;
    fmix_plan *plan;
    fmix_scratch *scratch;
    uint64_t elements;
    unsigned char x[MOST_BYTES], out[MOST_BYTES];
    fmix_batch batch;
} bench;

static void open_bench(bench *b, const fmix_recipe *recipe, fmix_dtype dtype, fmix_layout layout,
                       uint64_t channels) {
    uint64_t random = 7;
    b->context = unit_context();
    assert_ok(fmix_plan_new(b->context, recipe, &b->plan));
    assert_ok(fmix_scratch_new(&b->scratch));
    b->elements = fmix_shape_elements(&recipe->shape);
    assert_true(b->elements <= MOST_ELEMENTS);
    for (size_t i = 0; i < MOST_BYTES; i++)
        b->x[i] = (unsigned char)unit_random(&random);
    memset(b->out, 0xa5, sizeof b->out);
    b->batch = (fmix_batch){.x = b->x,
                            .dtype = dtype,
                            .out_dtype = dtype,
                            .layout = layout,
                            .channels = channels,
                            .pairing = partners};
}

static void close_bench(bench *b) {
    fmix_scratch_free(b->scratch);
    fmix_plan_free(b->plan);
    fmix_context_free(b->context);
}

static size_t size_of(const bench *b) {
    return b->batch.dtype == FMIX_DTYPE_F32 ? 4 : 1;
}

static size_t row_bytes(const bench *b) {
    return (size_t)(b->elements * b->batch.channels) * size_of(b);
}

/* Where channel c of position i lies in a row, in bytes. */
static size_t place(const bench *b, uint64_t c, uint64_t i) {
    uint64_t at =
        b->batch.layout == FMIX_CHANNELS_FIRST ? c * b->elements + i : i * b->batch.channels + c;
    return (size_t)at * size_of(b);
}

static void assert_row_is_chosen(const bench *b, uint64_t row, const unsigned char *mask) {
    const unsigned char *own = b->x + row * row_bytes(b);
    const unsigned char *other = b->x + (uint64_t)partners[row] * row_bytes(b);
    for (uint64_t c = 0; c < b->batch.channels; c++)
        for (uint64_t i = 0; i < b->elements; i++) {
            size_t at = place(b, c, i);
            const unsigned char *expected = (mask[i] ? own : other) + at;
            assert_memory_equal(b->out + row * row_bytes(b) + at, expected, size_of(b));
        }
}

/* x holds random bytes, so as float32 NaN of every payload and sign, infinities, denormals. */
static void assert_mix_follows_masks(const fmix_recipe *recipe, fmix_dtype dtype,
                                     fmix_layout layout, uint64_t channels) {
    static bench b;
    static unsigned char masks[ROWS * MOST_ELEMENTS];
    open_bench(&b, recipe, dtype, layout, channels);
    assert_ok(fmix_plan_masks(b.plan, b.scratch, 40, ROWS, FMIX_DTYPE_U8, masks));
    assert_ok(fmix_plan_mix(b.plan, b.scratch, &b.batch, 40, 0, ROWS, b.out));
    for (uint64_t row = 0; row < ROWS; row++)
        assert_row_is_chosen(&b, row, masks + row * b.elements);
    assert_int_equal(b.out[ROWS * row_bytes(&b)], 0xa5);
    close_bench(&b);
}

static const fmix_shape shapes[] = {{1, {48}}, {2, {7, 11}}, {3, {4, 3, 5}}, {2, {1, 1}}};
#define SHAPES (sizeof shapes / sizeof *shapes)

static void every_value_is_that_of_the_row_or_its_partner_as_the_mask_says(void **state) {
    (void)state;
    static const fmix_dtype dtypes[] = {FMIX_DTYPE_F32, FMIX_DTYPE_U8};
    for (unsigned method = FMIX_METHOD_FMIX; method <= FMIX_METHOD_CUTMIX; method++)
        for (size_t s = 0; s < SHAPES; s++)
            for (uint64_t channels = 1; channels <= (s == 3 ? 1 : MOST_CHANNELS); channels++)
                for (unsigned i = 0; i < 4; i++) {
                    fmix_recipe recipe = {.seed = 5,
                                          .method = (fmix_method)method,
                                          .shape = shapes[s],
                                          .alpha = 1,
                                          .delta = 2};
                    assert_mix_follows_masks(&recipe, dtypes[i / 2],
                                             i % 2 ? FMIX_CHANNELS_FIRST : FMIX_CHANNELS_LAST,
                                             channels);
                }
}

static void nan_payloads_and_infinities_pass_untouched(void **state) {
    (void)state;
    static const uint32_t bits[] = {0x7fc12345, 0xffc0ffee, 0x7f800001, 0x7f800000,
                                    0xff800000, 0x80000000, 0x00000001};
    static bench b;
    fmix_recipe recipe = {.shape = {2, {8, 8}}, .delta = 3, .lambda_given = true, .lambda = 0.5};
    open_bench(&b, &recipe, FMIX_DTYPE_F32, FMIX_CHANNELS_FIRST, 1);
    for (size_t i = 0; i < ROWS * 64; i++)
        memcpy(b.x + 4 * i, &bits[i / 64], 4); /* one pattern a row */
    assert_ok(fmix_plan_mix(b.plan, b.scratch, &b.batch, 0, 0, ROWS, b.out));
    unsigned own = 0;
    for (size_t i = 0; i < ROWS * 64; i++) {
        bool is_own = memcmp(b.out + 4 * i, &bits[i / 64], 4) == 0;
        bool is_other = memcmp(b.out + 4 * i, &bits[partners[i / 64]], 4) == 0;
        assert_true(is_own || is_other);
        own += is_own;
    }
    assert_int_equal(own, ROWS * 32 + 32); /* row 1 meets itself */
    close_bench(&b);
}

static const fmix_recipe laws[] = {
    {.seed = 3, .method = FMIX_METHOD_FMIX, .shape = {2, {7, 11}}, .alpha = 1, .delta = 3},
    {.seed = 3, .method = FMIX_METHOD_CUTMIX, .shape = {2, {7, 11}}, .alpha = 1},
    {.seed = 3, .method = FMIX_METHOD_MIXUP, .shape = {2, {7, 11}}, .alpha = 1},
};
#define LAWS (sizeof laws / sizeof *laws)

/* Any two cuts of the rows; values tame, so that mixup has no NaN whose bits could differ. */
static void rows_split_anywhere_are_the_whole(void **state) {
    (void)state;
    static bench b;
    static unsigned char whole[MOST_BYTES];
    for (size_t l = 0; l < LAWS; l++)
        for (uint64_t cut = 0; cut <= ROWS; cut++) {
            open_bench(&b, &laws[l], FMIX_DTYPE_U8, FMIX_CHANNELS_LAST, 3);
            assert_ok(fmix_plan_mix(b.plan, b.scratch, &b.batch, 9, 0, ROWS, whole));
            assert_ok(fmix_plan_mix(b.plan, b.scratch, &b.batch, 9, 0, cut, b.out));
            assert_ok(fmix_plan_mix(b.plan, b.scratch, &b.batch, 9, cut, ROWS - cut,
                                    b.out + cut * row_bytes(&b)));
            assert_memory_equal(b.out, whole, ROWS * row_bytes(&b));
            close_bench(&b);
        }
}

/* m*a + (1-m)*b, each product and the sum rounded to float64. */
static double blended(double m, double a, double b) {
    volatile double left = m * a, right = (1 - m) * b;
    return left + right;
}

static double weight_of(const bench *b, uint64_t t) {
    fmix_row row;
    assert_ok(fmix_plan_row(b->plan, t, &row));
    return (double)row.lambda * 0x1p-32;
}

static void mixup_of_floats_is_the_written_out_sum_rounded_once(void **state) {
    (void)state;
    static bench b;
    uint64_t random = 11;
    open_bench(&b, &laws[2], FMIX_DTYPE_F32, FMIX_CHANNELS_FIRST, 2);
    const float *x = (const void *)b.x, *out = (const void *)b.out;
    const size_t n = (size_t)b.elements * 2;
    for (size_t i = 0; i < ROWS * n; i++) {
        float v = (float)((double)(int64_t)unit_random(&random) * 0x1p-50);
        memcpy(b.x + 4 * i, &v, 4);
    }
    assert_ok(fmix_plan_mix(b.plan, b.scratch, &b.batch, 70, 0, ROWS, b.out));
    for (size_t row = 0; row < ROWS; row++)
        for (size_t i = 0; i < n; i++) {
            double v =
                blended(weight_of(&b, 70 + row), x[row * n + i], x[(size_t)partners[row] * n + i]);
            assert_true(out[row * n + i] == (float)v);
        }
    close_bench(&b);
}

/* Which NaN an operation keeps differs between machines, so there is one for all. */
static void mixup_gives_the_canonical_nan(void **state) {
    (void)state;
    static const uint32_t canonical = 0x7fc00000;
    static bench b;
    unsigned nans = 0;
    open_bench(&b, &laws[2], FMIX_DTYPE_F32, FMIX_CHANNELS_FIRST, 4);
    for (size_t i = 0; i < MOST_BYTES; i += 8)
        memcpy(b.x + i, "\1\2\xc3\xff", 4); /* a NaN of its own in every other value */
    assert_ok(fmix_plan_mix(b.plan, b.scratch, &b.batch, 0, 0, ROWS, b.out));
    const float *out = (const void *)b.out;
    for (size_t i = 0; i < ROWS * row_bytes(&b) / 4; i++)
        if (out[i] != out[i]) {
            assert_memory_equal(&out[i], &canonical, 4);
            nans++;
        }
    assert_true(nans >= ROWS * row_bytes(&b) / 8);
    close_bench(&b);
}

/* Half to even, by comparison rather than by a rounding mode. */
static unsigned nearest(double v) {
    unsigned below = (unsigned)v;
    double rest = v - below;
    return below + (rest > 0.5 || (rest == 0.5 && below % 2));
}

static void mixup_of_bytes_rounds_half_to_even(void **state) {
    (void)state;
    static bench b;
    static const double lambdas[] = {0, 0.25, 0.5, 0.75, 1, 0.3};
    for (size_t l = 0; l < sizeof lambdas / sizeof *lambdas; l++) {
        fmix_recipe recipe = laws[2];
        recipe.lambda_given = true;
        recipe.lambda = lambdas[l];
        open_bench(&b, &recipe, FMIX_DTYPE_U8, FMIX_CHANNELS_FIRST, 4);
        const size_t n = row_bytes(&b);
        double m = weight_of(&b, 0);
        assert_ok(fmix_plan_mix(b.plan, b.scratch, &b.batch, 0, 0, ROWS, b.out));
        for (size_t i = 0; i < ROWS * n; i++) {
            size_t other = (size_t)partners[i / n] * n + i % n;
            assert_int_equal(b.out[i], nearest(blended(m, b.x[i], b.x[other])));
        }
        close_bench(&b);
    }
}

static void a_row_that_meets_itself_stays_itself(void **state) {
    (void)state;
    static const int64_t identity[ROWS] = {0, 1, 2, 3, 4, 5};
    static bench b;
    for (size_t l = 0; l < LAWS; l++) {
        open_bench(&b, &laws[l], FMIX_DTYPE_U8, FMIX_CHANNELS_LAST, 2);
        b.batch.pairing = identity;
        assert_ok(fmix_plan_mix(b.plan, b.scratch, &b.batch, 0, 0, ROWS, b.out));
        assert_memory_equal(b.out, b.x, ROWS * row_bytes(&b));
        close_bench(&b);
    }
}

static fmix_status mix_at(bench *b, uint64_t index, uint64_t first, uint64_t n) {
    return fmix_plan_mix(b->plan, b->scratch, &b->batch, index, first, n, b->out);
}

static void sample_numbers_past_64_bits_are_refused(void **state) {
    (void)state;
    static bench b;
    for (size_t l = 0; l < LAWS; l++) {
        open_bench(&b, &laws[l], FMIX_DTYPE_U8, FMIX_CHANNELS_LAST, 1);
        assert_ok(mix_at(&b, UINT64_MAX - 5, 0, 6));
        assert_ok(mix_at(&b, UINT64_MAX - 5, 5, 1));
        assert_ok(mix_at(&b, UINT64_MAX, 5, 0));
        assert_int_equal(mix_at(&b, UINT64_MAX - 4, 0, 6), FMIX_ERROR_RANGE);
        assert_int_equal(mix_at(&b, UINT64_MAX - 4, 5, 1), FMIX_ERROR_RANGE);
        assert_int_equal(mix_at(&b, UINT64_MAX, 1, 1), FMIX_ERROR_RANGE);
        close_bench(&b);
    }
}

static void packed_bits_and_no_channels_are_refused(void **state) {
    (void)state;
    static bench b;
    open_bench(&b, &laws[0], FMIX_DTYPE_BITS, FMIX_CHANNELS_LAST, 1);
    assert_int_equal(mix_at(&b, 0, 0, 1), FMIX_ERROR_RANGE);
    close_bench(&b);
    open_bench(&b, &laws[0], FMIX_DTYPE_U8, FMIX_CHANNELS_LAST, 0);
    assert_int_equal(mix_at(&b, 0, 0, 1), FMIX_ERROR_RANGE);
    close_bench(&b);
}

RUN(T(every_value_is_that_of_the_row_or_its_partner_as_the_mask_says),
    T(nan_payloads_and_infinities_pass_untouched), T(rows_split_anywhere_are_the_whole),
    T(mixup_of_floats_is_the_written_out_sum_rounded_once), T(mixup_gives_the_canonical_nan),
    T(mixup_of_bytes_rounds_half_to_even), T(a_row_that_meets_itself_stays_itself),
    T(sample_numbers_past_64_bits_are_refused), T(packed_bits_and_no_channels_are_refused))
