#include "loopback.h"

#include "http/request_parse.h"

/* What a request asks of the resource at a path. */
typedef struct fixture {
    const char *path;
    route_match match;
    resource_request input;
    problem problem;
    char captured[ROUTE_CAPTURE + 1], content_type[100];
} fixture;

static void look(void *of, struct MHD_Connection *connection, const loopback_line *line) {
    fixture *f = of;
    f->input = (resource_request){.groups = 0};
    f->problem = (problem){0};
    f->content_type[0] = f->captured[0] = 0;
    if (!route_find(f->path, line->method, &f->match, &f->problem))
        return;
    request_parse(&f->input, connection, &f->match, &f->problem);
    if (f->input.content_type)
        snprintf(f->content_type, sizeof f->content_type, "%s", f->input.content_type);
    if (f->input.captured[0])
        snprintf(f->captured, sizeof f->captured, "%s", f->input.captured[0]);
}

static enum MHD_Result reply(void *of, struct MHD_Connection *connection) {
    (void)of;
    return loopback_reply_empty(connection);
}

static void ask(fixture *f, const char *method, const char *path, const char *parameters,
                const char *fields) {
    char request[1024], text[1024];
    const loopback l = {.reply = reply, .head = look, .user = f};
    f->path = path;
    snprintf(request, sizeof request, "%s %s%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n",
             method, path, parameters, fields);
    assert_int_equal(loopback_ask(&l, request, text, sizeof text), 204);
}

static void parameters_are_decoded_and_the_others_have_defaults(void **state) {
    (void)state;
    fixture f;
    ask(&f, "GET", "/v1/masks", "?n=%34&seed=9", "");
    assert_int_equal(f.problem.status, 0);
    assert_int_equal(f.input.query.n, 4);
    assert_int_equal(f.input.query.seed, 9);
    assert_true(f.input.query.given[QUERY_N]);
    assert_false(f.input.query.given[QUERY_ALPHA]);
    assert_true(f.input.query.alphas.item[0] == 1);
}

static void a_parameter_that_the_resource_does_not_take_is_named(void **state) {
    (void)state;
    fixture f;
    ask(&f, "GET", "/v1/masks", "?x_shape=4", "");
    assert_int_equal(f.problem.status, 400);
    assert_string_equal(f.problem.errors[0].parameter, "x_shape");
}

static void a_suffix_chooses_the_format_whatever_is_accepted(void **state) {
    (void)state;
    fixture f;
    ask(&f, "GET", "/v1/masks.npz", "", "Accept: image/png\r\n");
    assert_int_equal(f.problem.status, 0);
    assert_ptr_equal(f.input.format, &format_npz);
}

static void without_a_suffix_accept_chooses_the_format(void **state) {
    (void)state;
    fixture f;
    ask(&f, "GET", "/v1/masks", "", "Accept: text/html\r\nAccept: image/png\r\n");
    assert_int_equal(f.problem.status, 0);
    assert_ptr_equal(f.input.format, &format_png);
}

static void an_accept_without_a_format_of_the_resource_is_406(void **state) {
    (void)state;
    fixture f;
    ask(&f, "GET", "/v1/masks", "", "Accept: text/html\r\n");
    assert_int_equal(f.problem.status, 406);
    assert_string_equal(f.problem.errors[0].parameter, "Accept");
    assert_non_null(strstr(f.problem.errors[0].detail, "npz"));
}

static void a_resource_of_one_format_ignores_accept(void **state) {
    (void)state;
    fixture f;
    ask(&f, "GET", "/livez", "", "Accept: text/html\r\n");
    assert_int_equal(f.problem.status, 0);
    assert_null(f.input.format);
}

static void parts_of_the_path_and_the_type_of_a_body_are_kept(void **state) {
    (void)state;
    fixture f;
    ask(&f, "GET", "/v1/datasets/flowers", "", "Content-Type: text/x\r\n");
    assert_int_equal(f.problem.status, 0);
    assert_string_equal(f.captured, "flowers");
    assert_string_equal(f.content_type, "text/x");
    ask(&f, "GET", "/v1/datasets/flowers", "", "");
    assert_null(f.input.content_type);
}

RUN(T(parameters_are_decoded_and_the_others_have_defaults),
    T(a_parameter_that_the_resource_does_not_take_is_named),
    T(a_suffix_chooses_the_format_whatever_is_accepted),
    T(without_a_suffix_accept_chooses_the_format),
    T(an_accept_without_a_format_of_the_resource_is_406),
    T(a_resource_of_one_format_ignores_accept),
    T(parts_of_the_path_and_the_type_of_a_body_are_kept))
