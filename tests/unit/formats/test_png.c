#include "unit.h"

#include "formats/format.h"

#include <math.h>
#include <png.h>
#include <stdio.h>

/* A decoded decoded_png. */
typedef struct decoded_png {
    uint32_t width, height;
    unsigned char *pixels;
    char text[64]; /* of the chunk "fmixd" */
} decoded_png;

static void keep_text(png_structp png, png_infop info, decoded_png *p) {
    png_textp texts;
    int n = png_get_text(png, info, &texts, NULL);
    p->text[0] = 0;
    for (int i = 0; i < n; i++)
        if (strcmp(texts[i].key, "fmixd") == 0)
            snprintf(p->text, sizeof p->text, "%s", texts[i].text);
}

static decoded_png decode(const buffer *file) {
    decoded_png p;
    FILE *in = fmemopen(file->bytes, file->length, "rb");
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_init_io(png, in);
    png_read_png(png, info, PNG_TRANSFORM_IDENTITY, NULL);
    assert_int_equal(png_get_color_type(png, info), PNG_COLOR_TYPE_GRAY);
    assert_int_equal(png_get_bit_depth(png, info), 8);
    p.width = png_get_image_width(png, info);
    p.height = png_get_image_height(png, info);
    p.pixels = malloc((size_t)p.width * p.height);
    for (uint32_t y = 0; y < p.height; y++)
        memcpy(p.pixels + y * p.width, png_get_rows(png, info)[y], p.width);
    keep_text(png, info, &p);
    png_destroy_read_struct(&png, &info, NULL);
    fclose(in);
    return p;
}

/* Masks of 0 and 1 with this shape, one a row. */
static tensor_source *masks_of(uint64_t rows, unsigned sides, const uint64_t *side,
                               unsigned columns, unsigned scale) {
    tensor_source *s = tensor_source_new(rows);
    assert_true(tensor_source_add(s, "masks", DTYPE_U8, sides, side, 0, NULL, NULL));
    tensor_source_draw(s, CHANNELS_NOWHERE);
    s->columns = columns;
    s->scale = scale;
    s->recipe = strdup("stream=1 seed=0");
    return s;
}

/* Encoded, decoded, freed. A mask's 1 is level 255. */
static decoded_png draw(tensor_source *s, const unsigned char *masks) {
    unsigned char levels[64];
    const unsigned char *data[] = {levels};
    buffer out = buffer_of(1 << 20);
    problem none = {0};
    assert_true(tensor_bytes(&s->tensors[0]) <= sizeof levels);
    for (uint64_t i = 0; i < tensor_bytes(&s->tensors[0]); i++)
        levels[i] = masks[i] ? 255 : 0;
    assert_true(format_png.check(s, &none));
    assert_true(format_png.encode(s, data, &out));
    decoded_png p = decode(&out);
    buffer_free(&out);
    tensor_source_free(s);
    return p;
}

/* Rows of the decoded_png as text: '#' 255, '.' 0, ' ' the ground. */
static void assert_image(decoded_png *p, uint32_t width, uint32_t height, const char *expected) {
    assert_int_equal(p->width, width);
    assert_int_equal(p->height, height);
    for (size_t i = 0; i < (size_t)width * height; i++) {
        char c = p->pixels[i] == 255 ? '#' : p->pixels[i] == 0 ? '.' : ' ';
        assert_true(c != ' ' || p->pixels[i] == 128);
        assert_int_equal(c, expected[i]);
    }
    free(p->pixels);
}

static void one_mask_is_itself_pixel_for_pixel(void **state) {
    (void)state;
    static const unsigned char mask[] = {0, 1, 1, 1, 0, 0};
    static const uint64_t side[] = {2, 3};
    decoded_png p = draw(masks_of(1, 2, side, 0, 1), mask);
    assert_string_equal(p.text, "stream=1 seed=0");
    assert_image(&p, 3, 2,
                 ".##"
                 "#..");
}

static void scale_repeats_each_element_along_both_sides(void **state) {
    (void)state;
    static const unsigned char mask[] = {0, 1, 1, 0};
    static const uint64_t side[] = {2, 2};
    decoded_png p = draw(masks_of(1, 2, side, 0, 2), mask);
    assert_image(&p, 4, 4,
                 "..##"
                 "..##"
                 "##.."
                 "##..");
}

static void a_sheet_fills_its_rows_left_to_right_with_gaps(void **state) {
    (void)state;
    static const unsigned char masks[] = {0, 1, 1, 1, 1, 0};
    static const uint64_t side[] = {1, 2};
    decoded_png p = draw(masks_of(3, 2, side, 0, 1), masks); /* about a square: two by two */
    assert_image(&p, 16, 14,
                 "                "
                 "                "
                 "                "
                 "                "
                 "    .#    ##    "
                 "                "
                 "                "
                 "                "
                 "                "
                 "    #.          "
                 "                "
                 "                "
                 "                "
                 "                ");
}

