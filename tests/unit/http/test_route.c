#include "unit.h"

#include "http/route.h"

static bool find(const char *path, const char *method, route_match *out, problem *p) {
    *p = (problem){0};
    return route_find(path, method, out, p);
}

static void every_resource_is_found_by_its_path(void **state) {
    (void)state;
    static const struct {
        const char *path, *method;
        resource *handler;
    } table[] = {
        {"/v1/masks", "GET", masks_get},
        {"/v1/mix", "POST", mix_post},
        {"/livez", "GET", health_live},
        {"/readyz", "GET", health_ready},
        {"/startupz", "GET", health_live},
        {"/metrics", "GET", metrics_get},
        {"/version", "GET", version_get},
        {"/openapi.json", "GET", openapi_get},
        {"/", "GET", web_page},
        {"/preview.js", "GET", web_script},
    };
    unsigned seen = 0;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        route_match m;
        problem p;
        assert_true(find(table[i].path, table[i].method, &m, &p));
        assert_ptr_equal(m.route->handler, table[i].handler);
        assert_null(m.suffix);
        assert_string_equal(route_name(m.number), table[i].path);
        assert_false(seen & 1u << m.number); /* counters of its own */
        seen |= 1u << m.number;
        assert_int_equal(p.status, 0);
    }
}

static void a_suffix_names_a_format_of_the_resource(void **state) {
    (void)state;
    static const struct {
        const char *path, *method;
        const format *suffix;
    } table[] = {
        {"/v1/masks.npy", "GET", &format_npy},    {"/v1/masks.raw", "GET", &format_raw},
        {"/v1/masks.json", "HEAD", &format_json}, {"/v1/masks.png", "GET", &format_png},
        {"/v1/mix.npy", "POST", &format_npy},     {"/v1/mix.json", "POST", &format_json},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        route_match m;
        problem p;
        assert_true(find(table[i].path, table[i].method, &m, &p));
        assert_ptr_equal(m.suffix, table[i].suffix);
    }
}

static void an_unknown_path_is_404_without_a_route(void **state) {
    (void)state;
    static const char *const paths[] = {
        "",           "//",           "/v1",           "/v1/",      "/v1/mask",     "/v1/masks/",
        "/v1/maskss", "/v1/masksnpy", "/v1/masks/npy", "/v1/Masks", "/v2/masks",    "//v1/masks",
        "/livez/",    "/livez.json",  "/metrics.npy",  "v1/masks",  "/v1/../livez", "/favicon.ico",
        "*",
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        route_match m;
        problem p;
        assert_false(find(paths[i], "GET", &m, &p));
        assert_int_equal(p.status, 404);
        assert_non_null(strstr(p.errors[0].detail,
                               "the paths are: /v1/masks, /v1/plans, /v1/mix, /v1/datasets, "));
        assert_null(m.route);
        assert_int_equal(m.number, ROUTE_NONE);
        assert_string_equal(route_name(m.number), "none");
    }
}

