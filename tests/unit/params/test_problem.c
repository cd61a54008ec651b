#include "unit.h"

#include "params/problem.h"

#include <jansson.h>

static json_t *rendered(const problem *p) {
    buffer out = buffer_of(16384);
    problem_render(p, &out);
    assert_false(out.failed);
    json_t *root = json_loadb((const char *)out.bytes, out.length, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    buffer_free(&out);
    return root;
}

static const char *text_of(const json_t *object, const char *name) {
    return json_string_value(json_object_get(object, name));
}

static void the_first_error_sets_the_status(void **state) {
    (void)state;
    problem p = {0};
    problem_add(&p, 413, "n", "first");
    problem_add(&p, 400, "seed", "second %d", 2);
    assert_int_equal(p.status, 413);
    assert_int_equal(p.count, 2);
    assert_string_equal(p.errors[1].parameter, "seed");
    assert_string_equal(p.errors[1].detail, "second 2");
}

static void it_is_rendered_as_rfc_9457_says(void **state) {
    (void)state;
    problem p = {0};
    problem_add(&p, 400, "n", "n is wrong");
    problem_add(&p, 400, NULL, "something else");
    json_t *root = rendered(&p);
    const json_t *errors = json_object_get(root, "errors");
    assert_string_equal(text_of(root, "type"), "about:blank");
    assert_string_equal(text_of(root, "title"), "Bad request");
    assert_int_equal(json_integer_value(json_object_get(root, "status")), 400);
    assert_string_equal(text_of(root, "detail"), "n is wrong");
    assert_int_equal(json_array_size(errors), 2);
    assert_string_equal(text_of(json_array_get(errors, 0), "parameter"), "n");
    assert_string_equal(text_of(json_array_get(errors, 1), "detail"), "something else");
    assert_null(json_object_get(json_array_get(errors, 1), "parameter"));
    json_decref(root);
}

static void beyond_the_room_errors_are_counted_not_kept(void **state) {
    (void)state;
    problem p = {0};
    for (int i = 0; i < 1000; i++)
        problem_add(&p, 400, "n", "error %d", i);
    assert_int_equal(p.count, 1000);
    json_t *root = rendered(&p);
    const json_t *errors = json_object_get(root, "errors");
    assert_int_equal(json_array_size(errors), PROBLEM_ERRORS);
    assert_string_equal(text_of(json_array_get(errors, PROBLEM_ERRORS - 1), "detail"), "error 7");
    json_decref(root);
}

static void any_byte_may_be_quoted(void **state) {
    (void)state;
    char hostile[256];
    for (int i = 0; i < 255; i++)
        hostile[i] = (char)(i + 1);
    hostile[255] = 0;
    for (int from = 0; from < 255; from++) {
        problem p = {0};
        problem_add(&p, 400, hostile + from, "'%s'", hostile + from);
        json_decref(rendered(&p));
        for (const char *c = p.errors[0].detail; *c; c++)
            assert_in_range((unsigned char)*c, 0x20, 0x7e);
        for (const char *c = p.errors[0].parameter; *c; c++)
            assert_in_range((unsigned char)*c, 0x20, 0x7e);
    }
}

static void quotes_and_backslashes_come_back_as_they_were(void **state) {
    (void)state;
    problem p = {0};
    problem_add(&p, 400, "a\"b\\", "c\"d\\u0041/</script>");
    json_t *root = rendered(&p);
    const json_t *error = json_array_get(json_object_get(root, "errors"), 0);
    assert_string_equal(text_of(error, "parameter"), "a\"b\\");
    assert_string_equal(text_of(error, "detail"), "c\"d\\u0041/</script>");
    json_decref(root);
}

static void long_details_are_cut(void **state) {
    (void)state;
    char text[2000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    problem p = {0};
    for (int i = 0; i < PROBLEM_ERRORS; i++)
        problem_add(&p, 400, text, "%s", text);
    assert_int_equal(strlen(p.errors[0].parameter), sizeof p.errors[0].parameter - 1);
    assert_int_equal(strlen(p.errors[0].detail), sizeof p.errors[0].detail - 1);
    json_decref(rendered(&p));
}

static void no_room_to_render_is_a_failed_buffer(void **state) {
    (void)state;
    problem p = {0};
    problem_add(&p, 400, "n", "n is wrong");
    for (size_t cap = 0; cap < 100; cap += 20) {
        buffer out = buffer_of(cap);
        problem_render(&p, &out);
        assert_true(out.failed);
        buffer_free(&out);
    }
}

static void every_status_that_is_sent_has_a_title(void **state) {
    (void)state;
    static const int statuses[] = {400, 401, 404, 405, 406, 408, 411, 413, 414,
                                   415, 416, 417, 429, 431, 500, 501, 503, 505};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        assert_string_not_equal(problem_title(statuses[i]), "Error");
    assert_string_equal(problem_title(418), "Error");
}

static void the_reason_follows_from_the_status_unless_it_is_set(void **state) {
    (void)state;
    static const struct {
        int status;
        const char *reason;
    } table[] = {{400, "request"}, {401, "token"},    {404, "request"},
                 {408, "late"},    {413, "large"},    {429, "share"},
                 {503, "queue"},   {500, "internal"}, {418, "request"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        problem p = {0}, given = {.reason = REFUSAL_DRAINING};
        problem_add(&p, table[i].status, NULL, "no");
        problem_add(&p, 413, NULL, "nor this");
        assert_string_equal(refusal_name(p.reason), table[i].reason);
        problem_add(&given, table[i].status, NULL, "no");
        assert_string_equal(refusal_name(given.reason), "draining");
    }
}

RUN(T(the_reason_follows_from_the_status_unless_it_is_set), T(the_first_error_sets_the_status),
    T(it_is_rendered_as_rfc_9457_says), T(beyond_the_room_errors_are_counted_not_kept),
    T(any_byte_may_be_quoted), T(quotes_and_backslashes_come_back_as_they_were),
    T(long_details_are_cut), T(no_room_to_render_is_a_failed_buffer),
    T(every_status_that_is_sent_has_a_title))
