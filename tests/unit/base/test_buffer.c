#include "unit.h"

#include "base/buffer.h"

#include <stdio.h>

static void bytes_come_back_in_the_order_they_went_in(void **state) {
    (void)state;
    buffer b = buffer_of(1000);
    assert_true(buffer_add(&b, "ab", 2));
    assert_true(buffer_text(&b, "cd"));
    assert_true(buffer_print(&b, "%d-%s", 42, "e"));
    assert_true(buffer_add(&b, "", 1));
    assert_string_equal((char *)b.bytes, "abcd42-e");
    assert_int_equal(b.length, 9);
    buffer_free(&b);
}

static void growth_keeps_what_is_there(void **state) {
    (void)state;
    enum { N = 100000 };
    buffer b = buffer_of(N);
    for (size_t i = 0; i < N; i++) {
        unsigned char byte = (unsigned char)(i * 7);
        assert_true(buffer_add(&b, &byte, 1));
        assert_in_range(b.room, b.length, N);
    }
    for (size_t i = 0; i < N; i++)
        assert_int_equal(b.bytes[i], (unsigned char)(i * 7));
    buffer_free(&b);
}

static void room_grows_by_doubling(void **state) {
    (void)state;
    buffer b = buffer_of(1 << 20);
    unsigned grown = 0;
    for (size_t i = 0, room = 0; i < 1 << 16; i++, room = b.room) {
        assert_true(buffer_add(&b, "x", 1));
        grown += b.room != room;
    }
    assert_in_range(grown, 1, 17);
    buffer_free(&b);
}

static void the_cap_is_reached_and_never_passed(void **state) {
    (void)state;
    for (size_t cap = 0; cap < 70; cap++)
        for (size_t piece = 1; piece < 9; piece++) {
            buffer b = buffer_of(cap);
            size_t added = 0;
            while (buffer_add(&b, "12345678", piece))
                added += piece;
            assert_int_equal(added, cap / piece * piece);
            assert_int_equal(b.length, added);
            assert_true(b.room <= cap);
            buffer_free(&b);
        }
}

static void a_failure_sticks_and_keeps_what_was_added(void **state) {
    (void)state;
    buffer b = buffer_of(4);
    assert_true(buffer_text(&b, "abc"));
    assert_false(buffer_text(&b, "de"));
    assert_true(b.failed);
    assert_false(buffer_text(&b, "d"));
    assert_false(buffer_text(&b, ""));
    assert_false(buffer_print(&b, "%d", 1));
    assert_false(buffer_reserve(&b, 1));
    assert_int_equal(b.length, 3);
    assert_memory_equal(b.bytes, "abc", 3);
    buffer_free(&b);
}

static void sizes_near_the_end_of_memory_do_not_wrap(void **state) {
    (void)state;
    buffer b = buffer_of(100);
    assert_true(buffer_text(&b, "abc"));
    assert_false(buffer_add(&b, "x", SIZE_MAX));
    assert_int_equal(b.length, 3);
    buffer_free(&b);
    b = buffer_of(100);
    assert_true(buffer_text(&b, "abc"));
    assert_false(buffer_add(&b, "x", SIZE_MAX - 2));
    buffer_free(&b);
}

static void reserve_makes_room_at_once(void **state) {
    (void)state;
    buffer b = buffer_of(100);
    assert_true(buffer_reserve(&b, 60));
    assert_int_equal(b.room, 60);
    unsigned char *bytes = b.bytes;
    for (int i = 0; i < 60; i++)
        assert_true(buffer_add(&b, "x", 1));
    assert_ptr_equal(b.bytes, bytes);
    assert_true(buffer_reserve(&b, 10));
    assert_int_equal(b.room, 60);
    assert_false(buffer_reserve(&b, 101));
    buffer_free(&b);
}

static void print_adds_all_or_nothing(void **state) {
    (void)state;
    char text[513];
    memset(text, 'a', sizeof text - 1);
    text[512] = 0;
    buffer b = buffer_of(1000);
    assert_true(buffer_print(&b, "%s", text + 1)); /* 511 bytes: the most it prints */
    assert_int_equal(b.length, 511);
    assert_false(buffer_print(&b, "%s", text));
    assert_true(b.failed);
    assert_int_equal(b.length, 511);
    buffer_free(&b);
}

