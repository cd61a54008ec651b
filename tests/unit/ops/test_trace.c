#include "unit.h"

#include "ops/trace.h"

#define PARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static void ids_of_our_own_are_32_digits_and_differ(void **state) {
    (void)state;
    trace a, b;
    trace_begin(&a);
    trace_begin(&b);
    assert_int_equal(strlen(a.id), 32);
    assert_int_equal(strspn(a.id, "0123456789abcdef"), 32);
    assert_string_not_equal(a.id, b.id);
    assert_string_equal(a.parent, "");
    double younger = trace_age(&b); /* read first, for the clock goes on */
    assert_true(trace_age(&a) >= younger);
}

static void only_a_well_formed_id_is_taken_over(void **state) {
    (void)state;
    static const struct {
        const char *id;
        bool taken;
    } table[] = {{"a", true},
                 {"A-z_0.9", true},
                 {"0123456789012345678901234567890123456789012345678901234567890123", true},
                 {"01234567890123456789012345678901234567890123456789012345678901234", false},
                 {"", false},
                 {"a b", false},
                 {"a\"b", false},
                 {"a\nb", false},
                 {"\xc3\xa9", false}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        trace t;
        trace_begin(&t);
        trace_take(&t, table[i].id, NULL);
        assert_int_equal(strcmp(t.id, table[i].id) == 0, table[i].taken);
    }
}

static void only_a_traceparent_of_version_00_is_taken_over(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "00-",
        PARENT "0",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331--1",
    };
    trace t;
    trace_begin(&t);
    trace_take(&t, NULL, PARENT);
    assert_string_equal(t.parent, PARENT);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        trace_begin(&t);
        trace_take(&t, NULL, bad[i]);
        assert_string_equal(t.parent, "");
    }
}

RUN(T(ids_of_our_own_are_32_digits_and_differ), T(only_a_well_formed_id_is_taken_over),
    T(only_a_traceparent_of_version_00_is_taken_over))
