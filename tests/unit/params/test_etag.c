#include "unit.h"

#include "params/etag.h"

static void an_etag_is_strong_quoted_and_repeatable(void **state) {
    (void)state;
    char a[ETAG_ROOM], b[ETAG_ROOM];
    etag_make("stream=1 seed=0", "/v1/masks", "npy", 1, a);
    etag_make("stream=1 seed=0", "/v1/masks", "npy", 1, b);
    assert_string_equal(a, b);
    assert_int_equal(strlen(a), 34);
    assert_true(a[0] == '"' && a[33] == '"');
    assert_int_equal(strspn(a + 1, "0123456789abcdef"), 32);
}

static void text_resource_format_and_version_each_change_the_etag(void **state) {
    (void)state;
    static const struct {
        const char *text, *resource, *format;
        unsigned version;
    } table[] = {
        {"stream=1 seed=0", "/v1/masks", "npy", 1}, {"stream=1 seed=1", "/v1/masks", "npy", 1},
        {"stream=1 seed=0", "/v1/mix", "npy", 1},   {"stream=1 seed=0", "/v1/masks", "raw", 1},
        {"stream=1 seed=0", "/v1/masks", "npy", 2}, {"stream=1 seed=0", "/v1/masks", "npy", 11},
        {"stream=1 seed=", "0/v1/masks", "npy", 1}, {"stream=1 seed=0", "/v1/masksnpy", "", 1},
    };
    enum { N = sizeof table / sizeof *table };
    char tags[N][ETAG_ROOM];
    for (size_t i = 0; i < N; i++) {
        etag_make(table[i].text, table[i].resource, table[i].format, table[i].version, tags[i]);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(tags[i], tags[j]);
    }
}

#define TAG "\"00112233445566778899aabbccddeeff\""

static void an_if_none_match_list_holds_the_tag_or_not(void **state) {
    (void)state;
    static const struct {
        const char *list;
        bool holds;
    } table[] = {
        {TAG, true},
        {"W/" TAG, true},
        {"*", true},
        {" \t" TAG " ", true},
        {"\"other\", " TAG, true},
        {"\"other\"," TAG ",\"more\"", true},
        {",,W/\"other\" ,W/" TAG, true},
        {"\"with, comma\", " TAG, true},
        {NULL, false},
        {"", false},
        {",", false},
        {"W/", false},
        {"\"", false},
        {"\"*\"", false},
        {"*x", false},
        {"\"other\"", false},
        {"\"with " TAG, false},
        {"00112233445566778899aabbccddeeff", false},
        {"\"00112233445566778899aabbccddeef\"", false},
        {"\"00112233445566778899AABBCCDDEEFF\"", false},
        {"\"00112233445566778899aabbccddeeff", false},
        {TAG "x", false},
        {TAG " x", false},
        {TAG TAG, false},
        {"x" TAG, false},
        {"W/ " TAG, false},
        {"w/" TAG, false},
        {"\"other\"x, " TAG, false},
        {"x, " TAG, false},
        {"* ", true},
        {" *\t", true},
        {"*, \"other\"", false},
        {"\"other\", *", false},
        {TAG ", x", true},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (etag_matches(table[i].list, TAG) != table[i].holds)
            fail_msg("%s", table[i].list);
}

static void an_if_match_list_names_the_tag_as_a_strong_one(void **state) {
    (void)state;
    static const struct {
        const char *list;
        bool holds;
    } table[] = {
        {TAG, true},       {"*", true},      {"W/\"other\", " TAG, true}, {"W/" TAG ", " TAG, true},
        {"W/" TAG, false}, {TAG "x", false}, {"\"other\"", false},        {"", false},
        {NULL, false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (etag_is_named(table[i].list, TAG) != table[i].holds)
            fail_msg("%s", table[i].list);
    assert_true(etag_is_named("*", ""));
    assert_false(etag_is_named("\"\"", ""));
}

RUN(T(an_etag_is_strong_quoted_and_repeatable),
    T(text_resource_format_and_version_each_change_the_etag),
    T(an_if_none_match_list_holds_the_tag_or_not),
    T(an_if_match_list_names_the_tag_as_a_strong_one))
