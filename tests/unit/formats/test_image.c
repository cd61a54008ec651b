#include "unit.h"

#include "formats/image.h"
#include "formats/png_plain.h"

#include <libdeflate.h>

static void grey_is_read_as_rgb_and_rgb_as_grey(void **state) {
    (void)state;
    static const unsigned char grey[] = {0, 100, 255, 7};
    static const unsigned char colours[] = {255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255};
    static const unsigned char luma[] = {76, 150, 29, 255}; /* as Pillow has them */
    unsigned char file[200], other[200];
    image p;
    png_plain(2, 2, 1, grey, file);
    png_plain(2, 2, 3, colours, other);
    assert_true(image_read(file, (size_t)png_plain_length(2, 2, 1), 3, &p));
    assert_int_equal(p.channels, 3);
    for (unsigned i = 0; i < 12; i++)
        assert_int_equal(p.pixels[i], grey[i / 3]);
    image_free(&p);
    assert_true(image_read(other, (size_t)png_plain_length(2, 2, 3), 1, &p));
    assert_int_equal(p.channels, 1);
    assert_memory_equal(p.pixels, luma, sizeof luma);
    image_free(&p);
}

/* Nothing is allocated for what a header claims: the file holds no pixels. */
static void an_image_over_the_limits_is_refused_by_its_header(void **state) {
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

static void a_file_that_is_neither_png_nor_jpeg_is_refused(void **state) {
    (void)state;
    static const char *const files[] = {"GIF89a", "\x89PN", "\xff\xd8"};
    image p;
    assert_false(image_read((const unsigned char *)"", 0, 0, &p));
    assert_string_equal(p.message, "the file is empty");
    for (size_t i = 0; i < 3; i++) {
        assert_false(image_read((const unsigned char *)files[i], strlen(files[i]), 0, &p));
        assert_string_equal(p.message, "the file is neither PNG nor JPEG");
        assert_null(p.pixels);
    }
}

static void a_header_is_read_without_pixels(void **state) {
    (void)state;
    static const unsigned char pixels[6 * 3];
    unsigned char file[300];
    image p;
    png_plain(3, 2, 3, pixels, file);
    assert_true(image_header(file, (size_t)png_plain_length(3, 2, 3), &p));
    assert_true(p.width == 3 && p.height == 2 && p.stored == 3 && !p.pixels);
}

static void the_first_rows_are_those_of_the_whole(void **state) {
    (void)state;
    static unsigned char pixels[7 * 3 * 3];
    unsigned char file[300];
    image whole, part;
    for (unsigned i = 0; i < sizeof pixels; i++)
        pixels[i] = (unsigned char)(3 * i);
    png_plain(3, 7, 3, pixels, file);
    size_t length = (size_t)png_plain_length(3, 7, 3);
    for (unsigned channels = 1; channels <= 3; channels += 2) {
        assert_true(image_read(file, length, channels, &whole));
        assert_int_equal(whole.part.height, 7);
        for (uint32_t rows = 1; rows <= 8; rows++) {
            const image_part from = {0, 0, rows, 3};
            assert_true(image_read_part(file, length, channels, &from, &part));
            assert_true(part.height == 7 && part.part.height == (rows < 7 ? rows : 7));
            assert_memory_equal(part.pixels, whole.pixels, part.part.height * 3 * channels);
            image_free(&part);
        }
        image_free(&whole);
    }
}

RUN(T(the_first_rows_are_those_of_the_whole), T(grey_is_read_as_rgb_and_rgb_as_grey),
    T(an_image_over_the_limits_is_refused_by_its_header),
    T(a_file_that_is_neither_png_nor_jpeg_is_refused), T(a_header_is_read_without_pixels))
