#include "unit.h"

#include "guard.h"

#define MOST 8

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
    return guard_check(&(guard_request){e->method, e->version, fields, count}, p);
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
    };
    problem p;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_true(check(&table[i], true, &p));
    assert_true(check(&(example){"GET", "HTTP/1.0", {NULL}}, false, &p));
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
        {{"GET", "HTTP/1.1", {"Content-Length ", "4", NULL}}, 400, ""},
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
        {{"POST", "HTTP/1.1", {"Transfer-Encoding", "gzip", NULL}}, 501, "Transfer-Encoding"},
        {{"POST", "HTTP/1.1", {"Transfer-Encoding", "chunked ", NULL}}, 501, "Transfer-Encoding"},
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
    problem p = {0};
    assert_false(
        guard_check(&(guard_request){"GET", "HTTP/1.1", (guard_field[]){host, name}, 2}, &p));
    assert_int_equal(p.status, 400);
    p = (problem){0};
    assert_false(
        guard_check(&(guard_request){"GET", "HTTP/1.1", (guard_field[]){host, value}, 2}, &p));
    assert_int_equal(p.status, 400);
}

static void more_fields_than_are_kept_are_431_and_none_is_read(void **state) {
    (void)state;
    problem p = {0};
    assert_false(guard_check(&(guard_request){"GET", "HTTP/1.1", NULL, GUARD_FIELDS + 1}, &p));
    assert_int_equal(p.status, 431);
}

static void hosts_are_names_addresses_and_ports(void **state) {
    (void)state;
    static const struct {
        const char *host;
        bool good;
    } table[] = {
        {"", true},     {"x", true},      {"a.b-c_d~", true},    {"127.0.0.1:8080", true},
        {"x:", true},   {"[::1]", true},  {"[fe80::1]:8", true}, {"[::ffff:1.2.3.4]", true},
        {"%41", true},  {":80", true},    {"x:8o", false},       {"x y", false},
        {"x/y", false}, {"u@x", false},   {"[::1", false},       {"[::1]x", false},
        {"[g]", false}, {"x:1:2", false}, {"x\"", false},        {"\xc3\xa9", false},
        {"x?y", false}, {"x#y", false},   {"[", false},          {"]", false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        problem p = {0};
        const guard_field host = {"Host", table[i].host, 4, strlen(table[i].host)};
        const guard_request r = {"GET", "HTTP/1.1", &host, 1};
        assert_int_equal(guard_check(&r, &p), table[i].good);
    }
}

static void targets_are_paths_or_http_urls(void **state) {
    (void)state;
    static const struct {
        const char *target, *path; /* NULL: bad */
    } table[] = {
        {"/", "/"},
        {"/a/b?c=d&e=%20", "/a/b?c=d&e=%20"},
        {"//", "//"},
        {"http://x/a", "/a"},
        {"HTTPS://x:1/a?b", "/a?b"},
        {"http://x", ""},
        {"", NULL},
        {"*", NULL},
        {"a", NULL},
        {"ftp://x/", NULL},
        {"/a#b", NULL},
        {"/a?b=%00", "/a?b=%00"},
        {"/a b", NULL},
        {"/a\tb", NULL},
        {"/\x7f", NULL},
        {"/\xc3\xa9", NULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_int_equal(guard_target(table[i].target) == NULL, table[i].path != NULL);
        if (table[i].path)
            assert_string_equal(guard_path(table[i].target), table[i].path);
    }
}

RUN(T(an_honest_request_passes), T(each_ambiguity_has_its_status_and_names_the_field),
    T(a_nul_within_a_name_or_value_is_seen), T(more_fields_than_are_kept_are_431_and_none_is_read),
    T(hosts_are_names_addresses_and_ports), T(targets_are_paths_or_http_urls))
