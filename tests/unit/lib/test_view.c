#include "unit.h"

#include "view.h"
#include "words.h"

static const fmix_view_recipe inception = {
    .height = 224, .width = 224, .area = {0.08, 1}, .ratio = {3.0 / 4, 4.0 / 3}};

static void assert_window(const fmix_view_recipe *recipe, uint64_t t, bool neighbour,
                          uint32_t height, uint32_t width, const uint32_t wanted[4]) {
    fmix_view view;
    assert_ok(fmix_view_draw(recipe, 0, t, neighbour, height, width, &view));
    assert_int_equal(view.rows.first, wanted[0]);
    assert_int_equal(view.columns.first, wanted[1]);
    assert_int_equal(view.rows.length, wanted[2]);
    assert_int_equal(view.columns.length, wanted[3]);
    assert_int_equal(view.rows.resized, recipe->height);
    assert_int_equal(view.columns.resized, recipe->width);
    assert_int_equal(view.rows.begin, 0);
    assert_int_equal(view.columns.begin, 0);
}

static void random_windows_are_those_of_the_contract(void **state) {
    (void)state;
    assert_window(&inception, 0, false, 480, 640, (uint32_t[]){86, 58, 292, 288});
    assert_window(&inception, 1, false, 480, 640, (uint32_t[]){279, 393, 175, 201});
    assert_window(&inception, 0, true, 480, 640, (uint32_t[]){80, 310, 275, 257});
}

static void a_picture_that_no_window_fits_gives_its_middle(void **state) {
    (void)state;
    fmix_view_recipe recipe = inception;
    assert_window(&recipe, 0, false, 400, 20, (uint32_t[]){186, 0, 27, 20});
    recipe.area[0] = 1;
    recipe.ratio[0] = 0.5;
    recipe.ratio[1] = 1.1; /* whose float64 is above 1.1, so 16.5 and a little goes to 17 */
    assert_window(&recipe, 0, false, 15, 100, (uint32_t[]){0, 41, 15, 17});
    recipe.ratio[0] = recipe.ratio[1] = 1.5; /* 15 * 1.5 = 22.5, to even */
    assert_window(&recipe, 0, false, 15, 100, (uint32_t[]){0, 39, 15, 22});
    recipe.ratio[0] = recipe.ratio[1] = 2; /* 15 / 2 = 7.5, to even */
    assert_window(&recipe, 0, false, 100, 15, (uint32_t[]){46, 0, 8, 15});
    recipe.ratio[0] = recipe.ratio[1] = 1000; /* 1 / 1000, but at least a pixel */
    assert_window(&recipe, 0, false, 7, 1, (uint32_t[]){3, 0, 1, 1});
}

static void half_a_pixel_goes_to_the_even_number(void **state) {
    (void)state;
    fmix_view_recipe recipe = inception;
    recipe.area[0] = recipe.area[1] = 0.25;
    recipe.ratio[0] = recipe.ratio[1] = 1;
    assert_window(&recipe, 0, false, 5, 5, (uint32_t[]){0, 1, 2, 2});
}

