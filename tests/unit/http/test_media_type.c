#include "unit.h"

#include "http/media_type.h"

static void a_body_without_a_coding_is_taken(void **state) {
    (void)state;
    static const char *const good[] = {NULL, "", "identity", "Identity", "identity, IDENTITY", ","};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        problem p = {0};
        media_type_check("application/x-npy", good[i], &p);
        assert_int_equal(p.status, 0);
    }
}

static void a_coding_is_415_and_named(void **state) {
    (void)state;
    static const char *const bad[] = {"gzip", "br", "identity, gzip", "identityx", "x;identity"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        problem p = {0};
        media_type_check(NULL, bad[i], &p);
        assert_int_equal(p.status, 415);
        assert_true(p.uncoded);
        assert_string_equal(p.errors[0].parameter, "Content-Encoding");
        assert_non_null(strstr(p.errors[0].detail, bad[i]));
    }
}

static void a_multipart_body_other_than_a_form_is_415_that_names_the_type_to_send(void **state) {
    (void)state;
    static const char *const types[] = {"multipart/form-datax", "Multipart/Mixed", "multipart/"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        problem p = {0};
        media_type_check(types[i], NULL, &p);
        assert_int_equal(p.status, 415);
        assert_false(p.uncoded);
        assert_string_equal(p.errors[0].parameter, "Content-Type");
        assert_non_null(strstr(p.errors[0].detail, "curl -F"));
    }
    static const char *const good[] = {"multipartx/form-data", "multipart/form-data",
                                       "Multipart/Form-Data;boundary=x",
                                       "multipart/form-data ; boundary=x"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        problem p = {0};
        media_type_check(good[i], NULL, &p);
        assert_int_equal(p.status, 0);
    }
}

RUN(T(a_body_without_a_coding_is_taken), T(a_coding_is_415_and_named),
    T(a_multipart_body_other_than_a_form_is_415_that_names_the_type_to_send))
