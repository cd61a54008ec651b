#include "unit.h"

#include "base/json_build.h"

#include <string.h>

#define TEXT "{\"list\":[1,\"two\"],\"none\":null}"

static void values_are_printed_as_they_are_built(void **state) {
    (void)state;
    json_t *list = json_append(json_append(json_array(), json_integer(1)), json_string("two"));
    json_t *root = json_set(json_set(json_object(), "list", list), "none", json_null());
    buffer out = buffer_of(100);
    assert_true(json_print(root, JSON_COMPACT, &out));
    assert_true(json_print_line(root, &out));
    assert_int_equal(out.length, 2 * strlen(TEXT) + 1);
    assert_memory_equal(out.bytes, TEXT TEXT "\n", out.length);
    buffer_free(&out);
}

static void a_failed_allocation_makes_the_whole_value_null(void **state) {
    (void)state;
    json_t *value = json_integer(7);
    assert_null(json_set(json_object(), "x", NULL));
    assert_null(json_append(json_array(), NULL));
    assert_null(json_set(NULL, "x", json_incref(value)));
    assert_null(json_append(NULL, json_incref(value)));
    assert_int_equal(value->refcount, 1); /* taken nevertheless */
    json_decref(value);
    buffer out = buffer_of(100);
    assert_false(json_print(NULL, JSON_COMPACT, &out));
    assert_true(out.failed);
    out = buffer_of(100);
    assert_false(json_print_line(NULL, &out));
    assert_true(out.failed);
}

static void a_text_that_does_not_fit_fails(void **state) {
    (void)state;
    buffer out = buffer_of(4);
    json_t *value = json_string("longer");
    assert_false(json_print(value, JSON_ENCODE_ANY, &out));
    assert_true(out.failed);
    json_decref(value);
    buffer_free(&out);
}

RUN(T(values_are_printed_as_they_are_built), T(a_failed_allocation_makes_the_whole_value_null),
    T(a_text_that_does_not_fit_fails))
