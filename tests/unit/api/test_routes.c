#include "unit.h"

#include "api/routes.h"

static unsigned rows(void) {
    unsigned n = 0;
    while (route_row(n))
        n++;
    return n;
}

static void every_route_has_counters_of_its_own(void **state) {
    (void)state;
    unsigned n = rows();
    assert_true(n > 0 && n <= ROUTE_NONE && ROUTE_NONE < METRICS_ROUTES);
    for (unsigned i = 0; i < n; i++)
        assert_string_equal(route_name(i), route_row(i)->path);
    assert_string_equal(route_name(n), "none");
    assert_string_equal(route_name(ROUTE_NONE), "none");
}

static void no_two_routes_have_one_path(void **state) {
    (void)state;
    for (unsigned i = 0; i < rows(); i++)
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(route_row(i)->path, route_row(j)->path);
}

static void a_route_has_formats_or_a_media_type_and_a_meaning(void **state) {
    (void)state;
    for (unsigned i = 0; i < rows(); i++) {
        const route *r = route_row(i);
        assert_non_null(r->handler);
        assert_true((r->formats == 0) == (r->media != NULL));
        assert_true(r->meaning && *r->meaning);
        assert_true(strcmp(r->method, "GET") == 0 || strcmp(r->method, "POST") == 0);
    }
}

static void a_path_captures_no_more_names_than_a_request_holds(void **state) {
    (void)state;
    for (unsigned i = 0; i < rows(); i++) {
        unsigned captures = 0;
        for (const char *at = route_row(i)->path; (at = strchr(at, '{')) != NULL; at++)
            captures++;
        assert_true(captures <= ROUTE_CAPTURES);
    }
}

/* What an orchestrator and a browser ask before they have a token. */
static void only_health_and_the_page_are_open(void **state) {
    (void)state;
    static const char *const open[] = {"/livez", "/readyz",      "/startupz",
                                       "/",      "/preview.css", "/preview.js"};
    unsigned found = 0;
    for (unsigned i = 0; i < rows(); i++) {
        const route *r = route_row(i);
        bool is = false;
        for (size_t j = 0; j < sizeof open / sizeof *open; j++)
            is |= strcmp(r->path, open[j]) == 0;
        assert_int_equal(r->open, is);
        found += is;
    }
    assert_int_equal(found, sizeof open / sizeof *open);
}

static void allowed_methods_add_head_to_get_and_options_to_all(void **state) {
    (void)state;
    assert_string_equal(route_methods(NULL), "GET, HEAD, POST, OPTIONS");
    for (unsigned i = 0; i < rows(); i++) {
        const route *r = route_row(i);
        bool post = strcmp(r->method, "POST") == 0;
        assert_string_equal(route_methods(r), post ? "POST, OPTIONS" : "GET, HEAD, OPTIONS");
    }
}

RUN(T(every_route_has_counters_of_its_own), T(no_two_routes_have_one_path),
    T(a_route_has_formats_or_a_media_type_and_a_meaning),
    T(a_path_captures_no_more_names_than_a_request_holds), T(only_health_and_the_page_are_open),
    T(allowed_methods_add_head_to_get_and_options_to_all))
