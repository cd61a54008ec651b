#include "unit.h"

#include "import/dictionary.h"

#include <stdio.h>

static void names_are_numbered_in_the_order_of_their_bytes(void **state) {
    (void)state;
    static const char *const names[] = {"dog", "Cat", "dog", "", "\xc3\xa4", "cat", "10", "9"};
    static const char *const right[] = {"", "10", "9", "Cat", "cat", "dog", "\xc3\xa4"};
    dictionary d = {.names = NULL};
    uint32_t number;
    assert_false(dictionary_find(&d, "dog", &number));
    for (unsigned i = 0; i < 8; i++)
        assert_true(dictionary_add(&d, names[i]));
    assert_true(dictionary_sort(&d));
    assert_int_equal(d.count, 7);
    for (unsigned i = 0; i < 7; i++) {
        assert_string_equal(d.names[i], right[i]);
        assert_true(dictionary_find(&d, right[i], &number) && number == i);
    }
    assert_false(dictionary_find(&d, "do", &number));
    dictionary_free(&d);
}

static void there_may_be_many(void **state) {
    (void)state;
    dictionary d = {.names = NULL};
    char name[16];
    uint32_t number;
    for (unsigned pass = 0; pass < 2; pass++)
        for (unsigned i = 0; i < 20000; i++) {
            snprintf(name, sizeof name, "%06u", (i * 7919) % 20000);
            assert_true(dictionary_add(&d, name));
        }
    assert_int_equal(d.count, 20000);
    assert_true(dictionary_sort(&d));
    for (unsigned i = 0; i < 20000; i++) {
        snprintf(name, sizeof name, "%06u", i);
        assert_true(dictionary_find(&d, name, &number) && number == i);
    }
    dictionary_free(&d);
}

static void an_empty_one_is_sorted_too(void **state) {
    (void)state;
    dictionary d = {.names = NULL};
    assert_true(dictionary_sort(&d));
    dictionary_free(&d);
}

RUN(T(names_are_numbered_in_the_order_of_their_bytes), T(there_may_be_many),
    T(an_empty_one_is_sorted_too))