static void an_empty_addition_succeeds_and_a_freed_buffer_is_new(void **state) {
    (void)state;
    buffer b = buffer_of(0);
    assert_true(buffer_add(&b, NULL, 0));
    assert_true(buffer_text(&b, ""));
    buffer_free(&b);
    buffer_free(&b);
    assert_null(b.bytes);
    b = buffer_of(3);
    assert_false(buffer_text(&b, "long"));
    buffer_free(&b);
    assert_true(buffer_text(&b, "new")); /* a freed buffer is as good as new */
    buffer_free(&b);
}

static void numbers_print_as_printf_prints_them(void **state) {
    (void)state;
    static const double reals[] = {0,   1,   3,    10,     1000, 1e15, 1e17, 123456789012345,
                                   0.1, 1.5, -1.0, 1e-300, -0.0, 0.2,  1e16, 2.5e14};
    static const uint64_t numbers[] = {0, 9, 10, 12345678901234567890u, UINT64_MAX};
    char expected[64];
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
        buffer b = buffer_of(64);
        snprintf(expected, sizeof expected, "%.17g", reals[i]);
        assert_true(buffer_real(&b, reals[i]) && buffer_add(&b, "", 1));
        assert_string_equal((char *)b.bytes, expected);
        buffer_free(&b);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        buffer b = buffer_of(64);
        snprintf(expected, sizeof expected, "%llu", (unsigned long long)numbers[i]);
        assert_true(buffer_number(&b, numbers[i]) && buffer_add(&b, "", 1));
        assert_string_equal((char *)b.bytes, expected);
        buffer_free(&b);
    }
}

/* The buffer asks for twice its room, and makes do with less. */
static void a_buffer_grows_to_the_last_byte_of_its_budget(void **state) {
    (void)state;
    enum { LIMIT = 100000 };
    static const char piece[1000];
    budget b;
    budget_init(&b, LIMIT, 1);
    buffer text = buffer_paid(10 * LIMIT, (budget_payer){.from = &b});
    for (int i = 0; i < LIMIT / 1000; i++)
        assert_true(buffer_add(&text, piece, sizeof piece));
    assert_int_equal(text.length, LIMIT);
    assert_false(buffer_add(&text, piece, 1));
    assert_true(text.starved && text.wanted == LIMIT + 1);
    buffer_free(&text);
    assert_true(budget_held(&b) == 0);
    budget_destroy(&b);
}

static void an_expected_length_takes_memory_that_the_pool_keeps(void **state) {
    (void)state;
    enum { ROOM = 1 << 20 };
    buffer_pool s;
    budget b;
    budget_init(&b, 2 * ROOM, 1);
    buffer_pool_init(&s, 4 * ROOM);
    buffer text = {.cap = ROOM, .payer = {.from = &b}, .spares = &s};
    assert_false(buffer_expect(&text, ROOM)); /* the pool is empty */
    assert_true(buffer_reserve(&text, ROOM));
    buffer_free(&text);
    assert_true(s.held == ROOM && budget_held(&b) == 0);
    assert_true(buffer_expect(&text, ROOM));
    assert_true(s.held == 0 && budget_held(&b) == ROOM && text.room == ROOM && text.length == 0);
    buffer_free(&text);
    assert_true(budget_take((budget_payer){.from = &b}, 2 * ROOM));
    assert_false(buffer_expect(&text, ROOM)); /* the budget cannot pay */
    assert_true(s.held == ROOM);
    budget_give((budget_payer){.from = &b}, 2 * ROOM);
    buffer_pool_destroy(&s);
    budget_destroy(&b);
}

RUN(T(a_buffer_grows_to_the_last_byte_of_its_budget),
    T(an_expected_length_takes_memory_that_the_pool_keeps), T(numbers_print_as_printf_prints_them),
    T(bytes_come_back_in_the_order_they_went_in), T(growth_keeps_what_is_there),
    T(room_grows_by_doubling), T(the_cap_is_reached_and_never_passed),
    T(a_failure_sticks_and_keeps_what_was_added), T(sizes_near_the_end_of_memory_do_not_wrap),
    T(reserve_makes_room_at_once), T(print_adds_all_or_nothing),
    T(an_empty_addition_succeeds_and_a_freed_buffer_is_new))
