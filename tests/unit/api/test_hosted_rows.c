#include "handler_bench.h"

#include "api/hosted_rows.h"

/* Rows of 4 u8, whose bytes count up. */
enum { ROWS = 6, BYTES = 4 };
static unsigned char bytes[ROWS * BYTES];
static dataset set = {
    .name = "set",
    .count = ROWS,
    .x = {.type = DTYPE_U8, .rank = 1, .side = {BYTES}, .layout = LAYOUT_NONE, .row_bytes = BYTES}};

/* Rows 2 … 4 of the set, then 5, 0 and 2 as their neighbours. */
static uint64_t numbers[] = {2, 3, 4, 5, 0, 2};
static const hosted_samples samples = {
    .set = &set, .at = {.first = 2, .rows = 3, .t = 2}, .neighbours = true, .number = numbers};
static const int64_t themselves[] = {0, 1, 2}, neighbours[] = {3, 4, 5};
static const fmix_recipe recipe = {.shape = {.rank = 1, .side = {BYTES}}, .alpha = 1};

static hosted_rows begin(const char *text) {
    static const batch_geometry g = {.rank = 1, .channels = 1};
    hosted_rows h = {.samples = &samples};
    problem p = {0};
    dtype type;
    query q;
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)i;
    set.x.file.bytes = bytes;
    served_query(&q, ~0u, text);
    assert_true(preprocessor_begin(&h.preprocessor, &q, &set.x, &g, &recipe.shape, &type, &p));
    assert_true(hosted_rows_begin(&h, &p));
    hosted_rows_locate(&h);
    return h;
}

/* Rows 1 and 2 of the batch, mixed by methods that copy: the rows or their partners. */
static void mix(const hosted_rows *h, bool rows, const int64_t *pairing, fmix_dtype type,
                void *out) {
    static const fmix_method method = FMIX_METHOD_MIXUP;
    const fmix_choice choice = {.count = 1, .methods = &method};
    fmix_recipe copying = recipe;
    copying.lambda_given = true;
    copying.lambda = rows;
    fmix_context *context = unit_context();
    fmix_scratch *scratch;
    mixer_rows m = {.rows = {.count = 3}, .first = 1};
    const fmix_batch batch = {
        .rows = h->stored, .dtype = type, .out_dtype = type, .channels = 1, .pairing = pairing};
    assert_ok(fmix_mixer_new(context, &copying, &choice, &m.mixer));
    assert_ok(fmix_scratch_new(&scratch));
    assert_ok(hosted_rows_mix(h, &m, &batch, scratch, 0, 2, out));
    fmix_scratch_free(scratch);
    fmix_mixer_free(m.mixer);
    fmix_context_free(context);
}

static void rows_that_nothing_is_asked_for_are_mixed_where_they_lie(void **state) {
    (void)state;
    hosted_rows h = begin("");
    unsigned char mixed[2][BYTES];
    for (unsigned i = 0; i < 6; i++)
        assert_ptr_equal(h.stored[i], bytes + numbers[i] * BYTES);
    mix(&h, true, themselves, FMIX_DTYPE_U8, mixed);
    assert_memory_equal(mixed, bytes + 3 * BYTES, sizeof mixed);
    mix(&h, false, neighbours, FMIX_DTYPE_U8, mixed);
    assert_memory_equal(mixed[0], bytes, BYTES);
    assert_memory_equal(mixed[1], bytes + 2 * BYTES, BYTES);
    hosted_rows_end(&h);
}

static void rows_of_samples_in_order_are_lent(void **state) {
    (void)state;
    static uint64_t in_order[] = {2, 3, 4};
    hosted_samples ordered = samples;
    ordered.neighbours = false;
    ordered.number = in_order;
    hosted_rows h = begin(""), copied = begin("mean=0.5");
    assert_false(hosted_rows_lie(&h)); /* neighbours lie anywhere */
    h.samples = copied.samples = &ordered;
    assert_true(hosted_rows_lie(&h));
    assert_false(hosted_rows_lie(&copied));
    set.x.file.length = sizeof bytes;
    uint64_t begun = dataset_read_begin(&set);
    assert_ptr_equal(hosted_rows_lend(&h, 1, 2, begun), bytes + 3 * BYTES);
    assert_null(hosted_rows_lend(&h, 1, 2, begun + 1)); /* a file was touched */
    ordered.shuffles = true;
    assert_false(hosted_rows_lie(&h));
    hosted_rows_end(&h);
    hosted_rows_end(&copied);
}

static void rows_that_are_preprocessed_are_copied_and_others_are_not(void **state) {
    (void)state;
    hosted_rows stored = begin(""), copied = begin("mean=0.5");
    assert_non_null(stored.stored);
    assert_null(copied.stored);
    assert_true(hosted_rows_working(&stored) == 0 && hosted_rows_working(&copied) > 0);
    assert_true(hosted_rows_cost(&stored) == 0 && hosted_rows_cost(&copied) > 0);
    assert_int_equal(hosted_rows_memory(&stored), 6 * sizeof(void *));
    assert_int_equal(hosted_rows_memory(&copied), 0);
    hosted_rows_end(&stored);
    hosted_rows_end(&copied);
}

static void mixing_starts_from_preprocessed_rows(void **state) {
    (void)state;
    hosted_rows h = begin("mean=0.5&std=0.25");
    float mixed[2][BYTES];
    for (unsigned near = 0; near < 2; near++) {
        mix(&h, !near, near ? neighbours : themselves, FMIX_DTYPE_F32, mixed);
        for (unsigned i = 0; i < 2; i++)
            for (unsigned j = 0; j < BYTES; j++) {
                unsigned char byte = bytes[numbers[3 * near + 1 + i] * BYTES + j];
                assert_true(mixed[i][j] == (float)((byte / 255.0 - 0.5) / 0.25));
            }
    }
    hosted_rows_end(&h);
}

/* Sample 2 is row 0 of the batch, and the neighbour of row 2. */
static void neighbours_are_moved_by_the_neighbour_s_draw_at_the_t_of_the_row(void **state) {
    (void)state;
    hosted_rows h = begin("crop=3&seed=11");
    unsigned char mixed[2][BYTES];
    fmix_light light;
    mix(&h, false, neighbours, FMIX_DTYPE_U8, mixed);
    assert_ok(fmix_light_draw_neighbour(11, 4, 1, 3, &light));
    for (unsigned j = 0; j < BYTES; j++) {
        unsigned at = light.offset[0] + j; /* in the padded row */
        unsigned char wanted = at < 3 || at >= 3 + BYTES ? 0 : bytes[2 * BYTES + at - 3];
        assert_int_equal(mixed[1][j], wanted);
    }
    hosted_rows_end(&h);
}

RUN(T(rows_of_samples_in_order_are_lent),
    T(rows_that_nothing_is_asked_for_are_mixed_where_they_lie),
    T(rows_that_are_preprocessed_are_copied_and_others_are_not),
    T(mixing_starts_from_preprocessed_rows),
    T(neighbours_are_moved_by_the_neighbour_s_draw_at_the_t_of_the_row))
