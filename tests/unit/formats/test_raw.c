#include "unit.h"

#include "formats/format.h"

static bool read_raw(const char *shape, const char *type, const unsigned char *body, size_t length,
                     array *out, problem *p) {
    query q;
    *p = (problem){0};
    query_init(&q);
    if (shape)
        query_take(&q, GROUP_UPLOAD, "x_shape", 7, shape, strlen(shape), p);
    if (type)
        query_take(&q, GROUP_UPLOAD, "x_dtype", 7, type, strlen(type), p);
    assert_int_equal(p->status, 0);
    upload all = {0};
    bool good =
        format_raw.read(&(upload_body){.bytes = body, .length = length, .query = &q}, &all, p);
    *out = all.arrays[0];
    return good;
}

static void the_body_is_the_main_tensor_and_nothing_else(void **state) {
    (void)state;
    static const uint64_t side[] = {4, 5};
    outline l = {0};
    tensor_source *s = tensor_source_new(3);
    assert_true(tensor_source_add(s, "first", DTYPE_F64, 0, NULL, 0, NULL, NULL));
    assert_true(tensor_source_add(s, "second", DTYPE_F32, 2, side, 0, NULL, NULL));
    s->main = 1;
    assert_true(format_raw.lay_out(s, &l));
    assert_true(l.count == 1 && l.length == 240);
    assert_ptr_equal(l.segments[0].from, &s->tensors[1]);
    outline_free(&l);
    tensor_source_free(s);
}

static void an_upload_is_its_bytes_in_the_shape_asked_for(void **state) {
    (void)state;
    static const unsigned char body[48];
    array u;
    problem p;
    assert_true(read_raw("2x3x2", "f32", body, 48, &u, &p));
    assert_true(u.bytes == body && u.type == DTYPE_F32 && u.rank == 3);
    assert_true(u.shape[0] == 2 && u.shape[1] == 3 && u.shape[2] == 2);
    assert_true(read_raw("2x2x2x2x3", "u8", body, 48, &u, &p));
    assert_true(u.type == DTYPE_U8 && u.rank == 5 && u.shape[4] == 3);
}

static void shape_and_type_are_both_required_and_named(void **state) {
    (void)state;
    static const unsigned char body[4];
    array u;
    problem p;
    assert_false(read_raw(NULL, "u8", body, 4, &u, &p));
    assert_string_equal(p.errors[0].parameter, "x_shape");
    assert_false(read_raw("4", NULL, body, 4, &u, &p));
    assert_string_equal(p.errors[0].parameter, "x_dtype");
    assert_false(read_raw(NULL, NULL, body, 4, &u, &p));
    assert_true(p.count == 2 && p.status == 400);
}

static void a_body_of_another_size_is_refused(void **state) {
    (void)state;
    static const unsigned char body[8];
    array u;
    problem p;
    for (size_t length = 0; length <= 8; length++)
        assert_int_equal(read_raw("7", "u8", body, length, &u, &p), length == 7);
    assert_false(read_raw("2", "f32", body, 7, &u, &p));
    assert_false(read_raw("4294967296x4294967296", "u8", body, 0, &u, &p));
    assert_int_equal(p.status, 413);
}

RUN(T(the_body_is_the_main_tensor_and_nothing_else),
    T(an_upload_is_its_bytes_in_the_shape_asked_for), T(shape_and_type_are_both_required_and_named),
    T(a_body_of_another_size_is_refused))
