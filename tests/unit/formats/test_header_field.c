#include "unit.h"

#include "formats/header_field.h"

static field_text value_of(const char *text, field *rest) {
    return field_value(text, strlen(text), rest);
}

static void assert_text(field_text t, const char *expected) {
    assert_int_equal(t.length, strlen(expected));
    assert_memory_equal(t.at, expected, t.length);
}

static void texts_are_compared_without_regard_to_case(void **state) {
    (void)state;
    field_text t = {"Form-Data", 9};
    assert_true(field_is(t, "form-data") && field_begins(t, "FORM") && field_begins(t, ""));
    assert_false(field_is(t, "form-dat") || field_is(t, "form-datax") || field_begins(t, "orm"));
    assert_true(field_is((field_text){NULL, 0}, ""));
}

static void the_value_stands_before_the_parameters(void **state) {
    (void)state;
    static const char *const same[] = {"a/b", " a/b ", "a/b;x=1", "\ta/b\t; x=\"a/c\"", "a/b;"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        field rest;
        assert_text(value_of(same[i], &rest), "a/b");
    }
    field rest;
    assert_text(value_of("", &rest), "");
    assert_text(value_of(" ;x=1", &rest), "");
}

static void parameters_follow_in_their_order(void **state) {
    (void)state;
    field rest;
    field_parameter one;
    char copy[8];
    value_of("a; x=1 ;Y=\"b;\\\" \\\\c\";; z=q;", &rest);
    assert_true(field_next(&rest, &one));
    assert_text(one.name, "x");
    assert_text(one.value, "1");
    assert_true(!one.quoted && field_next(&rest, &one));
    assert_text(one.name, "Y");
    assert_text(one.value, "b;\\\" \\\\c");
    assert_true(one.quoted && field_copy(&one, copy, sizeof copy));
    assert_string_equal(copy, "b;\" \\c");
    assert_false(field_copy(&one, copy, 6));
    assert_true(field_next(&rest, &one));
    assert_text(one.name, "z");
    assert_false(field_next(&rest, &one) || rest.broken);
}

static void an_empty_value_is_taken_in_quotes_alone(void **state) {
    (void)state;
    field rest;
    field_parameter one;
    char copy[1];
    value_of("a;x=\"\"", &rest);
    assert_true(field_next(&rest, &one) && one.value.length == 0);
    assert_true(field_copy(&one, copy, 1) && copy[0] == 0);
}

static void what_is_no_list_of_parameters_is_broken(void **state) {
    (void)state;
    static const char *const bad[] = {
        "a;x",    "a;x=",      "a;x y=1",   "a;x =1",      "a;x= 1", "a;=1",        "a;x=\"1",
        "a;x=\"", "a;x=1 y=2", "a;x=\"1\\", "a;x=\"1\\\"", "a;x=@",  "a;x=\"1\"y=2"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        size_t length = strlen(bad[i]);
        char *text = malloc(length); /* so that sanitizers see a byte too far */
        field rest;
        field_parameter one;
        memcpy(text, bad[i], length);
        field_value(text, length, &rest);
        while (field_next(&rest, &one))
            ;
        assert_true(rest.broken);
        free(text);
    }
}

static void tokens_have_at_least_one_character_and_no_separators(void **state) {
    (void)state;
    assert_true(field_is_token((field_text){"Content-Type", 12}));
    assert_true(field_is_token((field_text){"a!#$%&'*+-.^_`|~9", 17}));
    static const char bad[] = " \t:;=\"(),/<>?@[]{}\\\x7f\x80";
    for (size_t i = 0; i < sizeof bad; i++) /* and NUL */
        assert_false(field_is_token((field_text){&bad[i], 1}));
    assert_false(field_is_token((field_text){"", 0}));
}

RUN(T(texts_are_compared_without_regard_to_case), T(the_value_stands_before_the_parameters),
    T(parameters_follow_in_their_order), T(an_empty_value_is_taken_in_quotes_alone),
    T(what_is_no_list_of_parameters_is_broken),
    T(tokens_have_at_least_one_character_and_no_separators))
