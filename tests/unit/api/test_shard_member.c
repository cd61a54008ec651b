#include "unit.h"

#include "api/shard_member.h"

enum { HEIGHT = 2, WIDTH = 3, PIXELS = HEIGHT * WIDTH };
static const uint64_t side[] = {HEIGHT, WIDTH, 1};
static const unsigned char row[PIXELS] = {1, 2, 3, 4, 5, 6};

/* A source of one tensor `mixed` of HEIGHT x WIDTH u8, and another tensor. */
static tensor_source *beside(const char *name, dtype type, unsigned sides) {
    tensor_source *s = tensor_source_new(2);
    assert_true(tensor_source_add(s, "mixed", DTYPE_U8, 2, side, 0, NULL, NULL));
    tensor_source_draw(s, CHANNELS_NOWHERE);
    assert_true(tensor_source_add(s, name, type, sides, side, 0, NULL, NULL));
    return s;
}

static void an_npy_file_is_the_row_without_the_side_of_rows(void **state) {
    (void)state;
    tensor_source *s = beside("dense", DTYPE_U8, 2);
    shard_member m;
    problem p = {0};
    assert_true(shard_member_sample(&m, &s->tensors[0], false, &p));
    unsigned char *out = calloc(1, (size_t)m.length + 1);
    shard_member_write(&m, row, out);
    assert_string_equal(m.suffix, "npy");
    assert_memory_equal(out, "\x93NUMPY", 6);
    assert_non_null(strstr((const char *)out + 10, "(2, 3)"));
    assert_memory_equal(out + m.length - PIXELS, row, PIXELS);
    free(out);
    shard_member_end(&m);
    tensor_source_free(s);
}

static void a_png_file_ends_where_it_was_measured_to_end(void **state) {
    (void)state;
    tensor_source *s = beside("dense.map", DTYPE_U8, 2);
    for (unsigned i = 0; i < 2; i++) {
        shard_member m;
        problem p = {0};
        assert_true(i ? shard_member_dense(&m, &s->tensors[1], &s->tensors[0], true, &p)
                      : shard_member_sample(&m, &s->tensors[0], true, &p));
        unsigned char *out = calloc(1, (size_t)m.length + 1);
        shard_member_write(&m, row, out);
        assert_string_equal(m.suffix, i ? "dense.map.png" : "png");
        assert_memory_equal(out, "\x89PNG\r\n\x1a\n", 8);
        assert_int_equal(out[25], i ? 3 : 0); /* indexed, or grey */
        assert_memory_equal(out + m.length - 8, "IEND", 4);
        free(out);
        shard_member_end(&m);
    }
    tensor_source_free(s);
}

static void label_maps_alone_are_png_files(void **state) {
    (void)state;
    static const struct {
        dtype type;
        unsigned sides;
        bool png;
        const char *suffix;
    } table[] = {
        {DTYPE_U8, 2, true, "dense.map.png"},  {DTYPE_BOOL, 2, true, "dense.map.png"},
        {DTYPE_I8, 2, true, "dense.map.png"},  {DTYPE_I16, 2, true, "dense.map.npy"},
        {DTYPE_F16, 2, true, "dense.map.npy"}, {DTYPE_U8, 3, true, "dense.map.npy"},
        {DTYPE_U8, 2, false, "dense.map.npy"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        tensor_source *s = beside("dense.map", table[i].type, table[i].sides);
        shard_member m;
        problem p = {0};
        assert_true(shard_member_dense(&m, &s->tensors[1], &s->tensors[0], table[i].png, &p));
        assert_string_equal(m.suffix, table[i].suffix);
        shard_member_end(&m);
        tensor_source_free(s);
    }
}

static void a_type_that_numpy_lacks_is_refused_by_the_name_of_the_target(void **state) {
    (void)state;
    tensor_source *s = beside("dense.depth", DTYPE_BF16, 2);
    shard_member m;
    problem p = {0};
    assert_false(shard_member_dense(&m, &s->tensors[1], &s->tensors[0], true, &p));
    assert_int_equal(p.status, 400);
    assert_non_null(strstr(p.errors[0].detail, "dense.depth"));
    shard_member_end(&m);
    tensor_source_free(s);
}

RUN(T(an_npy_file_is_the_row_without_the_side_of_rows),
    T(a_png_file_ends_where_it_was_measured_to_end), T(label_maps_alone_are_png_files),
    T(a_type_that_numpy_lacks_is_refused_by_the_name_of_the_target))
