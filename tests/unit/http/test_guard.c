#include "unit.h"

#include "http/guard.h"

#define MOST 8

/* A request with this line alone, without header fields. */
static guard_request request_of(const char *method, const char *version, const guard_field *fields,
                                size_t count) {
    return (guard_request){.method = method,
                           .target = "/",
                           .version = version,
                           .target_length = 1,
                           .fields = fields,
                           .count = count};
}

/* A request of HTTP/1.1 with a host and these further fields, names and values in turn. */
typedef struct example {
    const char *method, *version, *fields[2 * MOST];
} example;

static bool check(const example *e, bool host, problem *p) {
    guard_field fields[MOST + 1];
    size_t count = 0;
    if (host)
        fields[count++] = (guard_field){"Host", "x:80", 4, 4};
    for (size_t i = 0; e->fields[i]; i += 2)
        fields[count++] = (guard_field){e->fields[i], e->fields[i + 1], strlen(e->fields[i]),
                                        strlen(e->fields[i + 1])};
    *p = (problem){0};
    guard_request r = request_of(e->method, e->version, fields, count);
    return guard_check(&r, p);
}

static void an_honest_request_passes(void **state) {
    (void)state;
    static const example table[] = {
        {"GET", "HTTP/1.1", {NULL}},
        {"POST", "HTTP/1.1", {"content-length", "0", NULL}},
        {"POST", "HTTP/1.1", {"Content-Length", "9999999999999999999", NULL}},
        {"POST", "HTTP/1.1", {"Transfer-Encoding", "Chunked", NULL}},
        {"POST", "HTTP/1.0", {"Content-Length", "5", "expect", "100-continue", NULL}},
        {"X!#$%&'*+-.^_`|~9", "HTTP/1.1", {"a", "", "a", "tab\tand \xff", NULL}},
        {"GET", "HTTP/1.1", {"Expect", "100-continue \t", NULL}},
    };
    problem p;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_true(check(&table[i], true, &p));
    assert_true(check(&(example){"GET", "HTTP/1.0", {NULL}}, false, &p));
}

static void white_space_after_a_host_is_ignored(void **state) {
    (void)state;
    problem p;
    for (unsigned i = 0; i < 3; i++) {
        const char *const value = (const char *[]){"x ", "x:80\t ", " "}[i];
        assert_true(check(&(example){"GET", "HTTP/1.1", {"Host", value, NULL}}, false, &p));
    }
    assert_false(check(&(example){"GET", "HTTP/1.1", {"Host", "x y", NULL}}, false, &p));
}

static void a_refusal_of_the_library_has_its_status_and_counts_as_guard(void **state) {
    (void)state;
    static const int statuses[][2] = {{400, 400}, {413, 413}, {414, 414}, {431, 431},
                                      {500, 400}, {505, 505}, {418, 418}};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        problem p = {0};
        guard_explain(statuses[i][0], &p);
        assert_int_equal(p.status, statuses[i][1]);
        assert_int_equal(p.reason, REFUSAL_GUARD);
        assert_true(p.errors[0].detail[0] != 0);
    }
}

/* In whichever line the credential is hidden. */
static void no_credential_is_quoted(void **state) {
    (void)state;
    static const example examples[] = {
        {"GET", "HTTP/1.1", {"Authorization Bearer secret", "x", NULL}},
        {"GET", "HTTP/1.1", {"Authorization\tsecret", "x", NULL}},
        {"GET", "HTTP/1.1", {"Authorization", "Bearer secret\r", NULL}},
        {"GET", "HTTP/1.1", {"Authorization;secret", "Bearer secret", NULL}},
    };
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        problem p;
        assert_false(check(&examples[i], true, &p));
        assert_string_equal(p.errors[0].parameter, "Authorization");
        assert_null(strstr(p.errors[0].detail, "secret"));
    }
}

