#include "handler_bench.h"

#include "api/hosted_rows.h"

/* Rows of 4 u8, whose bytes count up. */
enum { ROWS = 6, BYTES = 4 };
static unsigned char bytes[ROWS * BYTES];
static dataset set = {
    .name = "set",
    .count = ROWS,
    .x = {.type = DTYPE_U8, .rank = 1, .side = {BYTES}, .layout = LAYOUT_NONE, .row_bytes = BYTES}};

/* Batch rows 2 … 4 of an epoch. */
static hosted_rows begin(bool normalises) {
    hosted_rows h = {.set = &set, .at = {.first = 2, .rows = 3, .t = 2}};
    problem p = {0};
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)i;
    set.x.file.bytes = bytes;
    h.preprocessor = (preprocessor){.set = &set,
                                    .channels = 1,
                                    .elements = BYTES,
                                    .normalises = normalises,
                                    .row_bytes = BYTES * (normalises ? sizeof(float) : 1)};
    assert_true(hosted_rows_begin(&h, &p));
    return h;
}

static void unshuffled_rows_are_in_the_order_of_the_set(void **state) {
    (void)state;
    hosted_rows h = begin(false);
    assert_ok(hosted_rows_locate(&h, false, 0, 0));
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(h.samples[i], 2 + i);
        assert_ptr_equal(h.stored[i], bytes + (2 + i) * BYTES);
    }
    hosted_rows_end(&h);
}

static void shuffled_rows_are_the_library_s_shuffle_of_that_epoch(void **state) {
    (void)state;
    uint64_t wanted[3];
    hosted_rows h = begin(false);
    for (uint64_t epoch = 0; epoch < 4; epoch++) {
        assert_ok(fmix_shuffle(7, epoch, ROWS, 2, 3, wanted));
        assert_ok(hosted_rows_locate(&h, true, 7, epoch));
        assert_memory_equal(h.samples, wanted, sizeof wanted);
    }
    hosted_rows_end(&h);
}

static void rows_that_are_preprocessed_are_copied_and_others_are_not(void **state) {
    (void)state;
    hosted_rows stored = begin(false), copied = begin(true);
    assert_non_null(stored.stored);
    assert_null(copied.stored);
    assert_true(hosted_rows_working(&stored) == 0 && hosted_rows_working(&copied) > 0);
    assert_true(hosted_rows_cost(&stored) == 0 && hosted_rows_cost(&copied) > 0);
    assert_int_equal(hosted_rows_memory(&stored), 3 * (sizeof(uint64_t) + sizeof(void *)));
    assert_int_equal(hosted_rows_memory(&copied), 3 * sizeof(uint64_t));
    hosted_rows_end(&stored);
    hosted_rows_end(&copied);
}

/* method=none: the answer is the rows themselves. */
static void mixing_starts_from_preprocessed_rows(void **state) {
    (void)state;
    static const batch_geometry g = {.rank = 1, .channels = 1};
    static const int64_t partners[] = {0, 1, 2};
    static const fmix_method none = FMIX_METHOD_NONE;
    const fmix_choice choice = {.count = 1, .methods = &none};
    const fmix_recipe recipe = {.shape = {.rank = 1, .side = {BYTES}}, .alpha = 1};
    fmix_context *context = unit_context();
    fmix_scratch *scratch;
    problem p = {0};
    dtype type;
    query q;
    float mixed[2][BYTES];
    hosted_rows h = begin(true);
    mixed_batch m = {.rows = {.rows.count = 3, .first = 1}, .pairing = (int64_t *)partners};
    m.batch = (fmix_batch){
        .dtype = FMIX_DTYPE_F32, .out_dtype = FMIX_DTYPE_F32, .channels = 1, .pairing = partners};
    served_query(&q, ~0u, "mean=0.5&std=0.25");
    assert_true(preprocessor_begin(&h.preprocessor, &q, &set, &g, &recipe.shape, &type, &p));
    assert_ok(fmix_mixer_new(context, &recipe, &choice, &m.rows.mixer));
    assert_ok(fmix_scratch_new(&scratch));
    assert_ok(hosted_rows_locate(&h, false, 0, 0));
    assert_ok(hosted_rows_mix(&h, &m, scratch, 0, 2, mixed));
    for (unsigned i = 0; i < 2; i++) /* rows 1 and 2 of the batch, which begins at sample 2 */
        for (unsigned j = 0; j < BYTES; j++)
            assert_true(mixed[i][j] == (float)((bytes[(3 + i) * BYTES + j] / 255.0 - 0.5) / 0.25));
    fmix_scratch_free(scratch);
    fmix_mixer_free(m.rows.mixer);
    fmix_context_free(context);
    hosted_rows_end(&h);
}

RUN(T(unshuffled_rows_are_in_the_order_of_the_set),
    T(shuffled_rows_are_the_library_s_shuffle_of_that_epoch),
    T(rows_that_are_preprocessed_are_copied_and_others_are_not),
    T(mixing_starts_from_preprocessed_rows))
