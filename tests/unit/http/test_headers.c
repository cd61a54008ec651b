#include "loopback.h"

#include "http/headers.h"
#include "ops/mhd_version.h"

/* One request: what was read from it, by the function that a test names. */
typedef struct reading {
    void (*read)(struct reading *r, struct MHD_Connection *connection);
    char text[200];
    bool flag;
    const loopback_line *line;
    trace trace;
    problem problem;
} reading;

static void read_head(void *of, struct MHD_Connection *connection, const loopback_line *line) {
    reading *r = of;
    r->line = line;
    r->read(r, connection);
}

static enum MHD_Result reply(void *of, struct MHD_Connection *connection) {
    (void)of;
    return loopback_reply_empty(connection);
}

static int ask(reading *r, const char *method, const char *fields) {
    char request[1024], text[2048];
    const loopback l = {.reply = reply, .head = read_head, .user = r};
    snprintf(request, sizeof request, "%s / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n",
             method, fields);
    return loopback_ask(&l, request, text, sizeof text);
}

static void note(reading *r, const char *value) {
    snprintf(r->text, sizeof r->text, "%s", value ? value : "NULL");
}

static void read_first(reading *r, struct MHD_Connection *connection) {
    note(r, headers_find(connection, "If-Match"));
}

static void a_field_is_found_by_name_in_any_case(void **state) {
    (void)state;
    reading r = {.read = read_first};
    ask(&r, "GET", "if-match: \"a\"\r\nIf-Match: \"b\"\r\n");
    assert_string_equal(r.text, "\"a\"");
    ask(&r, "GET", "If-Matches: x\r\n");
    assert_string_equal(r.text, "NULL");
}

static void read_only(reading *r, struct MHD_Connection *connection) {
    note(r, headers_only(connection, "Origin", &r->flag));
}

static void a_field_of_one_line_tells_whether_it_is_repeated(void **state) {
    (void)state;
    reading r = {.read = read_only, .flag = true};
    ask(&r, "GET", "");
    assert_string_equal(r.text, "NULL");
    assert_false(r.flag);
    ask(&r, "GET", "Origin: a\r\n");
    assert_string_equal(r.text, "a");
    assert_false(r.flag);
    ask(&r, "GET", "Origin: a\r\norigin: a\r\n");
    assert_true(r.flag);
}

static void read_list(reading *r, struct MHD_Connection *connection) {
    buffer list = headers_list(connection, "Accept");
    note(r, (const char *)list.bytes);
    r->flag = list.failed;
    buffer_free(&list);
}

static void all_lines_of_a_field_are_one_list(void **state) {
    (void)state;
    reading r = {.read = read_list};
    ask(&r, "GET", "Accept: a, b\r\nX: y\r\naccept: c\r\n");
    assert_string_equal(r.text, "a, b,c");
    ask(&r, "GET", "X: y\r\n");
    assert_string_equal(r.text, "NULL");
    assert_false(r.flag);
}

static void read_trimmed(reading *r, struct MHD_Connection *connection) {
    headers_trim(connection);
    note(r, headers_find(connection, "X"));
}

static void white_space_after_a_value_is_removed(void **state) {
    (void)state;
    reading r = {.read = read_trimmed};
    ask(&r, "GET", "X: a b \t \r\n");
    assert_string_equal(r.text, "a b");
}

static void read_has_body(reading *r, struct MHD_Connection *connection) {
    r->flag = headers_has_body(connection);
}

static void a_body_follows_a_length_above_zero_or_a_coding(void **state) {
    (void)state;
    reading r = {.read = read_has_body};
    ask(&r, "POST", "Transfer-Encoding: chunked\r\n\r\n0\r\n");
    assert_true(r.flag);
    ask(&r, "POST", "Content-Length: 1\r\n\r\nx");
    assert_true(r.flag);
    ask(&r, "POST", "Content-Length: 000\r\n");
    assert_false(r.flag);
    ask(&r, "GET", "");
    assert_false(r.flag);
}

