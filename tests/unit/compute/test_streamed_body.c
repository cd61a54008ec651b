#include "unit.h"

#include "compute/streamed_body.h"

/* streamed_body.h: "a few slices"; these are its few. */
#define SLICE_BYTES (512u << 10)
#define AHEAD       8

enum { NPY_HEADER = 128 };

/* Rows of x, `bytes` bytes each. Tests write the slices themselves. */
static tensor_source *tensor_source_of(uint64_t rows, uint64_t bytes) {
    tensor_source *s = tensor_source_new(rows);
    assert_non_null(s);
    assert_true(tensor_source_add(s, "x", DTYPE_U8, 1, &bytes, 0, NULL, NULL));
    return s;
}

typedef struct bench {
    tensor_source *source;
    streamed_body body;
    slicing slicing;
} bench;

static void bench_open(bench *b, uint64_t rows, uint64_t bytes, const format *f) {
    *b = (bench){.source = tensor_source_of(rows, bytes)};
    assert_true(streamed_body_plan(&b->body, b->source, f, NULL, &b->slicing));
}

static void bench_close(bench *b) {
    streamed_body_free(&b->body);
    tensor_source_free(b->source);
}

/* As a thread does: byte i of the slice is i plus the slice's number. */
static void compute(bench *b, uint64_t slice) {
    uint64_t first;
    const slicing_part *part = slicing_find(&b->slicing, slice);
    size_t bytes = (size_t)(slicing_part_rows(part, slice, &first) * part->from->row_bytes);
    unsigned char *room = ring_room(&b->body.ring, slice, bytes);
    assert_non_null(room);
    for (size_t i = 0; i < bytes; i++)
        room[i] = (unsigned char)(i + slice);
    ring_finish(&b->body.ring, slice);
}

static int64_t copy(const bench *b, uint64_t offset, void *out, size_t room) {
    const void *at = NULL;
    int64_t n = streamed_body_peek(&b->body, &b->slicing, offset, room, &at);
    if (n > 0)
        memcpy(out, at, (size_t)n);
    return n;
}

static void its_length_is_known_before_any_slice_is_computed(void **state) {
    (void)state;
    bench b;
    bench_open(&b, 100, SLICE_BYTES, &format_npy);
    assert_true(b.body.length == NPY_HEADER + (uint64_t)100 * SLICE_BYTES);
    assert_true(b.slicing.slices == 100);
    assert_true(streamed_body_width(&b.body, &b.slicing) == AHEAD);
    assert_false(streamed_body_is_ready(&b.body));
    bench_close(&b);
    bench_open(&b, 3, SLICE_BYTES, &format_npy);
    assert_true(streamed_body_width(&b.body, &b.slicing) == 3);
    bench_close(&b);
}

static void a_copy_ends_with_its_literal_or_its_slice(void **state) {
    (void)state;
    static unsigned char out[SLICE_BYTES + 1];
    bench b;
    bench_open(&b, 3, SLICE_BYTES - 1, &format_npy);
    compute(&b, 0);
    assert_true(streamed_body_is_ready(&b.body));
    assert_true(copy(&b, 0, out, sizeof out) == NPY_HEADER);
    assert_memory_equal(out, "\x93NUMPY", 6);
    assert_true(copy(&b, NPY_HEADER - 1, out, sizeof out) == 1);
    assert_true(copy(&b, NPY_HEADER, out, sizeof out) == SLICE_BYTES - 1);
    assert_int_equal(out[7], 7);
    assert_true(copy(&b, NPY_HEADER + 10, out, 5) == 5);
    assert_int_equal(out[0], 10);
    assert_true(copy(&b, NPY_HEADER + 10, out, sizeof out) == SLICE_BYTES - 11);
    bench_close(&b);
}

static void a_slice_that_is_not_computed_copies_nothing(void **state) {
    (void)state;
    unsigned char out[8];
    bench b;
    bench_open(&b, 3, SLICE_BYTES, &format_raw);
    assert_int_equal(copy(&b, SLICE_BYTES, out, sizeof out), 0);
    compute(&b, 1);
    assert_int_equal(copy(&b, SLICE_BYTES, out, sizeof out), sizeof out);
    assert_int_equal(out[0], 1);
    assert_int_equal(copy(&b, 0, out, sizeof out), 0);
    bench_close(&b);
}

static void past_its_end_there_is_nothing_to_copy(void **state) {
    (void)state;
    unsigned char out[8];
    bench b;
    bench_open(&b, 3, 10, &format_raw);
    compute(&b, 0);
    assert_int_equal(copy(&b, 29, out, sizeof out), 1);
    assert_int_equal(copy(&b, 30, out, sizeof out), -1);
    assert_int_equal(copy(&b, UINT64_MAX, out, sizeof out), -1);
    assert_false(streamed_body_advance(&b.body, &b.slicing, 30, 1));
    bench_close(&b);
}

static void a_range_is_sliced_into_the_rows_that_hold_its_bytes(void **state) {
    (void)state;
    unsigned char out[100];
    bench b;
    bench_open(&b, 1000, 10, &format_npy);
    streamed_body_range(&b.body, NPY_HEADER - 2, 28, &b.slicing); /* rows 0 to 2 */
    assert_true(b.slicing.each[0].begin == 0 && b.slicing.each[0].end == 3);
    compute(&b, 0);
    assert_int_equal(copy(&b, 0, out, sizeof out), 2);
    assert_int_equal(copy(&b, 2, out, sizeof out), 26);
    assert_int_equal(copy(&b, 28, out, sizeof out), -1);
    bench_close(&b);
    bench_open(&b, 1000, 10, &format_npy);
    streamed_body_range(&b.body, NPY_HEADER + 55, 10, &b.slicing); /* rows 5 and 6 */
    assert_true(b.slicing.each[0].begin == 5 && b.slicing.each[0].end == 7);
    compute(&b, 0);
    assert_int_equal(copy(&b, 0, out, sizeof out), 10);
    assert_int_equal(out[0], 5); /* the slice begins with row 5 */
    bench_close(&b);
    bench_open(&b, 1000, 10, &format_npy);
    streamed_body_range(&b.body, 0, NPY_HEADER, &b.slicing);
    assert_true(b.slicing.slices == 0);
    bench_close(&b);
}

static void advancing_past_half_of_the_slots_asks_for_more_slices(void **state) {
    (void)state;
    bench b;
    bench_open(&b, 100, SLICE_BYTES, &format_npy);
    const uint64_t slices = NPY_HEADER;
    assert_false(streamed_body_advance(&b.body, &b.slicing, 0, AHEAD));
    assert_false(streamed_body_advance(&b.body, &b.slicing, 0, 0)); /* in the literal */
    assert_false(streamed_body_advance(&b.body, &b.slicing, slices, AHEAD));
    assert_false(ring_has_slot(&b.body.ring, AHEAD));
    assert_true(
        streamed_body_advance(&b.body, &b.slicing, slices + AHEAD / 2 * SLICE_BYTES, AHEAD));
    assert_true(ring_has_slot(&b.body.ring, AHEAD + AHEAD / 2 - 1));
    assert_false(ring_has_slot(&b.body.ring, AHEAD + AHEAD / 2));
    bench_close(&b);
}

RUN(T(its_length_is_known_before_any_slice_is_computed),
    T(a_copy_ends_with_its_literal_or_its_slice), T(a_slice_that_is_not_computed_copies_nothing),
    T(past_its_end_there_is_nothing_to_copy),
    T(a_range_is_sliced_into_the_rows_that_hold_its_bytes),
    T(advancing_past_half_of_the_slots_asks_for_more_slices))