static void columns_are_as_many_as_asked_but_no_more_than_masks(void **state) {
    (void)state;
    static const unsigned char masks[6] = {0};
    static const uint64_t side[] = {1, 2};
    static const struct {
        unsigned columns;
        uint32_t width, height;
    } table[] = {{1, 10, 19}, {2, 16, 14}, {3, 22, 9}, {4096, 22, 9}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        decoded_png p = draw(masks_of(3, 2, side, table[i].columns, 1), masks);
        assert_true(p.width == table[i].width && p.height == table[i].height);
        free(p.pixels);
    }
}

static void a_mask_of_one_side_is_a_strip(void **state) {
    (void)state;
    static const unsigned char masks[] = {0, 1, 1, 1, 0, 0};
    static const uint64_t side[] = {3};
    decoded_png p = draw(masks_of(1, 1, side, 0, 1), masks);
    assert_image(&p, 3, 1, ".##");
    p = draw(masks_of(2, 1, side, 0, 1), masks); /* one under the other, 16 high */
    assert_true(p.width == 11 && p.height == 2 * 16 + 3 * 4);
    for (uint32_t y = 4; y < 20; y++)
        assert_memory_equal(p.pixels + y * 11 + 4, "\0\xff\xff", 3);
    for (uint32_t y = 24; y < 40; y++)
        assert_memory_equal(p.pixels + y * 11 + 4, "\xff\0\0", 3);
    free(p.pixels);
}

static void a_mask_of_three_sides_is_its_slices_in_a_square(void **state) {
    (void)state;
    static const unsigned char mask[] = {0, 1, 1, 0, 1, 1};
    static const uint64_t side[] = {3, 1, 2};
    decoded_png p = draw(masks_of(1, 3, side, 0, 1), mask);
    assert_image(&p, 4, 2,
                 ".##."
                 "##  ");
    p = draw(masks_of(1, 3, side, 0, 2), mask);
    assert_image(&p, 8, 4,
                 "..####.."
                 "..####.."
                 "####    "
                 "####    ");
}

static void one_pixel_too_many_is_413_by_name(void **state) {
    (void)state;
    static const struct {
        uint64_t rows;
        unsigned sides;
        uint64_t side[3];
        unsigned columns, scale;
        bool good;
    } table[] = {
        {1, 1, {65500}, 0, 1, true},
        {1, 1, {65501}, 0, 1, false},
        {1, 2, {65500, 1}, 0, 1, true},
        {1, 2, {65501, 1}, 0, 1, false},
        {1, 2, {1024, 65500}, 0, 1, true},
        {1, 2, {1025, 65500}, 0, 1, false},
        {1, 2, {1023, 1024}, 0, 8, true},
        {1, 2, {1025, 1024}, 0, 8, false},
        {10915, 2, {1, 2}, 4096, 1, true},
        {1 << 24, 1, {1 << 24}, 1, 64, false},
        {1 << 24, 3, {1 << 24, 1, 1}, 4096, 64, false},
        {1 << 24, 2, {4096, 4096}, 1, 64, false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        problem p = {0};
        tensor_source *s = masks_of(table[i].rows, table[i].sides, table[i].side, table[i].columns,
                                    table[i].scale);
        assert_int_equal(format_png.check(s, &p), table[i].good);
        assert_int_equal(p.status, table[i].good ? 0 : 413);
        tensor_source_free(s);
    }
}

static void encoding_past_the_cap_of_the_buffer_fails(void **state) {
    (void)state;
    static const unsigned char mask[64] = {1, 0, 1};
    static const uint64_t side[] = {8, 8};
    const unsigned char *data[] = {mask};
    tensor_source *s = masks_of(1, 2, side, 0, 1);
    for (size_t cap = 0; cap < 100; cap += 25) {
        buffer out = buffer_of(cap);
        assert_false(format_png.encode(s, data, &out));
        assert_true(out.length <= cap);
        buffer_free(&out);
    }
    tensor_source_free(s);
}

/* The pixels of one encoded image, channel by channel. */
static void assert_pixels(tensor_source *s, const void *sample, const unsigned char *pixels,
                          size_t n) {
    const unsigned char *data[] = {sample};
    buffer file = buffer_of(1 << 20);
    problem none = {0};
    assert_true(format_png.check(s, &none));
    assert_true(format_png.encode(s, data, &file));
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_memory(&image, file.bytes, file.length));
    unsigned char decoded[64];
    assert_true(PNG_IMAGE_SIZE(image) == n && n <= sizeof decoded);
    assert_true(png_image_finish_read(&image, NULL, decoded, 0, NULL));
    assert_memory_equal(decoded, pixels, n);
    buffer_free(&file);
    tensor_source_free(s);
}

static tensor_source *image_of(dtype type, unsigned sides, const uint64_t *side,
                               channels_place channels) {
    tensor_source *s = tensor_source_new(1);
    assert_true(tensor_source_add(s, "mixed", type, sides, side, 0, NULL, NULL));
    tensor_source_draw(s, channels);
    s->scale = 1;
    return s;
}