static void forget_expectation(reading *r, struct MHD_Connection *connection) {
    headers_forget_expectation(connection);
    note(r, headers_find(connection, "Expect"));
}

static void an_expectation_without_a_body_is_not_met(void **state) {
    (void)state;
    reading r = {.read = forget_expectation};
    assert_int_equal(ask(&r, "GET", "Expect: 100-continue\r\n"), 204);
    assert_string_equal(r.text, "-00-continue");
}

static void an_expectation_with_a_body_is_met(void **state) {
    (void)state;
    reading r = {.read = forget_expectation};
    assert_int_equal(ask(&r, "POST", "Expect: 100-continue\r\nContent-Length: 1\r\n\r\nx"), 100);
    assert_string_equal(r.text, "100-continue");
}

static void read_trace(reading *r, struct MHD_Connection *connection) {
    trace_begin(&r->trace);
    headers_trace(connection, &r->trace);
}

static void the_ids_of_a_client_are_taken_over(void **state) {
    (void)state;
    static const char parent[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    char fields[200];
    reading r = {.read = read_trace};
    snprintf(fields, sizeof fields, "X-Request-ID: mine-7\r\ntraceparent: %s\r\n", parent);
    ask(&r, "GET", fields);
    assert_string_equal(r.trace.id, "mine-7");
    assert_string_equal(r.trace.parent, parent);
    ask(&r, "GET", "X-Request-ID: not well-formed\r\n");
    assert_string_not_equal(r.trace.id, "not well-formed");
}

static void check(reading *r, struct MHD_Connection *connection) {
    const guard_request line = {.method = r->line->method,
                                .target = r->line->path,
                                .version = r->line->version,
                                .target_length = strlen(r->line->path)};
    r->problem = (problem){0};
    r->flag = headers_check(connection, &line, &r->problem);
}

static void the_guard_sees_every_field_of_a_request(void **state) {
    (void)state;
    reading r = {.read = check};
    ask(&r, "GET", "X: y\r\n");
    assert_true(r.flag);
    ask(&r, "GET", "X: y\r\nExpect: a miracle\r\n");
    assert_false(r.flag);
    assert_int_equal(r.problem.status, 417);
}

static void too_many_fields_are_431(void **state) {
    (void)state;
    reading r = {.read = check};
    char fields[1024] = "";
    for (unsigned i = 0; i < GUARD_FIELDS; i++)
        strcat(fields, "a:\r\n");
    ask(&r, "GET", fields);
    assert_false(r.flag);
    assert_int_equal(r.problem.status, 431);
}

static void a_hidden_query_has_no_parameters(void **state) {
    (void)state;
    char line[] = "/path?a=1&b=2\0HTTP/1.1";
    headers_hide_query(line);
    assert_string_equal(line, "/path?");
    char plain[] = "/path\0HTTP/1.1";
    headers_hide_query(plain);
    assert_string_equal(plain, "/path");
}

static void bytes_after_a_nul_of_a_target_are_found(void **state) {
    (void)state;
    char whole[] = "/path\0HTTP/1.1", cut[] = "/pa\0th?x\0HTTP/1.1";
    assert_false(headers_has_hidden(whole));
    assert_int_equal(headers_has_hidden(cut), mhd_version_mends_heads());
}

RUN(T(a_field_is_found_by_name_in_any_case), T(a_field_of_one_line_tells_whether_it_is_repeated),
    T(all_lines_of_a_field_are_one_list), T(white_space_after_a_value_is_removed),
    T(a_body_follows_a_length_above_zero_or_a_coding), T(an_expectation_without_a_body_is_not_met),
    T(an_expectation_with_a_body_is_met), T(the_ids_of_a_client_are_taken_over),
    T(the_guard_sees_every_field_of_a_request), T(too_many_fields_are_431),
    T(a_hidden_query_has_no_parameters), T(bytes_after_a_nul_of_a_target_are_found))