static void an_unknown_suffix_is_404_that_lists_the_formats(void **state) {
    (void)state;
    static const struct {
        const char *path, *detail;
    } table[] = {
        {"/v1/masks.gif",
         "/v1/masks is not available as 'gif'; its formats are: npy (application/x-npy), raw "
         "(application/octet-stream), json (application/json), png (image/png)"},
        {"/v1/plans.png",
         "/v1/plans is not available as 'png'; its formats are: npy (application/x-npy), raw "
         "(application/octet-stream), json (application/json), npz"},
        {"/v1/masks.", "/v1/masks is not available as ''"},
        {"/v1/masks.NPY", "/v1/masks is not available as 'NPY'"},
        {"/v1/masks.npy.png", "/v1/masks is not available as 'npy.png'"},
        {"/v1/masks.npy/", "/v1/masks is not available as 'npy/'"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        route_match m;
        problem p;
        assert_false(find(table[i].path, "GET", &m, &p));
        assert_int_equal(p.status, 404);
        assert_memory_equal(p.errors[0].detail, table[i].detail, strlen(table[i].detail));
    }
}

static void a_long_path_is_cut_in_the_explanation(void **state) {
    (void)state;
    char path[4096] = "/v1/masks.";
    route_match m;
    problem p;
    memset(path + 10, 'x', sizeof path - 11);
    path[sizeof path - 1] = 0;
    assert_false(find(path, "GET", &m, &p));
    assert_non_null(strstr(p.errors[0].detail, "npy"));
    assert_false(find(path + 1, "GET", &m, &p));
    assert_non_null(strstr(p.errors[0].detail, "/version"));
}

static void head_goes_where_get_goes_and_nowhere_else(void **state) {
    (void)state;
    route_match m;
    problem p;
    assert_true(find("/v1/masks", "HEAD", &m, &p));
    assert_true(find("/livez", "HEAD", &m, &p));
    assert_false(find("/v1/mix", "HEAD", &m, &p));
    assert_int_equal(p.status, 405);
}

static void another_method_is_405_with_allow(void **state) {
    (void)state;
    static const struct {
        const char *path, *method, *allow;
    } table[] = {
        {"/v1/masks", "POST", "GET, HEAD, OPTIONS"},
        {"/v1/masks.npy", "PUT", "GET, HEAD, OPTIONS"},
        {"/livez", "DELETE", "GET, HEAD, OPTIONS"},
        {"/v1/masks", "get", "GET, HEAD, OPTIONS"},
        {"/v1/masks", "options", "GET, HEAD, OPTIONS"},
        {"/v1/mix", "GET", "POST, OPTIONS"},
        {"/v1/mix.npy", "HEAD", "POST, OPTIONS"},
        {"/v1/mix", "PROPFIND", "POST, OPTIONS"},
        {"/v1/mix", "POSTPOSTPOSTPOSTPOSTPOSTPOSTPOST", "POST, OPTIONS"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        route_match m;
        problem p;
        assert_false(find(table[i].path, table[i].method, &m, &p));
        assert_int_equal(p.status, 405);
        assert_string_equal(p.allow, table[i].allow);
        assert_non_null(m.route); /* so it is counted there */
    }
}

static void options_is_found_for_every_known_path(void **state) {
    (void)state;
    route_match m;
    problem p;
    assert_true(find("/v1/masks.npy", "OPTIONS", &m, &p));
    assert_string_equal(route_methods(m.route), "GET, HEAD, OPTIONS");
    assert_true(find("/v1/mix", "OPTIONS", &m, &p));
    assert_string_equal(route_methods(m.route), "POST, OPTIONS");
    assert_true(find("*", "OPTIONS", &m, &p));
    assert_null(m.route);
    assert_int_equal(m.number, ROUTE_NONE);
    assert_string_equal(route_methods(m.route), "GET, HEAD, POST, OPTIONS");
    assert_false(find("/nothing", "OPTIONS", &m, &p));
    assert_int_equal(p.status, 404);
    assert_false(find("*", "GET", &m, &p));
}

static void only_health_and_the_page_are_open(void **state) {
    (void)state;
    static const char *const open[] = {"/livez", "/readyz", "/startupz", "/", "/preview.js"};
    static const char *const closed[] = {"/v1/masks", "/v1/masks.npy", "/v1/plans", "/v1/mix",
                                         "/metrics",  "/version",      "/nothing",  "/openapi.json",
                                         "/livez/",   "/livez.npy",    "/livezx",   "/LIVEZ"};
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        assert_true(route_is_open(open[i], "GET") && route_is_open(open[i], "DELETE"));
    for (size_t i = 0; i < sizeof closed / sizeof *closed; i++) {
        assert_false(route_is_open(closed[i], "GET"));
        assert_false(route_is_open(closed[i], "POST"));
        assert_true(route_is_open(closed[i], "OPTIONS"));
    }
}

static void a_name_in_braces_stands_for_one_part_of_a_path(void **state) {
    (void)state;
    static const struct {
        const char *path, *name, *step;
        resource *handler;
        const format *suffix;
    } table[] = {
        {"/v1/datasets", "", "", datasets_get, NULL},
        {"/v1/datasets/a-B_9", "a-B_9", "", dataset_get, NULL},
        {"/v1/datasets/x/batches/12", "x", "12", batch_get, NULL},
        {"/v1/datasets/x/batches/0.npy", "x", "0", batch_get, &format_npy},
    };
    static const char *const none[] = {
        "/v1/datasets/",       "/v1/datasets/a.b",          "/v1/datasets/a/",
        "/v1/datasets/a/b",    "/v1/datasets/a/batches",    "/v1/datasets/a/batches/",
        "/v1/datasets/a b",    "/v1/datasets//batches/1",   "/v1/datasets/a/batches/1/2",
        "/v1/datasets/a.json", "/v1/datasets/../batches/1",
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        route_match m = {0};
        problem p;
        assert_true(find(table[i].path, "GET", &m, &p));
        assert_ptr_equal(m.route->handler, table[i].handler);
        assert_ptr_equal(m.suffix, table[i].suffix);
        if (table[i].name[0])
            assert_string_equal(m.captured[0], table[i].name);
        if (table[i].step[0])
            assert_string_equal(m.captured[1], table[i].step);
    }
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        route_match m;
        problem p;
        assert_false(find(none[i], "GET", &m, &p));
        assert_int_equal(p.status, 404);
    }
}

static void a_segment_of_the_longest_name_is_captured_whole(void **state) {
    (void)state;
    char path[300] = "/v1/datasets/";
    route_match m;
    problem p;
    memset(path + 13, 'a', ROUTE_CAPTURE);
    assert_true(find(path, "GET", &m, &p));
    assert_int_equal(strlen(m.captured[0]), ROUTE_CAPTURE);
    path[13 + ROUTE_CAPTURE] = 'a';
    assert_false(find(path, "GET", &m, &p));
}

RUN(T(every_resource_is_found_by_its_path), T(a_suffix_names_a_format_of_the_resource),
    T(an_unknown_path_is_404_without_a_route), T(an_unknown_suffix_is_404_that_lists_the_formats),
    T(a_long_path_is_cut_in_the_explanation), T(head_goes_where_get_goes_and_nowhere_else),
    T(another_method_is_405_with_allow), T(options_is_found_for_every_known_path),
    T(only_health_and_the_page_are_open), T(a_name_in_braces_stands_for_one_part_of_a_path),
    T(a_segment_of_the_longest_name_is_captured_whole))
