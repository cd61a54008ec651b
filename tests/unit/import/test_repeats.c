/* Names that were given more than once are counted, and which of them with other bytes. */
#include "unit.h"

#include "import/repeats.h"

#include <string.h>

#define SMALL (2 * SORTER_LENGTH)

static void add(sorter *s, const char *name, const char *behind) {
    char text[64];
    int length = snprintf(text, sizeof text, "%s%c%s", name, 0, behind);
    assert_true(sorter_add(s, text, (size_t)length));
}

static repeats counted(sorter *s) {
    repeats found;
    assert_true(repeats_count(s, &found));
    sorter_free(s);
    return found;
}

static void names_are_counted_once_however_often_they_are_given(void **state) {
    (void)state;
    sorter *s = sorter_new(tmpfile(), SMALL);
    add(s, "c", "1");
    add(s, "b", "1");
    add(s, "a", "1"); /* once */
    add(s, "c", "2");
    add(s, "b", "1"); /* the same */
    add(s, "c", "1");
    add(s, "d", "");
    add(s, "d", "5");
    repeats found = counted(s);
    assert_int_equal(found.names, 3);
    assert_int_equal(found.differ, 2);
    assert_string_equal(found.first, "c");
}

static void without_other_bytes_the_first_name_is_told(void **state) {
    (void)state;
    sorter *s = sorter_new(tmpfile(), SMALL);
    add(s, "b", "");
    add(s, "b", "");
    add(s, "a", "7");
    add(s, "a", "7");
    add(s, "ab", "7");
    repeats found = counted(s);
    assert_int_equal(found.names, 2);
    assert_int_equal(found.differ, 0);
    assert_string_equal(found.first, "a");
}

static void names_that_are_given_once_are_not_counted(void **state) {
    (void)state;
    sorter *s = sorter_new(tmpfile(), SMALL);
    assert_int_equal(counted(s).names, 0);
    s = sorter_new(tmpfile(), SMALL);
    add(s, "a", "1");
    add(s, "b", "1");
    assert_int_equal(counted(s).names, 0);
}

static void more_names_than_memory_holds_are_counted(void **state) {
    (void)state;
    sorter *s = sorter_new(tmpfile(), SMALL);
    for (unsigned i = 0; i < 30000; i++) { /* 20000 names, of which 10000 are given twice */
        char name[16], label[16];
        snprintf(name, sizeof name, "%u", i % 20000);
        snprintf(label, sizeof label, "%u", i % 40 == 5 ? i : 0);
        add(s, name, label);
    }
    repeats found = counted(s);
    assert_int_equal(found.names, 10000);
    assert_int_equal(found.differ, 250);
    assert_string_equal(found.first, "1005");
}

RUN(T(names_are_counted_once_however_often_they_are_given),
    T(without_other_bytes_the_first_name_is_told), T(names_that_are_given_once_are_not_counted),
    T(more_names_than_memory_holds_are_counted))
