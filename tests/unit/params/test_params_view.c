#include "unit.h"

#include "params/view.h"

#define ELEMENTS 1000

#define WHOSE "uploaded pictures"

static query sized(unsigned rank, uint64_t height, uint64_t width) {
    query q;
    query_init(&q);
    q.given[QUERY_SIZE] = true;
    q.size = (query_shape){.rank = rank, .side = {height, width}};
    return q;
}

static void refused(const query *q, int status, const char *parameter, const char *why) {
    problem p = {0};
    assert_false(view_check(q, WHOSE, ELEMENTS, &p));
    assert_int_equal(p.status, status);
    assert_string_equal(p.errors[0].parameter, parameter);
    assert_non_null(strstr(p.errors[0].detail, why));
}

static void allowed(const query *q) {
    problem p = {0};
    assert_true(view_check(q, WHOSE, ELEMENTS, &p));
    assert_int_equal(p.status, 0);
}

static void without_pictures_each_parameter_is_refused(void **state) {
    (void)state;
    for (query_id i = QUERY_FLIP; i <= QUERY_FILTER; i++) {
        problem p = {0};
        query q;
        query_init(&q);
        view_refuse(&q, GROUP_VIEW | GROUP_FLIP, "but x is an array", &p);
        assert_int_equal(p.status, 0);
        q.given[i] = true;
        view_refuse(&q, GROUP_VIEW | GROUP_FLIP, "but x is an array", &p);
        assert_true(p.status == 400 && p.count == 1);
        assert_string_equal(p.errors[0].parameter, query_table[i].name);
        assert_non_null(strstr(p.errors[0].detail, "but x is an array; leave "));
    }
}

static void pictures_need_a_size_within_the_limit_of_elements(void **state) {
    (void)state;
    query q;
    query_init(&q);
    refused(&q, 400, "size", "size=224x192");
    q = sized(2, 25, 40);
    allowed(&q);
    q = sized(2, 25, 41);
    refused(&q, 413, "size", "25x41");
    q = sized(1, 31, 0);
    allowed(&q);
    q = sized(1, 32, 0);
    refused(&q, 413, "size", "32x32");
    q = sized(2, UINT64_MAX, UINT64_MAX);
    refused(&q, 413, "size", "limit of 1000");
}

static void parameters_of_another_view_are_refused(void **state) {
    (void)state;
    static const struct {
        query_id id;
        fmix_view_kind kind;
    } table[] = {{QUERY_AREA, FMIX_VIEW_RANDOM},
                 {QUERY_RATIO, FMIX_VIEW_RANDOM},
                 {QUERY_SHORT, FMIX_VIEW_CENTER}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        for (unsigned kind = FMIX_VIEW_RANDOM; kind <= FMIX_VIEW_STRETCH; kind++) {
            query q = sized(1, 8, 0);
            q.view = kind;
            q.given[table[i].id] = true;
            if (kind == (unsigned)table[i].kind)
                allowed(&q);
            else
                refused(&q, 400, query_table[table[i].id].name, "or ask for view=");
        }
}

static void areas_and_ratios_are_the_least_and_the_most(void **state) {
    (void)state;
    for (unsigned ratio = 0; ratio < 2; ratio++) {
        query q = sized(1, 8, 0);
        query_reals *range = ratio ? &q.ratio : &q.area;
        const char *name = ratio ? "ratio" : "area";
        *range = (query_reals){.count = 2, .item = {0.5, 0.5}};
        allowed(&q);
        *range = (query_reals){.count = 2, .item = {0.75, 0.5}};
        refused(&q, 400, name, "0.75,0.5;");
    }
}

static void a_recipe_has_all_that_is_asked_for(void **state) {
    (void)state;
    query q = sized(1, 8, 0);
    fmix_view_recipe r = view_recipe(&q);
    assert_true(r.kind == FMIX_VIEW_RANDOM && r.height == 8 && r.width == 8 && !r.flips);
    assert_true(r.area[0] == 0.08 && r.area[1] == 1 && r.shorter == 0);
    assert_true(r.ratio[0] == 3.0 / 4 && r.ratio[1] == 4.0 / 3);
    q = sized(2, 8, 5);
    q.view = FMIX_VIEW_CENTER;
    q.shorter = 9;
    q.flip = 1;
    r = view_recipe(&q);
    assert_true(r.kind == FMIX_VIEW_CENTER && r.height == 8 && r.width == 5 && r.flips);
    assert_int_equal(r.shorter, 9);
    assert_ok(fmix_view_check(&r));
}

RUN(T(without_pictures_each_parameter_is_refused),
    T(pictures_need_a_size_within_the_limit_of_elements), T(parameters_of_another_view_are_refused),
    T(areas_and_ratios_are_the_least_and_the_most), T(a_recipe_has_all_that_is_asked_for))