static void each_ambiguity_has_its_status_and_names_the_field(void **state) {
    (void)state;
    static const struct {
        example e;
        int status;
        const char *parameter;
    } table[] = {
        {{"G T", "HTTP/1.1", {NULL}}, 400, ""},
        {{"", "HTTP/1.1", {NULL}}, 400, ""},
        {{"GET", "HTTP/1.2", {NULL}}, 505, ""},
        {{"GET", "http/1.1", {NULL}}, 505, ""},
        {{"GET", "HTTP/1.1", {"Content-Length ", "4", NULL}}, 400, "Content-Length"},
        {{"GET", "HTTP/1.1", {"", "4", NULL}}, 400, ""},
        {{"GET", "HTTP/1.1", {"a", "b\rc", NULL}}, 400, "a"},
        {{"GET", "HTTP/1.1", {"a", "\x7f", NULL}}, 400, "a"},
        {{"GET", "HTTP/1.1", {"hOST", "x", NULL}}, 400, "Host"},
        {{"POST", "HTTP/1.1", {"Content-Length", "", NULL}}, 400, "Content-Length"},
        {{"POST", "HTTP/1.1", {"Content-Length", "10000000000000000000", NULL}},
         400,
         "Content-Length"},
        {{"POST", "HTTP/1.1", {"Content-Length", "4 ", NULL}}, 400, "Content-Length"},
        {{"POST", "HTTP/1.1", {"Content-Length", "4", "content-length", "4", NULL}},
         400,
         "Content-Length"},
        {{"POST", "HTTP/1.1", {"Content-Length", "4", "Transfer-Encoding", "chunked", NULL}},
         400,
         "Transfer-Encoding"},
        {{"POST", "HTTP/1.0", {"Transfer-Encoding", "chunked", NULL}}, 400, "Transfer-Encoding"},
        {{"POST", "HTTP/1.1", {"Transfer-Encoding", "gzip", NULL}}, 400, "Transfer-Encoding"},
        {{"POST", "HTTP/1.1", {"Transfer-Encoding", "", NULL}}, 400, "Transfer-Encoding"},
        {{"POST", "HTTP/1.1", {"Transfer-Encoding", "chunked ", NULL}}, 400, "Transfer-Encoding"},
        {{"POST", "HTTP/1.1", {"Transfer-Encoding", "chunked,", NULL}}, 400, "Transfer-Encoding"},
        {{"POST", "HTTP/1.1", {"Transfer-Encoding", "chunked,chunked", NULL}},
         400,
         "Transfer-Encoding"},
        {{"POST", "HTTP/1.1", {"Transfer-Encoding", "gzip , Chunked ", NULL}},
         501,
         "Transfer-Encoding"},
        {{"CONNECT", "HTTP/1.1", {NULL}}, 501, ""},
        {{"GET", "HTTP/1.1", {"Expect", "", NULL}}, 417, "Expect"},
    };
    problem p;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_false(check(&table[i].e, true, &p));
        assert_int_equal(p.status, table[i].status);
        assert_string_equal(p.errors[0].parameter, table[i].parameter);
    }
    assert_false(check(&(example){"GET", "HTTP/1.1", {NULL}}, false, &p));
    assert_string_equal(p.errors[0].parameter, "Host");
}

static void a_nul_within_a_name_or_value_is_seen(void **state) {
    (void)state;
    const guard_field host = {"Host", "x", 4, 1}, name = {"a\0b", "c", 3, 1},
                      value = {"a", "b\0c", 1, 3};
    guard_request r = request_of("GET", "HTTP/1.1", (guard_field[]){host, name}, 2);
    problem p = {0};
    assert_false(guard_check(&r, &p));
    assert_int_equal(p.status, 400);
    r = request_of("GET", "HTTP/1.1", (guard_field[]){host, value}, 2);
    p = (problem){0};
    assert_false(guard_check(&r, &p));
    assert_int_equal(p.status, 400);
}

static void more_fields_than_the_limit_are_431_and_not_read(void **state) {
    (void)state;
    problem p = {0};
    guard_request r = request_of("GET", "HTTP/1.1", NULL, GUARD_FIELDS + 1);
    assert_false(guard_check(&r, &p));
    assert_int_equal(p.status, 431);
}

/* A head as it lies once it is parsed in place, a NUL for each separator; and one with a space
 * more, which moves the bytes after it. */
static bool check_placed(size_t more, size_t size) {
    static const char head[] = "GET\0/a\0HTTP/1.1\0\0Host\0 x\0\0A\0b\0\0\0\0";
    char placed[sizeof head + 1];
    memcpy(placed, head, more);
    placed[more] = ' ';
    memcpy(placed + more + 1, head + more, sizeof head - more);
#define AT(offset) (placed + (offset) + ((offset) >= more))
    const guard_field fields[] = {{AT(17), AT(23), 4, 1}, {AT(26), AT(28), 1, 1}};
    guard_request r = request_of(AT(0), AT(7), fields, 2);
    r.target = AT(4);
    r.target_length = 2;
    r.size = size;
    problem p = {0};
    assert_string_equal(fields[0].value, "x");
    assert_string_equal(fields[1].name, "A");
    return guard_check(&r, &p);
}

static void a_head_of_known_size_is_the_sum_of_its_parts(void **state) {
    (void)state;
    enum { SIZE = 33 };
    assert_true(check_placed(SIZE, SIZE));
    assert_true(check_placed(SIZE, 0));
    assert_false(check_placed(SIZE, SIZE - 1));
    assert_false(check_placed(SIZE, SIZE + 1));
    assert_true(check_placed(22, SIZE + 1)); /* spaces before a value may be */
    assert_true(check_placed(28, SIZE + 1));
    static const size_t before[] = {4, 7, 17, 26, 29, 31};
    for (size_t i = 0; i < sizeof before / sizeof *before; i++)
        assert_false(check_placed(before[i], SIZE + 1));
}

