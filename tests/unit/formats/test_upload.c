#include "unit.h"

#include "formats/upload.h"

#include <stdio.h>

static void an_upload_has_just_the_bytes_of_its_shape(void **state) {
    (void)state;
    static const struct {
        array array;
        uint64_t bytes;
        int status;
    } table[] = {
        {{.type = DTYPE_U8, .rank = 1, .shape = {7}}, 7, 0},
        {{.type = DTYPE_F32, .rank = 2, .shape = {3, 5}}, 60, 0},
        {{.type = DTYPE_F32, .rank = 5, .shape = {1, 2, 3, 4, 5}}, 480, 0},
        {{.type = DTYPE_F32, .rank = 0}, 4, 0},
        {{.type = DTYPE_U8, .rank = 1, .shape = {7}}, 6, 400},
        {{.type = DTYPE_U8, .rank = 1, .shape = {7}}, 8, 400},
        {{.type = DTYPE_F32, .rank = 1, .shape = {7}}, 7, 400},
        {{.type = DTYPE_U8, .rank = 1, .shape = {0}}, 0, 400},
        {{.type = DTYPE_U8, .rank = 3, .shape = {4, 0, 4}}, 0, 400},
        {{.type = DTYPE_U8, .rank = 1, .shape = {UINT64_MAX}}, 5, 400},
        {{.type = DTYPE_F32, .rank = 1, .shape = {UINT64_C(1) << 62}}, 0, 413},
        {{.type = DTYPE_U8, .rank = 2, .shape = {UINT64_C(1) << 32, UINT64_C(1) << 32}}, 0, 413},
        {{.type = DTYPE_U8, .rank = 2, .shape = {UINT64_C(1) << 63, 3}}, UINT64_C(1) << 63, 413},
        {{.type = DTYPE_U8,
          .rank = 5,
          .shape = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}},
         1,
         413},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        problem p = {0};
        assert_int_equal(array_check(&table[i].array, table[i].bytes, &p), !table[i].status);
        assert_int_equal(p.status, table[i].status);
    }
}

static problem add(upload *u, const char *name, array **out) {
    problem p = {0};
    *out = upload_add(u, name, strlen(name), &p);
    return p;
}

static void names_have_letters_digits_and_underscores_with_points_and_dashes_between(void **state) {
    (void)state;
    static const char *const good[] = {"x", "y.colour", "y2.a-b.c",
                                       "_", "A9_z",     "a123456789012345678901234567890"};
    static const char *const bad[] = {
        "",   ".",   "x.",  ".x",       "x..y",
        "x-", "x y", "x/y", "\xc3\xa9", "a1234567890123456789012345678901"};
    array *a;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        upload u = {.count = 0};
        assert_int_equal(add(&u, good[i], &a).status, 0);
        assert_string_equal(a->name, good[i]);
        assert_ptr_equal(upload_find(&u, good[i]), a);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        upload u = {.count = 0};
        assert_int_equal(add(&u, bad[i], &a).status, 400);
        assert_null(a);
        assert_int_equal(u.count, 0);
    }
}

static void a_name_stands_for_one_array(void **state) {
    (void)state;
    upload u = {.count = 0};
    array *a;
    assert_int_equal(add(&u, "x", &a).status, 0);
    problem p = add(&u, "x", &a);
    assert_null(a);
    assert_string_equal(p.errors[0].parameter, "x");
    assert_null(upload_find(&u, "y"));
}

static void a_body_holds_as_many_arrays_as_the_limit(void **state) {
    (void)state;
    upload u = {.count = 0};
    array *a;
    char name[16];
    for (int i = 0; i < UPLOAD_ARRAYS; i++) {
        snprintf(name, sizeof name, "y.%d", i);
        assert_int_equal(add(&u, name, &a).status, 0);
    }
    assert_int_equal(add(&u, "x", &a).status, 400);
    assert_int_equal(u.count, UPLOAD_ARRAYS);
}

static void only_labels_have_types_that_samples_do_not(void **state) {
    (void)state;
    array x = {.name = "x", .type = DTYPE_U16, .rank = 1, .shape = {2}};
    array y = {.name = "y.colour", .type = DTYPE_U16, .rank = 1, .shape = {2}};
    problem p = {0};
    assert_true(array_check(&y, 4, &p));
    assert_false(array_check(&x, 4, &p));
    assert_int_equal(p.status, 400);
}

static void elements_are_swapped_where_the_machine_is_big_endian(void **state) {
    (void)state;
    unsigned char bytes[] = {1, 0, 2, 0};
    upload u = {.count = 1};
    uint16_t value[2];
    u.arrays[0] = (array){.name = "x", .bytes = bytes, .type = DTYPE_I16, .rank = 1, .shape = {2}};
    upload_swap(&u);
    memcpy(value, bytes, sizeof value);
    assert_true(value[0] == 1 && value[1] == 2);
}

static void a_suffix_is_empty_or_a_name_behind_a_point(void **state) {
    (void)state;
    assert_string_equal(array_suffix("y", "y"), "");
    assert_string_equal(array_suffix("y.left", "y"), ".left");
    assert_null(array_suffix("y2", "y"));
    assert_null(array_suffix("y.", "y"));
    assert_null(array_suffix("x", "y"));
}

static void partners_have_the_type_and_shape_of_what_they_partner(void **state) {
    (void)state;
    const array y = {.name = "y.left", .type = DTYPE_I32, .rank = 2, .shape = {4, 3}};
    const struct {
        array found;
        bool good;
    } table[] = {{{.name = "y2.left", .type = DTYPE_I32, .rank = 2, .shape = {4, 3}}, true},
                 {{.name = "y2", .type = DTYPE_I32, .rank = 2, .shape = {4, 3}}, false},
                 {{.name = "y2.left", .type = DTYPE_F32, .rank = 2, .shape = {4, 3}}, false},
                 {{.name = "y2.left", .type = DTYPE_I32, .rank = 1, .shape = {4, 3}}, false},
                 {{.name = "y2.left", .type = DTYPE_I32, .rank = 2, .shape = {4, 2}}, false}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        problem p = {0};
        upload u = {.arrays = {table[i].found}, .count = 1};
        const array *found = upload_partners(&u, &y, "y2", ".left", &p);
        assert_ptr_equal(found, table[i].good ? &u.arrays[0] : NULL);
        assert_int_equal(p.status, table[i].good ? 0 : 400);
        if (!table[i].good)
            assert_string_equal(p.errors[0].parameter, "y2.left");
    }
}

RUN(T(an_upload_has_just_the_bytes_of_its_shape),
    T(names_have_letters_digits_and_underscores_with_points_and_dashes_between),
    T(a_name_stands_for_one_array), T(a_body_holds_as_many_arrays_as_the_limit),
    T(only_labels_have_types_that_samples_do_not),
    T(elements_are_swapped_where_the_machine_is_big_endian),
    T(a_suffix_is_empty_or_a_name_behind_a_point),
    T(partners_have_the_type_and_shape_of_what_they_partner))
