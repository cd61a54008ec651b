#include "unit.h"

#include "formats/format.h"
#include "picture.h"

#include <turbojpeg.h>

static void pixels_of_a_png_are_those_that_went_in(void **state) {
    (void)state;
    unsigned char pixels[6 * 5 * 3];
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (unsigned char)(i * 37);
    for (unsigned channels = 1; channels <= 3; channels += 2) {
        unsigned char file[500];
        size_t all = (size_t)png_plain_length(6, 5, channels);
        picture p;
        assert_in_range(all, 1, sizeof file);
        png_plain(6, 5, channels, pixels, file);
        assert_null(picture_read(file, all, 0, &p));
        assert_true(p.width == 6 && p.height == 5 && p.channels == channels);
        assert_memory_equal(p.pixels, pixels, 30 * channels);
        picture_free(&p);
        /* libpng does not miss the last chunk, which says that it is the last, nor a sum before it
         */
        for (size_t length = 0; length + 20 < all; length++) {
            assert_non_null(picture_read(file, length, 0, &p));
            picture_free(&p);
        }
    }
}

/* As libpng reads them: all sums, and not a byte too many. */
static void a_plain_png_is_as_long_as_told_whatever_its_size(void **state) {
    (void)state;
    static const struct {
        uint32_t width, height;
        unsigned channels;
    } sizes[] = {{1, 1, 1},
                 {28, 28, 1},
                 {300, 200, 3},
                 {300, 1, 3},
                 {1, 300, 3},
                 {40, 30, 4},
                 {3854, 17, 1} /* a block */,
                 {4095, 16, 1} /* a byte more */,
                 {3854, 34, 1}};
    uint64_t random = 1;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint32_t width = sizes[i].width, height = sizes[i].height;
        size_t bytes = (size_t)width * height * sizes[i].channels;
        size_t length = (size_t)png_plain_length(width, height, sizes[i].channels);
        unsigned char *pixels = malloc(bytes), *file = malloc(length + 1);
        picture p;
        for (size_t b = 0; b < bytes; b++)
            pixels[b] = (unsigned char)(unit_random(&random) >> 56);
        file[length] = 77;
        png_plain(width, height, sizes[i].channels, pixels, file);
        assert_int_equal(file[length], 77);
        assert_memory_equal(file + length - 8, "IEND\xae\x42\x60\x82", 8);
        assert_null(picture_read(file, length, 0, &p));
        assert_true(p.width == width && p.height == height);
        if (p.channels == sizes[i].channels) /* alpha is dropped */
            assert_memory_equal(p.pixels, pixels, bytes);
        else
            assert_true(p.channels == 3 && sizes[i].channels == 4);
        picture_free(&p);
        free(pixels);
        free(file);
    }
}

static void grey_can_be_read_as_rgb_and_the_other_way_round(void **state) {
    (void)state;
    const unsigned char grey[] = {0, 100, 255, 7}, red[] = {255, 0, 0};
    unsigned char file[200], other[200];
    picture p;
    png_plain(2, 2, 1, grey, file);
    png_plain(1, 1, 3, red, other);
    assert_null(picture_read(file, (size_t)png_plain_length(2, 2, 1), 3, &p));
    assert_true(p.channels == 3 && p.pixels[3] == 100 && p.pixels[5] == 100);
    picture_free(&p);
    assert_null(picture_read(other, (size_t)png_plain_length(1, 1, 3), 1, &p));
    assert_true(p.channels == 1 && p.pixels[0] > 30 && p.pixels[0] < 140);
    picture_free(&p);
}

static void a_jpeg_is_near_what_went_in_and_its_pieces_are_refused(void **state) {
    (void)state;
    unsigned char pixels[16 * 16], *file = NULL;
    unsigned long length = 0;
    for (int i = 0; i < 256; i++)
        pixels[i] = (unsigned char)(i / 16 * 15);
    tjhandle writer = tjInitCompress();
    assert_int_equal(
        tjCompress2(writer, pixels, 16, 0, 16, TJPF_GRAY, &file, &length, TJSAMP_GRAY, 95, 0), 0);
    picture p;
    assert_null(picture_read(file, length, 0, &p));
    assert_true(p.width == 16 && p.height == 16 && p.channels == 1);
    for (int i = 0; i < 256; i++)
        assert_true(abs(p.pixels[i] - pixels[i]) < 8);
    picture_free(&p);
    for (unsigned long cut = 0; cut + 2 < length; cut++) {
        assert_non_null(picture_read(file, cut, 0, &p));
        picture_free(&p);
    }
    tjFree(file);
    tjDestroy(writer);
}

static void what_is_neither_is_told(void **state) {
    (void)state;
    picture p;
    assert_non_null(picture_read((const unsigned char *)"GIF89a", 6, 0, &p));
    assert_non_null(picture_read(NULL, 0, 0, &p));
}

RUN(T(pixels_of_a_png_are_those_that_went_in), T(a_plain_png_is_as_long_as_told_whatever_its_size),
    T(grey_can_be_read_as_rgb_and_the_other_way_round),
    T(a_jpeg_is_near_what_went_in_and_its_pieces_are_refused), T(what_is_neither_is_told))