/* Areas and ratios of which extents are half a pixel exactly, though the ratio is a power. */
static void ties_are_found_where_the_power_is_rational(void **state) {
    (void)state;
    static const struct {
        uint64_t pixels;
        double area, low, high;
        uint32_t word;
        bool upright;
        uint64_t wanted;
    } cases[] = {
        {25, 0.25, 1, 1, 12345, false, 2},                                 /* 2.5 */
        {49, 0.25, 1, 1, 12345, true, 4},                                  /* 3.5 */
        {25, 0.125, 1, 4, UINT32_C(1) << 31, false, 2},                    /* r = 2 */
        {25, 0.5, 1, 4, UINT32_C(1) << 31, true, 2},                       /* r = 2 */
        {49, 0.125, 1, 16, UINT32_C(1) << 30, false, 4},                   /* r = 2 */
        {49, 1, 0.5, 16, UINT32_C(3) << 30, false, 18},                    /* no tie: 18.16 */
        {768, 1, 0x1p-9, 0x6.954fe21e3e81p7, UINT32_C(1) << 27, false, 2}, /* (3/2)^32: 1.5 */
        {12, 0.75, 4, 4, 77, true, 2},                                     /* 1.5 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const double area[2] = {cases[i].area, cases[i].area};
        const double ratio[2] = {cases[i].low, cases[i].high};
        const uint32_t words[2] = {99, cases[i].word};
        const fmix_extent extent = {cases[i].pixels, area, ratio, words, cases[i].upright};
        assert_int_equal(fmix_extent_round(&extent), cases[i].wanted);
    }
}

static void centers_are_those_of_the_contract(void **state) {
    (void)state;
    fmix_view_recipe recipe = {.kind = FMIX_VIEW_CENTER, .height = 224, .width = 224};
    fmix_view view;
    assert_ok(fmix_view_draw(&recipe, 0, 0, false, 375, 500, &view));
    assert_true(view.rows.first == 0 && view.rows.length == 375);
    assert_true(view.rows.resized == 256 && view.columns.resized == 341);
    assert_true(view.rows.begin == 16 && view.columns.begin == 58);
    assert_true(view.rows.size == 224 && view.columns.size == 224 && !view.flip);
    recipe = (fmix_view_recipe){FMIX_VIEW_CENTER, .height = 40, .width = 31, .shorter = 20};
    assert_ok(fmix_view_draw(&recipe, 0, 0, false, 30, 50, &view));
    assert_true(view.rows.resized == 20 && view.columns.resized == 33);
    assert_true(view.rows.begin == -10 && view.columns.begin == 1);
}

static void centers_that_are_half_a_pixel_off_begin_at_the_even_pixel(void **state) {
    (void)state;
    fmix_view_recipe recipe = {.kind = FMIX_VIEW_CENTER, .width = 8, .shorter = 8};
    static const int begins[] = {0, 0, 1, 2, 2, 2, 3, 4}; /* 8 rows to 8, 7, … */
    fmix_view view;
    for (uint32_t i = 0; i < 8; i++) {
        recipe.height = 8 - i;
        assert_ok(fmix_view_draw(&recipe, 0, 0, false, 8, 8, &view));
        assert_int_equal(view.rows.begin, begins[i]);
        recipe.height = 8 + i; /* zeros: fewer before than behind */
        assert_ok(fmix_view_draw(&recipe, 0, 0, false, 8, 8, &view));
        assert_int_equal(view.rows.begin, -(int)(i / 2));
    }
}

static void stretching_takes_all_of_the_picture(void **state) {
    (void)state;
    const fmix_view_recipe recipe = {.kind = FMIX_VIEW_STRETCH, .height = 3, .width = 4};
    fmix_view view;
    assert_ok(fmix_view_draw(&recipe, 0, 0, false, 30, 50, &view));
    assert_true(view.rows.first == 0 && view.rows.length == 30 && view.rows.resized == 3);
    assert_true(view.columns.first == 0 && view.columns.length == 50 && view.columns.resized == 4);
}

static void flips_are_drawn_from_the_words_of_light_augmentation(void **state) {
    (void)state;
    fmix_view_recipe recipe = {.kind = FMIX_VIEW_STRETCH, .height = 3, .width = 4, .flips = true};
    fmix_key key;
    assert_ok(fmix_key_derive(7, FMIX_DOMAIN_AUGMENT, &key));
    for (uint64_t t = 0; t < 64; t++)
        for (unsigned neighbour = 0; neighbour < 2; neighbour++) {
            uint32_t words[4];
            fmix_view view;
            fmix_words_block(&key, t, neighbour * 4, words);
            recipe.flips = true;
            assert_ok(fmix_view_draw(&recipe, 7, t, neighbour, 5, 5, &view));
            assert_int_equal(view.flip, words[2] < UINT32_C(1) << 31);
            recipe.flips = false;
            assert_ok(fmix_view_draw(&recipe, 7, t, neighbour, 5, 5, &view));
            assert_false(view.flip);
        }
}

static void assert_refused(const fmix_view_recipe *recipe) {
    fmix_view view;
    assert_int_equal(fmix_view_check(recipe), FMIX_ERROR_RANGE);
    assert_int_equal(fmix_view_draw(recipe, 0, 0, false, 5, 5, &view), FMIX_ERROR_RANGE);
}

static void numbers_outside_their_range_are_refused(void **state) {
    (void)state;
    static const double areas[][2] = {{0, 1}, {0.5, 0.4}, {0.5, 1.5}, {-1, 1}, {0.5, -0.0}};
    static const double ratios[][2] = {{0, 1}, {2, 1}, {1, 1e4}, {-1, 1}};
    fmix_view_recipe recipe;
    for (size_t i = 0; i < sizeof areas / sizeof *areas; i++) {
        recipe = inception;
        memcpy(recipe.area, areas[i], sizeof areas[i]);
        assert_refused(&recipe);
        recipe.kind = FMIX_VIEW_STRETCH;
        assert_ok(fmix_view_check(&recipe));
    }
    for (size_t i = 0; i < sizeof ratios / sizeof *ratios; i++) {
        recipe = inception;
        memcpy(recipe.ratio, ratios[i], sizeof ratios[i]);
        assert_refused(&recipe);
    }
    recipe = inception;
    recipe.width = 0;
    assert_refused(&recipe);
    recipe.width = FMIX_MAX_ELEMENTS / 224 + 1;
    assert_refused(&recipe);
    recipe = (fmix_view_recipe){FMIX_VIEW_CENTER, .height = 5, .width = 5, .shorter = 1u << 21};
    assert_refused(&recipe);
    recipe = (fmix_view_recipe){(fmix_view_kind)3, .height = 5, .width = 5};
    assert_refused(&recipe);
}

static void sides_of_pictures_are_1_to_2_to_the_20(void **state) {
    (void)state;
    const uint32_t most = FMIX_MAX_PICTURE_SIDE, sides[] = {0, most + 1};
    fmix_view view;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fmix_view_draw(&inception, 0, 0, false, sides[i], 5, &view),
                         FMIX_ERROR_RANGE);
        assert_int_equal(fmix_view_draw(&inception, 0, 0, false, 5, sides[i], &view),
                         FMIX_ERROR_RANGE);
    }
    for (uint64_t t = 0; t < 100; t++) {
        assert_ok(fmix_view_draw(&inception, 0, t, false, most, t % 2 ? most : 1, &view));
        assert_true(view.rows.first + view.rows.length <= most);
    }
}

RUN(T(random_windows_are_those_of_the_contract), T(a_picture_that_no_window_fits_gives_its_middle),
    T(half_a_pixel_goes_to_the_even_number), T(ties_are_found_where_the_power_is_rational),
    T(centers_are_those_of_the_contract),
    T(centers_that_are_half_a_pixel_off_begin_at_the_even_pixel),
    T(stretching_takes_all_of_the_picture), T(flips_are_drawn_from_the_words_of_light_augmentation),
    T(numbers_outside_their_range_are_refused), T(sides_of_pictures_are_1_to_2_to_the_20))
