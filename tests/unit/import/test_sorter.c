/* Strings come back in order, however many pieces they were sorted in. */
#include "unit.h"

#include "import/sorter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SMALL (2 * SORTER_LENGTH)

static int compare(const void *a, const void *b) {
    const uint64_t *left = a, *right = b;
    return *left < *right ? -1 : *left > *right;
}

/* As big-endian bytes, whose order is that of the numbers, and then as many zeros as it says. */
static size_t spell(uint64_t number, unsigned char out[300]) {
    size_t length = 8 + number % 200;
    memset(out, 0, 300);
    for (unsigned i = 0; i < 8; i++)
        out[i] = (unsigned char)(number >> 8 * (7 - i));
    return length;
}

static void strings_are_sorted(size_t count, size_t piece) {
    uint64_t *numbers = malloc(count * sizeof *numbers + 1), state = 7;
    unsigned char text[300];
    sorter *s = sorter_new(tmpfile(), piece);
    assert_non_null(s);
    for (size_t i = 0; i < count; i++) {
        numbers[i] = state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        assert_true(sorter_add(s, text, spell(numbers[i], text)));
    }
    qsort(numbers, count, sizeof *numbers, compare);
    for (unsigned pass = 0; pass < 2; pass++) {
        const unsigned char *bytes;
        size_t length;
        assert_true(sorter_rewind(s));
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(sorter_next(s, &bytes, &length), SORTER_STRING);
            assert_int_equal(length, spell(numbers[i], text));
            assert_memory_equal(bytes, text, length);
        }
        assert_int_equal(sorter_next(s, &bytes, &length), SORTER_END);
    }
    sorter_free(s);
    free(numbers);
}

static void strings_come_back_in_order_twice(void **state) {
    (void)state;
    strings_are_sorted(0, SMALL);
    strings_are_sorted(1, SMALL);
    strings_are_sorted(500, SMALL);
    strings_are_sorted(20000, SMALL); /* 17 pieces */
    strings_are_sorted(20000, SORTER_PIECE);
}

static void bytes_are_unsigned_and_a_beginning_comes_first(void **state) {
    (void)state;
    static const char *const right[] = {"", "a", "a", "ab", "b", "\xff"};
    static const char *const given[] = {"b", "\xff", "a", "ab", "", "a"};
    const unsigned char *bytes;
    size_t length;
    sorter *s = sorter_new(tmpfile(), SMALL);
    for (unsigned i = 0; i < 6; i++)
        assert_true(sorter_add(s, given[i], strlen(given[i])));
    assert_true(sorter_rewind(s));
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(sorter_next(s, &bytes, &length), SORTER_STRING);
        assert_int_equal(length, strlen(right[i]));
        assert_memory_equal(bytes, right[i], length);
    }
    sorter_free(s);
}

static void the_longest_strings_are_kept_and_longer_ones_refused(void **state) {
    (void)state;
    static unsigned char text[SORTER_LENGTH + 1];
    const unsigned char *bytes;
    size_t length;
    sorter *s = sorter_new(tmpfile(), SMALL);
    for (unsigned i = 0; i < 5; i++) {
        text[0] = (unsigned char)(5 - i);
        assert_true(sorter_add(s, text, SORTER_LENGTH - 4));
    }
    assert_false(sorter_add(s, text, SORTER_LENGTH - 3));
    assert_int_equal(errno, ENAMETOOLONG);
    assert_true(sorter_rewind(s));
    for (unsigned i = 0; i < 5; i++)
        assert_true(sorter_next(s, &bytes, &length) == SORTER_STRING && bytes[0] == i + 1 &&
                    length == SORTER_LENGTH - 4);
    sorter_free(s);
}

static void a_file_that_cannot_be_written_is_an_error(void **state) {
    (void)state;
    static unsigned char text[1000];
    sorter *s = sorter_new(fopen("/dev/full", "w+"), SMALL);
    bool good = true;
    for (unsigned i = 0; i < 300 && good; i++)
        good = sorter_add(s, text, sizeof text);
    assert_false(good);
    assert_int_equal(errno, ENOSPC);
    sorter_free(s);
    sorter_free(NULL);
}

RUN(T(strings_come_back_in_order_twice), T(bytes_are_unsigned_and_a_beginning_comes_first),
    T(the_longest_strings_are_kept_and_longer_ones_refused),
    T(a_file_that_cannot_be_written_is_an_error))
