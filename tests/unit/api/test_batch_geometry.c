#include "unit.h"

#include "api/batch_geometry.h"

static bool find(unsigned rank, int layout, batch_geometry *out, problem *p) {
    static array x;
    query q;
    x = (array){.name = "x", .type = DTYPE_U8, .rank = rank, .shape = {2, 3, 4, 5, 6}};
    query_init(&q);
    q.given[QUERY_LAYOUT] = layout >= 0;
    q.layout = layout < 0 ? 0 : (unsigned)layout;
    return batch_geometry_find(&q, &x, out, p);
}

static void the_layout_says_which_sides_are_the_mask_s(void **state) {
    (void)state;
    static const struct {
        unsigned rank;
        int layout; /* -1: not given */
        unsigned mask;
        uint64_t first, channels;
        bool has_channels;
        fmix_layout library;
    } table[] = {
        {2, -1, 1, 3, 1, false, FMIX_CHANNELS_FIRST},
        {3, LAYOUT_NONE, 2, 3, 1, false, FMIX_CHANNELS_FIRST},
        {4, LAYOUT_CHANNELS_FIRST, 2, 4, 3, true, FMIX_CHANNELS_FIRST},
        {4, LAYOUT_CHANNELS_LAST, 2, 3, 5, true, FMIX_CHANNELS_LAST},
        {5, LAYOUT_CHANNELS_LAST, 3, 3, 6, true, FMIX_CHANNELS_LAST},
        {4, LAYOUT_NONE, 3, 3, 1, false, FMIX_CHANNELS_FIRST},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        problem p = {0};
        batch_geometry g;
        assert_true(find(table[i].rank, table[i].layout, &g, &p));
        assert_int_equal(g.rank, table[i].mask);
        assert_int_equal(g.sides[0], table[i].first);
        assert_int_equal(g.channels, table[i].channels);
        assert_int_equal(g.has_channels, table[i].has_channels);
        assert_int_equal(g.layout, table[i].library);
    }
}

static void other_arrays_are_refused_with_the_parameter_to_blame(void **state) {
    (void)state;
    static const struct {
        unsigned rank;
        int layout;
        const char *parameter;
    } table[] = {
        {1, LAYOUT_NONE, "x"},
        {3, -1, "layout"},
        {2, LAYOUT_CHANNELS_FIRST, "layout"},
        {5, LAYOUT_NONE, "layout"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        problem p = {0};
        batch_geometry g;
        assert_false(find(table[i].rank, table[i].layout, &g, &p));
        assert_int_equal(p.status, 400);
        assert_string_equal(p.errors[0].parameter, table[i].parameter);
    }
}

RUN(T(the_layout_says_which_sides_are_the_mask_s),
    T(other_arrays_are_refused_with_the_parameter_to_blame))
