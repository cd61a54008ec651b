#include "unit.h"

#include "http/request_target.h"

#include <stdio.h>

static void a_target_in_bounds_has_no_fault(void **state) {
    (void)state;
    static const char *const good[] = {"/", "*", "", "/a?b=c&d", "/%20%aF?%41=%5a", "/a?%25zz"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(request_target_check(good[i]).status, 0);
        assert_false(request_target_is_too_much(good[i]));
    }
}

static void an_escape_without_two_digits_is_400_and_quoted(void **state) {
    (void)state;
    static const struct {
        const char *target, *parameter, *quoted;
    } table[] = {
        {"/%zz", "", "'%zz'"},
        {"/a%", "", "'%'"},
        {"/a%4", "", "'%4'"},
        {"/%41%4g?a=%zz", "", "'%4g'"},
        {"/?a=1&seed=%zz&b=%yy", "seed", "'%zz'"},
        {"/?a%=b", "a", "'%=b'"},
        {"/?a=%%41", "a", "'%%4'"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        request_target_fault f = request_target_check(table[i].target);
        assert_int_equal(f.status, 400);
        assert_string_equal(f.parameter, table[i].parameter);
        assert_non_null(strstr(f.detail, table[i].quoted));
        assert_false(request_target_is_too_much(table[i].target));
    }
}

/* "/?a&a&…", of so many parameters. */
static char *query_of(size_t parameters) {
    char *target = malloc(2 * parameters + 3);
    assert_non_null(target);
    strcpy(target, "/?");
    for (size_t i = 0; i < parameters; i++)
        strcpy(target + 2 + 2 * i, "a&");
    target[1 + 2 * parameters] = 0;
    return target;
}

static void more_parameters_than_the_cap_are_400(void **state) {
    (void)state;
    for (size_t n = REQUEST_TARGET_PARAMETERS; n <= REQUEST_TARGET_PARAMETERS + 1; n++) {
        char *target = query_of(n);
        assert_int_equal(request_target_check(target).status,
                         n > REQUEST_TARGET_PARAMETERS ? 400 : 0);
        assert_int_equal(request_target_is_too_much(target), n > REQUEST_TARGET_PARAMETERS);
        free(target);
    }
}

static void more_bytes_than_the_cap_are_414(void **state) {
    (void)state;
    for (size_t n = REQUEST_TARGET_BYTES; n <= REQUEST_TARGET_BYTES + 1; n++) {
        char *target = malloc(n + 1);
        assert_non_null(target);
        memset(target, '/', n);
        target[n] = 0;
        assert_int_equal(request_target_check(target).status, n > REQUEST_TARGET_BYTES ? 414 : 0);
        assert_int_equal(request_target_is_too_much(target), n > REQUEST_TARGET_BYTES);
        free(target);
    }
}

RUN(T(a_target_in_bounds_has_no_fault), T(an_escape_without_two_digits_is_400_and_quoted),
    T(more_parameters_than_the_cap_are_400), T(more_bytes_than_the_cap_are_414))