static void hosts_are_names_addresses_and_ports(void **state) {
    (void)state;
    static const struct {
        const char *host;
        bool good;
    } table[] = {
        {"", true},
        {"x", true},
        {"a.b-c_d~", true},
        {"127.0.0.1:8080", true},
        {"x:", true},
        {"[::1]", true},
        {"[fe80::1]:8", true},
        {"[::ffff:1.2.3.4]", true},
        {"%41", true},
        {":80", true},
        {"x:8o", false},
        {"x y", false},
        {"x/y", false},
        {"u@x", false},
        {"[::1", false},
        {"[::1]x", false},
        {"[g]", false},
        {"[:::]", false},
        {"[]", false},
        {"x:65535", true},
        {"x:65536", false},
        {"x:99999999999999999999999", false},
        {"x:1:2", false},
        {"x\"", false},
        {"\xc3\xa9", false},
        {"x?y", false},
        {"x#y", false},
        {"[", false},
        {"]", false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        problem p = {0};
        const guard_field host = {"Host", table[i].host, 4, strlen(table[i].host)};
        const guard_request r = request_of("GET", "HTTP/1.1", &host, 1);
        assert_int_equal(guard_check(&r, &p), table[i].good);
        assert_int_equal(p.reason, table[i].good ? REFUSAL_NONE : REFUSAL_GUARD);
    }
}

static void a_target_has_one_form_and_a_path(void **state) {
    (void)state;
    static const struct {
        const char *target;
        guard_form form;
        const char *path;
    } table[] = {
        {"/", GUARD_ORIGIN, "/"},
        {"/a/b?c=d&e=%20", GUARD_ORIGIN, "/a/b?c=d&e=%20"},
        {"//", GUARD_ORIGIN, "//"},
        {"/?%00%2F", GUARD_ORIGIN, "/?%00%2F"},
        {"http://x/a", GUARD_ABSOLUTE, "/a"},
        {"HTTPS://x:1/a?b", GUARD_ABSOLUTE, "/a?b"},
        {"http://[::1]:8/a", GUARD_ABSOLUTE, "/a"},
        {"http://x", GUARD_ABSOLUTE, "/"},
        {"/a%00", GUARD_NUL, NULL},
        {"/%2f%00", GUARD_NUL, NULL},
        {"/a%2fb", GUARD_SLASH, NULL},
        {"http://x%2Fy/a", GUARD_SLASH, NULL},
        {"http://x?a", GUARD_ABSOLUTE, NULL},
        {"*", GUARD_ASTERISK, "*"},
        {"x:80", GUARD_AUTHORITY, NULL},
        {"[::1]:80", GUARD_AUTHORITY, NULL},
        {"x:", GUARD_FORMLESS, NULL},
        {":80", GUARD_FORMLESS, NULL},
        {"x:80/a", GUARD_FORMLESS, NULL},
        {"http://", GUARD_HOSTLESS, NULL},
        {"http:///a", GUARD_HOSTLESS, NULL},
        {"http://:80/a", GUARD_HOSTLESS, NULL},
        {"http://u@x/a", GUARD_HOSTLESS, NULL},
        {"", GUARD_FORMLESS, NULL},
        {"a", GUARD_FORMLESS, NULL},
        {"ftp://x/", GUARD_FORMLESS, NULL},
        {"/a#b", GUARD_FRAGMENT, NULL},
        {"/a b", GUARD_UNCLEAN, NULL},
        {"/a\tb", GUARD_UNCLEAN, NULL},
        {"/\x7f", GUARD_UNCLEAN, NULL},
        {"/\xc3\xa9", GUARD_UNCLEAN, NULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_int_equal(guard_target(table[i].target), table[i].form);
        if (table[i].path)
            assert_string_equal(guard_path(table[i].target), table[i].path);
    }
}

static void each_form_has_its_methods(void **state) {
    (void)state;
    static const struct {
        const char *method;
        guard_form form;
        int status;
    } table[] = {
        {"GET", GUARD_ORIGIN, 0},
        {"GET", GUARD_ABSOLUTE, 0},
        {"GET", GUARD_NUL, 0},
        {"GET", GUARD_SLASH, 0},
        {"OPTIONS", GUARD_ASTERISK, 0},
        {"GET", GUARD_ASTERISK, 400},
        {"GET", GUARD_AUTHORITY, 400},
        {"GET", GUARD_UNCLEAN, 400},
        {"GET", GUARD_FRAGMENT, 400},
        {"GET", GUARD_HOSTLESS, 400},
        {"GET", GUARD_FORMLESS, 400},
        {"CONNECT", GUARD_ORIGIN, 501},
        {"CONNECT", GUARD_AUTHORITY, 501},
    };
    const guard_field host = {"Host", "x", 4, 1};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        guard_request r = request_of(table[i].method, "HTTP/1.1", &host, 1);
        problem p = {0};
        r.form = table[i].form;
        guard_check(&r, &p);
        assert_int_equal(p.status, table[i].status);
    }
}

RUN(T(an_honest_request_passes), T(white_space_after_a_host_is_ignored),
    T(a_refusal_of_the_library_has_its_status_and_counts_as_guard), T(no_credential_is_quoted),
    T(each_ambiguity_has_its_status_and_names_the_field), T(a_nul_within_a_name_or_value_is_seen),
    T(more_fields_than_the_limit_are_431_and_not_read),
    T(a_head_of_known_size_is_the_sum_of_its_parts), T(hosts_are_names_addresses_and_ports),
    T(a_target_has_one_form_and_a_path), T(each_form_has_its_methods))