static void channels_stand_together_wherever_they_came_from(void **state) {
    (void)state;
    static const unsigned char planes[] = {1, 2, 3, 4, 5, 6}, pixels[] = {1, 3, 5, 2, 4, 6};
    static const uint64_t first[] = {3, 1, 2}, last[] = {1, 2, 3}, grey[] = {1, 1, 3};
    static const unsigned char rgba[] = {9, 8, 7, 255};
    static const uint64_t one[] = {1, 1, 4};
    assert_pixels(image_of(DTYPE_U8, 3, first, CHANNELS_BEFORE), planes, pixels, 6);
    assert_pixels(image_of(DTYPE_U8, 3, last, CHANNELS_BEHIND), pixels, pixels, 6);
    assert_pixels(image_of(DTYPE_U8, 3, grey, CHANNELS_BEFORE), planes, planes, 3);
    assert_pixels(image_of(DTYPE_U8, 3, one, CHANNELS_BEHIND), rgba, rgba, 4);
}

static void floats_below_0_and_above_1_are_clamped(void **state) {
    (void)state;
    static const float f32[] = {0, 1, 0.5f, -3, 7, NAN, 1.6f / 255, 2.4f / 255};
    static const double f64[] = {0, 1, 0.5, -1e300, INFINITY, -NAN, 0.6 / 255, 254.4 / 255};
    static const unsigned char from_f32[] = {0, 255, 128, 0, 255, 0, 2, 2};
    static const unsigned char from_f64[] = {0, 255, 128, 0, 255, 0, 1, 254};
    static const unsigned char bits[] = {0, 1, 1, 0}, levels[] = {0, 255, 255, 0};
    static const uint64_t eight[] = {2, 4}, four[] = {2, 2};
    assert_pixels(image_of(DTYPE_F32, 2, eight, CHANNELS_NOWHERE), f32, from_f32, 8);
    assert_pixels(image_of(DTYPE_F64, 2, eight, CHANNELS_NOWHERE), f64, from_f64, 8);
    assert_pixels(image_of(DTYPE_BOOL, 2, four, CHANNELS_NOWHERE), bits, levels, 4);
}

static tensor_source *not_drawn(void) {
    static const uint64_t side[] = {2, 2};
    tensor_source *s = tensor_source_new(1);
    assert_true(tensor_source_add(s, "labels", DTYPE_F32, 2, side, 0, NULL, NULL));
    s->scale = 1;
    return s;
}

static void tensors_that_are_not_images_are_400_by_name(void **state) {
    (void)state;
    static const uint64_t side[] = {2, 2, 2}, many[] = {5, 2, 2}, deep[] = {2, 2, 2, 2};
    const struct {
        tensor_source *s;
        const char *parameter;
    } table[] = {
        {image_of(DTYPE_I32, 3, many, CHANNELS_NOWHERE), "out_dtype"},
        {image_of(DTYPE_I8, 3, side, CHANNELS_NOWHERE), "out_dtype"},
        {image_of(DTYPE_U8, 3, side, CHANNELS_BEFORE), "layout"},
        {image_of(DTYPE_U8, 3, many, CHANNELS_BEFORE), "layout"},
        {image_of(DTYPE_F64, 0, NULL, CHANNELS_NOWHERE), "parts"},
        {image_of(DTYPE_U8, 1, side, CHANNELS_BEHIND), "parts"},
        {image_of(DTYPE_U8, 4, deep, CHANNELS_NOWHERE), "parts"},
        {not_drawn(), "parts"},
        {masks_of(0, 2, side, 0, 1), "rank"},
        {masks_of(0, 1, side, 7, 1), "rank"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        problem p = {0};
        assert_false(format_png.check(table[i].s, &p));
        assert_true(format_png.working(table[i].s) < 1000);
        assert_int_equal(p.status, 400);
        assert_string_equal(p.errors[0].parameter, table[i].parameter);
        tensor_source_free(table[i].s);
    }
}

/* By pixels, of which `scale` makes many. */
static void the_cost_is_that_of_the_sheet(void **state) {
    (void)state;
    static const uint64_t side[] = {8, 8};
    double last = 0;
    for (unsigned scale = 1; scale <= 64; scale *= 2) {
        tensor_source *s = masks_of(4, 2, side, 2, scale);
        double cost = format_png.cost(s, 4 * 64), pixels = 4.0 * 64 * scale * scale;
        assert_true(cost > last && cost > 20 * pixels && cost < 200 * pixels);
        last = cost;
        tensor_source_free(s);
    }
}

RUN(T(the_cost_is_that_of_the_sheet), T(one_mask_is_itself_pixel_for_pixel),
    T(scale_repeats_each_element_along_both_sides),
    T(a_sheet_fills_its_rows_left_to_right_with_gaps),
    T(columns_are_as_many_as_asked_but_no_more_than_masks), T(a_mask_of_one_side_is_a_strip),
    T(a_mask_of_three_sides_is_its_slices_in_a_square), T(one_pixel_too_many_is_413_by_name),
    T(channels_stand_together_wherever_they_came_from), T(floats_below_0_and_above_1_are_clamped),
    T(tensors_that_are_not_images_are_400_by_name), T(encoding_past_the_cap_of_the_buffer_fails))
