#include "unit.h"

#include "access/cors.h"

#define METHODS "GET, HEAD, OPTIONS"

/* The value of a header that is added, or NULL. */
static const char *value(const cors *c, const char *name) {
    for (unsigned i = 0; i < c->count; i++)
        if (strcmp(c->headers[i].name, name) == 0)
            return c->headers[i].value;
    return NULL;
}

static cors answer(const char *allowed, const char *method, const char *origin,
                   const char *wanted) {
    cors c;
    const cors_request r = {method, origin, wanted};
    cors_answer(allowed, &r, METHODS, &c);
    assert_true(c.count <= CORS_HEADERS);
    return c;
}

#define LIST "https://a.example,http://localhost:3000"

static void off_does_not_add_any_header(void **state) {
    (void)state;
    assert_int_equal(answer("", "GET", "https://a.example", NULL).count, 0);
    assert_int_equal(answer("", "OPTIONS", "https://a.example", "GET").count, 0);
    assert_int_equal(answer("", "GET", "", NULL).count, 0);
    assert_false(answer("", "GET", "https://a.example", NULL).vary);
}

static void a_listed_origin_is_named_and_may_read_headers(void **state) {
    (void)state;
    static const char *const origins[] = {"https://a.example", "http://localhost:3000"};
    static const char *const methods[] = {"GET", "HEAD", "POST", "DELETE", "OPTIONS"};
    for (size_t o = 0; o < 2; o++)
        for (size_t m = 0; m < 5; m++) {
            cors c = answer(LIST, methods[m], origins[o], NULL);
            assert_string_equal(value(&c, "Access-Control-Allow-Origin"), origins[o]);
            const char *exposed = value(&c, "Access-Control-Expose-Headers");
            assert_non_null(strstr(exposed, "ETag"));
            assert_non_null(strstr(exposed, "X-Fmix-Shape"));
            assert_non_null(strstr(exposed, "Retry-After"));
            assert_null(value(&c, "Access-Control-Allow-Methods"));
            assert_true(c.vary);
        }
}

static void an_origin_is_compared_byte_for_byte(void **state) {
    (void)state;
    static const char *const others[] = {"https://A.example",
                                         "http://a.example",
                                         "https://a.example:443",
                                         "https://a.example/",
                                         "https://a.exampl",
                                         "https://a.example.evil.example",
                                         "https://b.a.example",
                                         "https://localhost",
                                         "http://localhost:30000",
                                         "http://localhost:300",
                                         "null",
                                         "*",
                                         "",
                                         ",",
                                         LIST,
                                         "https://a.example,",
                                         "a.example",
                                         "https://a.example,http://b.example",
                                         "http://localhost:3000,"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(answer(LIST, "GET", others[i], NULL).count, 0);
        assert_int_equal(answer(LIST, "OPTIONS", others[i], "GET").count, 0);
        assert_true(answer(LIST, "GET", others[i], NULL).vary); /* a cache must know */
    }
    assert_int_equal(answer(LIST, "GET", NULL, NULL).count, 0);
    assert_true(answer(LIST, "GET", NULL, NULL).vary);
}

static void a_star_is_for_every_page_and_one_answer_for_all(void **state) {
    (void)state;
    /* NULL: whoever asks is no page, and a cache may keep the answer for one. */
    static const char *const origins[] = {"https://a.example", "null", "x", NULL};
    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++) {
        cors c = answer("*", "GET", origins[i], NULL);
        assert_string_equal(value(&c, "Access-Control-Allow-Origin"), "*");
        assert_false(c.vary);
    }
}

static void a_preflight_is_told_methods_headers_and_how_long(void **state) {
    (void)state;
    static const char *const sent[] = {"Authorization", "Content-Type", "Range",      "If-Match",
                                       "If-None-Match", "X-Request-ID", "traceparent"};
    cors c = answer(LIST, "OPTIONS", "https://a.example", "POST");
    assert_string_equal(value(&c, "Access-Control-Allow-Origin"), "https://a.example");
    assert_string_equal(value(&c, "Access-Control-Allow-Methods"), METHODS);
    assert_string_equal(value(&c, "Access-Control-Max-Age"), "86400");
    for (size_t i = 0; i < sizeof sent / sizeof *sent; i++)
        assert_non_null(strstr(value(&c, "Access-Control-Allow-Headers"), sent[i]));
    c = answer(LIST, "GET", "https://a.example", "POST"); /* not a preflight */
    assert_null(value(&c, "Access-Control-Allow-Methods"));
}

static void no_page_is_given_the_right_to_send_cookies(void **state) {
    (void)state;
    cors c = answer("*", "OPTIONS", "https://a.example", "GET");
    assert_null(value(&c, "Access-Control-Allow-Credentials"));
    c = answer(LIST, "GET", "https://a.example", NULL);
    assert_null(value(&c, "Access-Control-Allow-Credentials"));
}

static void a_list_is_a_star_or_origins_as_browsers_write_them(void **state) {
    (void)state;
    static const char *const good[] = {"",
                                       "*",
                                       "https://a.example",
                                       "http://localhost:3000",
                                       LIST,
                                       "http://127.0.0.1",
                                       "http://[::1]:8080"};
    static const char *const bad[] = {"a.example",
                                      "https://",
                                      "https://a.example/",
                                      "https://A.example",
                                      "HTTPS://a.example",
                                      "https://a.example, https://b.example",
                                      "https://a.example,",
                                      ",",
                                      ",https://a.example",
                                      "*,https://a.example",
                                      "https://a.example,*",
                                      "https://*.a.example",
                                      "null",
                                      "ftp://a.example",
                                      "https://:80",
                                      "https://u@a.example",
                                      " ",
                                      "**"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(cors_is_list(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(cors_is_list(bad[i]));
}

RUN(T(off_does_not_add_any_header), T(a_listed_origin_is_named_and_may_read_headers),
    T(an_origin_is_compared_byte_for_byte), T(a_star_is_for_every_page_and_one_answer_for_all),
    T(a_preflight_is_told_methods_headers_and_how_long),
    T(no_page_is_given_the_right_to_send_cookies),
    T(a_list_is_a_star_or_origins_as_browsers_write_them))
