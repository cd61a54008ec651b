#include "unit.h"

#include "datasets/image.h"
#include "formats/format.h"

#include <libdeflate.h>
#include <stdio.h>

#include <jpeglib.h>

static void pixels_of_a_png_are_those_that_went_in(void **state) {
    (void)state;
    unsigned char pixels[6 * 5 * 3];
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (unsigned char)(i * 37);
    for (unsigned channels = 1; channels <= 3; channels += 2) {
        unsigned char file[500];
        size_t all = (size_t)png_plain_length(6, 5, channels);
        image p;
        assert_in_range(all, 1, sizeof file);
        png_plain(6, 5, channels, pixels, file);
        assert_true(image_read(file, all, 0, &p));
        assert_true(p.width == 6 && p.height == 5 && p.channels == channels);
        assert_memory_equal(p.pixels, pixels, 30 * channels);
        image_free(&p);
        /* libpng does not miss the last chunk, which says that it is the last, nor a sum before it
         */
        for (size_t length = 0; length + 20 < all; length++) {
            assert_false(image_read(file, length, 0, &p));
            image_free(&p);
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
        image p;
        for (size_t b = 0; b < bytes; b++)
            pixels[b] = (unsigned char)(unit_random(&random) >> 56);
        file[length] = 77;
        png_plain(width, height, sizes[i].channels, pixels, file);
        assert_int_equal(file[length], 77);
        assert_memory_equal(file + length - 8, "IEND\xae\x42\x60\x82", 8);
        assert_true(image_read(file, length, 0, &p));
        assert_true(p.width == width && p.height == height);
        if (p.channels == sizes[i].channels) /* alpha is dropped */
            assert_memory_equal(p.pixels, pixels, bytes);
        else
            assert_true(p.channels == 3 && sizes[i].channels == 4);
        image_free(&p);
        free(pixels);
        free(file);
    }
}

static void grey_can_be_read_as_rgb_and_the_other_way_round(void **state) {
    (void)state;
    const unsigned char grey[] = {0, 100, 255, 7}, red[] = {255, 0, 0};
    unsigned char file[200], other[200];
    image p;
    png_plain(2, 2, 1, grey, file);
    png_plain(1, 1, 3, red, other);
    assert_true(image_read(file, (size_t)png_plain_length(2, 2, 1), 3, &p));
    assert_true(p.channels == 3 && p.pixels[3] == 100 && p.pixels[5] == 100);
    image_free(&p);
    assert_true(image_read(other, (size_t)png_plain_length(1, 1, 3), 1, &p));
    assert_true(p.channels == 1 && p.pixels[0] == 76);
    image_free(&p);
}

/* A baseline file of grey pixels; the length. The bytes are the caller's. */
static unsigned long write_jpeg(const unsigned char *pixels, unsigned width, unsigned height,
                                unsigned char **file) {
    struct jpeg_compress_struct jpeg = {0};
    struct jpeg_error_mgr errors;
    unsigned long length = 0;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, file, &length);
    jpeg.image_width = width;
    jpeg.image_height = height;
    jpeg.input_components = 1;
    jpeg.in_color_space = JCS_GRAYSCALE;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 95, TRUE);
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < height) {
        JSAMPROW row = (JSAMPROW)pixels + jpeg.next_scanline * width;
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    return length;
}

static void a_jpeg_is_near_what_went_in_and_its_pieces_are_refused(void **state) {
    (void)state;
    unsigned char pixels[16 * 16], *file = NULL;
    for (int i = 0; i < 256; i++)
        pixels[i] = (unsigned char)(i / 16 * 15);
    unsigned long length = write_jpeg(pixels, 16, 16, &file);
    image p;
    assert_true(image_read(file, length, 0, &p));
    assert_true(p.width == 16 && p.height == 16 && p.channels == 1 && p.message[0] == 0);
    for (int i = 0; i < 256; i++)
        assert_true(abs(p.pixels[i] - pixels[i]) < 8);
    image_free(&p);
    for (unsigned long cut = 0; cut + 2 < length; cut++) {
        assert_false(image_read(file, cut, 0, &p));
        assert_non_null(strstr(p.message, cut < 3 ? "neither" : "truncated"));
    }
    free(file);
}

/* Nothing is allocated for what a header claims: the file has 33 bytes of it and no pixels. */
static void pixels_over_the_cap_are_refused_by_the_header(void **state) {
    (void)state;
    static const struct {
        uint32_t width, height;
        bool good;
    } sizes[] = {{8192, 8192, true},  {8192, 8193, false},   {65535, 1024, true},
                 {65536, 1, false},   {1, 65536, false},     {65535, 65535, false},
                 {1000001, 1, false}, {0x7fffffff, 1, false}};
    unsigned char file[200];
    png_plain(1, 1, 1, (const unsigned char *)"x", file);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        image p;
        for (unsigned b = 0; b < 4; b++) {
            file[16 + b] = (unsigned char)(sizes[i].width >> (24 - 8 * b));
            file[20 + b] = (unsigned char)(sizes[i].height >> (24 - 8 * b));
        }
        uint32_t sum = libdeflate_crc32(0, file + 12, 17);
        for (unsigned b = 0; b < 4; b++)
            file[29 + b] = (unsigned char)(sum >> (24 - 8 * b));
        assert_int_equal(image_header(file, sizeof file, &p), sizes[i].good);
        assert_null(p.pixels);
        if (!sizes[i].good)
            assert_non_null(
                strstr(p.message, "the limits are 67108864 pixels in all and 65535 along"));
    }
}

static void what_is_neither_is_told(void **state) {
    (void)state;
    image p;
    assert_false(image_read((const unsigned char *)"GIF89a", 6, 0, &p));
    assert_false(image_read(NULL, 0, 0, &p));
}

RUN(T(pixels_of_a_png_are_those_that_went_in), T(a_plain_png_is_as_long_as_told_whatever_its_size),
    T(grey_can_be_read_as_rgb_and_the_other_way_round),
    T(a_jpeg_is_near_what_went_in_and_its_pieces_are_refused),
    T(pixels_over_the_cap_are_refused_by_the_header), T(what_is_neither_is_told))
