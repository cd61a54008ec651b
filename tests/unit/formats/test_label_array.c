#include "unit.h"

#include "formats/label_array.h"

#include <math.h>
#include <stdio.h>

/* Of a type and shape, over 4 rows; what `classes` says. */
static bool kind_of(dtype type, uint64_t columns, uint64_t classes, label *out) {
    static unsigned char zeros[64];
    static array y;
    problem p = {0};
    y = (array){
        .name = "y", .bytes = zeros, .type = type, .rank = columns ? 2 : 1, .shape = {4, columns}};
    bool good = label_kind(&y, 4, classes, out, &p);
    assert_int_equal(p.count, !good);
    return good;
}

static void type_and_shape_say_what_labels_are(void **state) {
    (void)state;
    label l;
    for (unsigned i = 0; i < DTYPE_READ; i++) {
        dtype type = (dtype)i;
        bool whole = !dtype_floats(type) && type != DTYPE_BOOL;
        assert_int_equal(kind_of(type, 0, 0, &l), type != DTYPE_BOOL);
        assert_true(l.numbers || type == DTYPE_BOOL);
        assert_int_equal(kind_of(type, 1, 0, &l), whole);
        assert_true(kind_of(type, 1, 1, &l));
        assert_int_equal(l.numbers, whole);
        assert_true(kind_of(type, 1, 5, &l) && l.numbers && l.classes == 5);
        assert_true(kind_of(type, 3, 0, &l) && !l.numbers && l.classes == 3);
    }
}

static void rows_that_are_too_few_or_too_deep_are_refused(void **state) {
    (void)state;
    label l;
    problem p = {0};
    array y = {.name = "y", .type = DTYPE_I64, .rank = 1, .shape = {3}};
    assert_false(label_kind(&y, 4, 0, &l, &p));
    assert_string_equal(p.errors[0].detail, "there are 3 labels in y for 4 rows");
    y = (array){.name = "y", .type = DTYPE_I64, .rank = 3, .shape = {4, 2, 2}};
    assert_false(label_kind(&y, 4, 0, &l, &p));
    assert_non_null(strstr(p.errors[1].detail, "y has shape 4x2x2 and type i64"));
    y = (array){.name = "y", .type = DTYPE_F32, .rank = 0};
    assert_false(label_kind(&y, 4, 0, &l, &p));
    y = (array){.name = "y", .type = DTYPE_F16, .rank = 2, .shape = {1, FMIX_MAX_CLASSES + 1}};
    assert_false(label_kind(&y, 1, 0, &l, &p));
    assert_non_null(strstr(p.errors[3].detail, "more than the limit of 1048576 classes"));
}

/* Whether `count` elements pass as class numbers, or as rows of two columns. */
static bool passes(dtype type, const void *bytes, uint64_t count, bool numbers, uint64_t classes,
                   label *out) {
    static array y;
    problem p = {0};
    y = (array){.name = "y", .bytes = bytes, .type = type};
    *out = (label){.from = &y,
                   .numbers = numbers,
                   .native = true,
                   .rows = numbers ? count : count / 2,
                   .classes = numbers ? classes : 2};
    return label_check(out, &p);
}

static void class_numbers_are_whole_and_below_their_count(void **state) {
    (void)state;
    const uint64_t wide[] = {0, 2, 1}, huge[] = {UINT64_MAX}, most[] = {FMIX_MAX_CLASSES};
    const uint32_t middle[] = {UINT32_MAX};
    const uint16_t narrow[] = {7, 65535};
    const int8_t negative[] = {-1};
    const double whole[] = {3, 0}, part[] = {0.5}, nan[] = {NAN}, far[] = {1e300};
    label l;
    assert_true(passes(DTYPE_U64, wide, 3, true, 0, &l) && l.classes == 3);
    assert_true(label_number(&l, 1) == 2 && label_number(&l, 2) == 1);
    assert_true(passes(DTYPE_U64, wide, 3, true, 9, &l) && l.classes == 9);
    assert_false(passes(DTYPE_U64, wide, 3, true, 2, &l));
    assert_false(passes(DTYPE_U64, huge, 1, true, 0, &l));
    assert_false(passes(DTYPE_U64, most, 1, true, 0, &l));
    assert_false(passes(DTYPE_U32, middle, 1, true, 0, &l));
    assert_true(passes(DTYPE_U16, narrow, 2, true, 0, &l) && l.classes == 65536);
    assert_false(passes(DTYPE_I8, negative, 1, true, 0, &l));
    assert_true(passes(DTYPE_F64, whole, 2, true, 0, &l) && l.classes == 4);
    assert_int_equal(label_number(&l, 0), 3);
    assert_false(passes(DTYPE_F64, part, 1, true, 0, &l));
    assert_false(passes(DTYPE_F64, nan, 1, true, 0, &l));
    assert_false(passes(DTYPE_F64, far, 1, true, 0, &l));
}

static void integer_rows_hold_zero_and_one(void **state) {
    (void)state;
    const int16_t hot[] = {0, 1, 1, 1}, two[] = {0, 1, 2, 0}, minus[] = {0, 1, -1, 0};
    const unsigned char bools[] = {0, 1, 1, 0};
    const float soft[] = {0.25f, 0.75f, -3, 9};
    label l;
    assert_true(passes(DTYPE_I16, hot, 4, false, 0, &l));
    assert_true(label_weight(&l, 0) == 0 && label_weight(&l, 3) == 1);
    assert_false(passes(DTYPE_I16, two, 4, false, 0, &l));
    assert_false(passes(DTYPE_I16, minus, 4, false, 0, &l));
    assert_true(passes(DTYPE_BOOL, bools, 4, false, 0, &l) && label_weight(&l, 1) == 1);
    assert_true(passes(DTYPE_F32, soft, 4, false, 0, &l) && label_weight(&l, 1) == 0.75f);
}

static void a_refusal_of_integer_rows_names_arrays_that_may_be_sent(void **state) {
    (void)state;
    static const char *const names[][2] = {
        {"y", "y.NAME"}, {"y.fine", "y.NAME"}, {"y2", "y2.NAME"}, {"y2.fine", "y2.NAME"}};
    static const int16_t two[] = {0, 2, 1, 0};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        array y = {
            .bytes = (const unsigned char *)two, .type = DTYPE_I16, .rank = 2, .shape = {2, 2}};
        label l = {.from = &y, .native = true, .rows = 2, .classes = 2};
        problem p = {0};
        snprintf(y.name, sizeof y.name, "%s", names[i][0]);
        assert_false(label_check(&l, &p));
        const char *found = strstr(p.errors[0].detail, "as separate arrays ");
        assert_non_null(found);
        assert_string_equal(found + strlen("as separate arrays "), names[i][1]);
    }
}

static void names_of_labels_are_known(void **state) {
    (void)state;
    assert_true(label_named("y") && label_named("y.a") && label_named("y2") && label_named("y2.a"));
    assert_false(label_named("x") || label_named("x2") || label_named("yes") ||
                 label_named("y2x") || label_named(""));
}

RUN(T(type_and_shape_say_what_labels_are), T(rows_that_are_too_few_or_too_deep_are_refused),
    T(class_numbers_are_whole_and_below_their_count), T(integer_rows_hold_zero_and_one),
    T(a_refusal_of_integer_rows_names_arrays_that_may_be_sent), T(names_of_labels_are_known))
