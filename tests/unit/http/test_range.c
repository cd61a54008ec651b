#include "unit.h"

#include "http/range.h"

#define LENGTH 1000

static void single_ranges_are_parts_of_the_body(void **state) {
    (void)state;
    static const struct {
        const char *header;
        uint64_t first, count;
    } table[] = {
        {"bytes=0-0", 0, 1},
        {"bytes=0-999", 0, 1000},
        {"bytes=0-", 0, 1000},
        {"bytes=1-", 1, 999},
        {"bytes=999-", 999, 1},
        {"bytes=999-999", 999, 1},
        {"bytes=10-19", 10, 10},
        {"bytes=0010-0019", 10, 10},
        {"bytes=10-1000", 10, 990},
        {"bytes=10-18446744073709551615", 10, 990},
        {"bytes=10-99999999999999999999999", 10, 990},
        {"bytes=-1", 999, 1},
        {"bytes=-999", 1, 999},
        {"bytes=-1000", 0, 1000},
        {"bytes=-1001", 0, 1000},
        {"bytes=-99999999999999999999999", 0, 1000},
        {"BYTES=5-6", 5, 2},
        {"bytes= 5-6", 5, 2},
        {"bytes=5-6 ", 5, 2},
        {"bytes=,5-6,", 5, 2},
        {"bytes= , 5-6 ,\t", 5, 2},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        uint64_t first = 7777, count = 7777;
        if (range_parse(table[i].header, LENGTH, &first, &count) != RANGE_PART ||
            first != table[i].first || count != table[i].count)
            fail_msg("%s: %d, %d", table[i].header, (int)first, (int)count);
    }
}

static void a_range_past_the_end_is_beyond(void **state) {
    (void)state;
    static const char *const table[] = {
        "bytes=1000-",
        "bytes=1000-1000",
        "bytes=1001-2000",
        "bytes=18446744073709551615-",
        "bytes=18446744073709551616-18446744073709551617",
        "bytes=99999999999999999999999-",
        "bytes=-0",
        "bytes=-000",
    };
    uint64_t first, count;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (range_parse(table[i], LENGTH, &first, &count) != RANGE_BEYOND)
            fail_msg("%s", table[i]);
    assert_int_equal(range_parse("bytes=0-", 0, &first, &count), RANGE_BEYOND);
    assert_int_equal(range_parse("bytes=-5", 0, &first, &count), RANGE_BEYOND);
}

static void a_field_that_is_not_one_range_is_ignored(void **state) {
    (void)state;
    static const char *const table[] = {
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=--1",
        "bytes=-1-",
        "bytes=1",
        "bytes=1 - 2",
        "bytes=1- 2",
        "bytes=2-1",
        "bytes=0-1,3-4",
        "bytes=0-1,-1",
        "bytes=1-2-3",
        "bytes=a-b",
        "bytes=0x1-2",
        "bytes=1.0-2",
        "bytes=+1-2",
        "bytes=1-+2",
        "bytes=1-2;",
        "bytes=1-2 3",
        "bytes =1-2",
        " bytes=1-2",
        "byte=1-2",
        "bytess=1-2",
        "items=1-2",
        "bytes:1-2",
        "1-2",
        "bytes 1-2/10",
        "bytes=\"1-2\"",
        "bytes=1-2,x",
        "bytes=,",
        "bytes=1000-999",
        "bytes=99999999999999999999999-5",
    };
    uint64_t first, count;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (range_parse(table[i], LENGTH, &first, &count) != RANGE_ALL)
            fail_msg("%s", table[i]);
    assert_int_equal(range_parse(NULL, LENGTH, &first, &count), RANGE_ALL);
}

RUN(T(single_ranges_are_parts_of_the_body), T(a_range_past_the_end_is_beyond),
    T(a_field_that_is_not_one_range_is_ignored))
