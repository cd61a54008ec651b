/* The golden vectors of STREAM §9 by the library's own calls. */
#include "vectors.h"

static uint32_t side_of(const json_t *v, const char *name, size_t i) {
    return (uint32_t)entry_of(v, name, i);
}

static double number_of(const json_t *v, const char *name, size_t i) {
    return json_number_value(json_array_get(json_object_get(v, name), i));
}

static void assert_side(const fmix_view_side *side, uint64_t first, uint64_t length,
                        uint64_t resized, int64_t begin, uint64_t size) {
    assert_int_equal(side->first, first);
    assert_int_equal(side->length, length);
    assert_int_equal(side->resized, resized);
    assert_int_equal(side->begin, begin);
    assert_int_equal(side->size, size);
}

static void random_windows_equal_the_vectors(void **state) {
    (void)state;
    EACH(v, "view_random") {
        const fmix_view_recipe recipe = {
            .kind = FMIX_VIEW_RANDOM,
            .height = 5,
            .width = 7,
            .flips = true,
            .area = {number_of(v, "area", 0), number_of(v, "area", 1)},
            .ratio = {number_of(v, "ratio", 0), number_of(v, "ratio", 1)}};
        fmix_view view;
        assert_ok(fmix_view_draw(&recipe, large(v, "seed"), large(v, "index"),
                                 json_is_true(json_object_get(v, "neighbour")),
                                 side_of(v, "sides", 0), side_of(v, "sides", 1), &view));
        assert_side(&view.rows, entry_of(v, "window", 0), entry_of(v, "window", 2), 5, 0, 5);
        assert_side(&view.columns, entry_of(v, "window", 1), entry_of(v, "window", 3), 7, 0, 7);
        assert_int_equal(view.flip, json_is_true(json_object_get(v, "flip")));
    }
}

static void centers_equal_the_vectors(void **state) {
    (void)state;
    EACH(v, "view_center") {
        const json_t *given = json_object_get(v, "short");
        const fmix_view_recipe recipe = {.kind = FMIX_VIEW_CENTER,
                                         .height = side_of(v, "size", 0),
                                         .width = side_of(v, "size", 1),
                                         .shorter = (uint32_t)json_integer_value(given)};
        fmix_view view;
        assert_ok(fmix_view_draw(&recipe, 0, 0, false, side_of(v, "sides", 0),
                                 side_of(v, "sides", 1), &view));
        for (size_t d = 0; d < 2; d++)
            assert_side(d == 0 ? &view.rows : &view.columns, 0, entry_of(v, "sides", d),
                        entry_of(v, "resized", d),
                        (int64_t)entry_of(v, "begin", d) - (int64_t)entry_of(v, "before", d),
                        entry_of(v, "size", d));
        assert_false(view.flip);
    }
}

/* All of a side. */
static fmix_view_side whole_side(const json_t *v, size_t d) {
    return (fmix_view_side){.length = side_of(v, "sides", d),
                            .resized = entry_of(v, "size", d),
                            .size = side_of(v, "size", d)};
}

static fmix_filter filter_of(const json_t *v) {
    return is(v, "filter", "nearest")   ? FMIX_FILTER_NEAREST
           : is(v, "filter", "bicubic") ? FMIX_FILTER_BICUBIC
                                        : FMIX_FILTER_BILINEAR;
}

static void resized_pixels_equal_the_vectors(void **state) {
    (void)state;
    fmix_scratch *scratch;
    assert_ok(fmix_scratch_new(&scratch));
    EACH(v, "resize") {
        unsigned char pixels[MOST], wanted[MOST], out[MOST], mirrored[MOST];
        unsigned channels = (unsigned)whole(v, "channels");
        fmix_view view = {.rows = whole_side(v, 0), .columns = whole_side(v, 1)};
        const fmix_picture picture = {
            .part = {.height = view.rows.length, .width = view.columns.length},
            .pixels = pixels,
            .stride = (size_t)view.columns.length * channels};
        size_t width = view.columns.size;
        bytes_of(v, "pixels", pixels);
        size_t length = bytes_of(v, "resized", wanted);
        assert_ok(fmix_resize(scratch, &view, filter_of(v), channels, &picture, out));
        assert_memory_equal(out, wanted, length);
        view.flip = true;
        assert_ok(fmix_resize(scratch, &view, filter_of(v), channels, &picture, mirrored));
        for (size_t i = 0; i < length; i++) {
            size_t pixel = i / channels, x = pixel % width;
            assert_int_equal(mirrored[(pixel - x + width - 1 - x) * channels + i % channels],
                             out[i]);
        }
    }
    fmix_scratch_free(scratch);
}

static fmix_view_recipe recipe_of(const json_t *v) {
    return (fmix_view_recipe){.kind = is(v, "kind", "random")   ? FMIX_VIEW_RANDOM
                                      : is(v, "kind", "center") ? FMIX_VIEW_CENTER
                                                                : FMIX_VIEW_STRETCH,
                              .height = side_of(v, "size", 0),
                              .width = side_of(v, "size", 1),
                              .flips = true,
                              .area = {number_of(v, "area", 0), number_of(v, "area", 1)},
                              .ratio = {number_of(v, "ratio", 0), number_of(v, "ratio", 1)},
                              .shorter = (uint32_t)json_integer_value(json_object_get(v, "short"))};
}

static void views_of_label_maps_equal_the_vectors(void **state) {
    (void)state;
    fmix_scratch *scratch;
    assert_ok(fmix_scratch_new(&scratch));
    EACH(v, "map_view") {
        unsigned char numbers[MOST], wanted[MOST], out[MOST];
        const fmix_view_recipe recipe = recipe_of(v);
        uint32_t height = side_of(v, "sides", 0), width = side_of(v, "sides", 1);
        const fmix_picture map = {
            .part = {.height = height, .width = width}, .pixels = numbers, .stride = width};
        fmix_view view;
        bytes_of(v, "numbers", numbers);
        size_t length = bytes_of(v, "viewed", wanted);
        assert_ok(fmix_view_draw(&recipe, large(v, "seed"), large(v, "index"),
                                 json_is_true(json_object_get(v, "neighbour")), height, width,
                                 &view));
        assert_ok(fmix_resize(scratch, &view, FMIX_FILTER_NEAREST, 1, &map, out));
        assert_memory_equal(out, wanted, length);
        assert_ok(fmix_view_take(scratch, &view, 1, &map, out));
        assert_memory_equal(out, wanted, length);
    }
    fmix_scratch_free(scratch);
}

RUN(T(views_of_label_maps_equal_the_vectors), T(random_windows_equal_the_vectors),
    T(centers_equal_the_vectors), T(resized_pixels_equal_the_vectors))
