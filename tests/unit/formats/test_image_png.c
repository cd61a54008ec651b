#include "unit.h"

#include "formats/format.h"
#include "formats/image.h"
#include "formats/png_plain.h"

#include <png.h>
#include <stdio.h>

typedef struct file {
    unsigned char bytes[8192];
    size_t length;
} file;

static void add_bytes(png_structp png, png_bytep bytes, size_t length) {
    file *f = png_get_io_ptr(png);
    assert_in_range(f->length + length, 0, sizeof f->bytes);
    memcpy(f->bytes + f->length, bytes, length);
    f->length += length;
}

/* A file of this kind, of rows as PNG has them. interlaced: by Adam7. */
static void write_png(file *f, uint32_t width, uint32_t height, int depth, int colours,
                      bool interlaced, const unsigned char *rows, size_t stride) {
    static const png_color palette[] = {{10, 20, 30}, {40, 50, 60}};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    f->length = 0;
    png_set_write_fn(png, f, add_bytes, NULL);
    png_set_IHDR(png, info, width, height, depth, colours,
                 interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_BASE,
                 PNG_FILTER_TYPE_BASE);
    if (colours == PNG_COLOR_TYPE_PALETTE) {
        png_set_PLTE(png, info, palette, 2);
        png_set_check_for_invalid_index(png, 0);
    }
    png_write_info(png, info);
    for (int passes = png_set_interlace_handling(png); passes > 0; passes--)
        for (uint32_t y = 0; y < height; y++)
            png_write_row(png, rows + y * stride);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
}

/* Reads one row of these pixels, and has these traits. */
static void check(const file *f, unsigned traits, unsigned channels, const void *pixels,
                  size_t length) {
    image p;
    if (!image_read(f->bytes, f->length, 0, &p))
        fail_msg("%s", p.message);
    assert_int_equal(p.channels, channels);
    assert_int_equal(p.traits, traits);
    assert_memory_equal(p.pixels, pixels, length);
    image_free(&p);
}

static void palette_indices_become_colours(void **state) {
    (void)state;
    file f;
    write_png(&f, 3, 1, 8, PNG_COLOR_TYPE_PALETTE, false, (const unsigned char *)"\1\0\1", 3);
    check(&f, IMAGE_PALETTE, 3, "\x28\x32\x3c\x0a\x14\x1e\x28\x32\x3c", 9);
}

static void alpha_is_dropped_and_not_applied(void **state) {
    (void)state;
    file f;
    write_png(&f, 2, 1, 8, PNG_COLOR_TYPE_GRAY_ALPHA, false, (const unsigned char *)"\7\0\x9\x80",
              4);
    check(&f, IMAGE_ALPHA, 1, "\7\x9", 2);
    write_png(&f, 1, 1, 8, PNG_COLOR_TYPE_RGB_ALPHA, false, (const unsigned char *)"\1\2\3\0", 4);
    check(&f, IMAGE_ALPHA, 3, "\1\2\3", 3);
}

static void samples_of_16_bits_keep_their_high_byte(void **state) {
    (void)state;
    file f;
    write_png(&f, 2, 1, 16, PNG_COLOR_TYPE_GRAY, false, (const unsigned char *)"\1\xff\xff\0", 4);
    check(&f, IMAGE_WIDE, 1, "\1\xff", 2);
}

/* ---- label maps ---- */

static void check_labels(const file *f, unsigned traits, const void *numbers, size_t length) {
    image p;
    assert_true(image_labels_header(f->bytes, f->length, &p) && p.stored == 1 && !p.pixels);
    if (!image_labels_read(f->bytes, f->length, NULL, &p))
        fail_msg("%s", p.message);
    assert_true(p.channels == 1 && p.traits == traits && !p.message[0]);
    assert_memory_equal(p.pixels, numbers, length);
    image_free(&p);
}

static void class_numbers_are_those_that_are_stored(void **state) {
    (void)state;
    static const unsigned char bytes[] = {7, 255, 0};
    file f;
    write_png(&f, 3, 1, 8, PNG_COLOR_TYPE_GRAY, false, bytes, 3);
    check_labels(&f, 0, bytes, 3);
    for (int interlaced = 0; interlaced < 2; interlaced++) { /* past the palette, too */
        write_png(&f, 3, 1, 8, PNG_COLOR_TYPE_PALETTE, interlaced, bytes, 3);
        check_labels(&f, 0, bytes, 3);
    }
    for (int depth = 1; depth < 8; depth *= 2) { /* 1, 0, 1 from the left */
        unsigned char row[] = {(unsigned char)(1u << (8 - depth)), 0};
        row[2 * depth / 8] |= (unsigned char)(1u << (8 - depth - 2 * depth % 8));
        write_png(&f, 3, 1, depth, PNG_COLOR_TYPE_GRAY, false, row, 2);
        check_labels(&f, IMAGE_NARROW, "\1\0\1", 3);
        write_png(&f, 3, 1, depth, PNG_COLOR_TYPE_PALETTE, false, row, 2);
        check_labels(&f, 0, "\1\0\1", 3);
    }
}

static void what_is_no_map_of_bytes_is_refused(void **state) {
    (void)state;
    static const struct {
        int depth, colours;
        const char *why;
    } bad[] = {{8, PNG_COLOR_TYPE_RGB, "the file has RGB pixels"},
               {16, PNG_COLOR_TYPE_RGB, "the file has RGB pixels"},
               {8, PNG_COLOR_TYPE_GRAY_ALPHA, "the file has grey pixels with alpha"},
               {8, PNG_COLOR_TYPE_RGB_ALPHA, "the file has RGB pixels with alpha"},
               {16, PNG_COLOR_TYPE_GRAY, "at most 8 bits in a pixel; the file has 16"}};
    static const unsigned char zeros[16];
    image p;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        file f;
        write_png(&f, 2, 1, bad[i].depth, bad[i].colours, false, zeros, 16);
        assert_false(image_labels_header(f.bytes, f.length, &p));
        assert_non_null(strstr(p.message, bad[i].why));
        assert_false(image_labels_read(f.bytes, f.length, NULL, &p) || p.pixels);
    }
    assert_false(image_labels_read((const unsigned char *)"\xff\xd8\xff", 3, NULL, &p));
    assert_string_equal(p.message, "a label map must be a PNG file; the file is JPEG");
    assert_false(image_labels_header((const unsigned char *)"GIF89a", 6, &p));
    assert_string_equal(p.message,
                        "a label map must be a PNG file; the file is neither PNG nor JPEG");
}

static void samples_of_fewer_bits_are_spread_to_255(void **state) {
    (void)state;
    file f;
    write_png(&f, 8, 1, 1, PNG_COLOR_TYPE_GRAY, false, (const unsigned char *)"\xa0", 1);
    check(&f, 0, 1, "\xff\0\xff\0\0\0\0\0", 8);
    write_png(&f, 4, 1, 2, PNG_COLOR_TYPE_GRAY, false, (const unsigned char *)"\x1b", 1);
    check(&f, 0, 1, "\0\x55\xaa\xff", 4);
}

static void interlaced_pixels_are_the_same(void **state) {
    (void)state;
    unsigned char pixels[13 * 11];
    file f;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (unsigned char)(i * 31);
    write_png(&f, 13, 11, 8, PNG_COLOR_TYPE_GRAY, true, pixels, 13);
    check(&f, 0, 1, pixels, sizeof pixels);
}

static void a_damaged_file_is_refused_in_the_words_of_libpng(void **state) {
    (void)state;
    unsigned char pixels[64] = {1, 2, 3};
    file f;
    image p;
    write_png(&f, 8, 8, 8, PNG_COLOR_TYPE_GRAY, false, pixels, 8);
    f.bytes[f.length - 13] ^= 1; /* the checksum of IDAT */
    assert_false(image_read(f.bytes, f.length, 0, &p));
    assert_string_equal(p.message, "libpng: IDAT: CRC error");
    assert_null(p.pixels);
}

static void a_truncated_file_is_told_with_its_length(void **state) {
    (void)state;
    unsigned char pixels[64] = {1, 2, 3};
    file f;
    image p;
    write_png(&f, 8, 8, 8, PNG_COLOR_TYPE_GRAY, false, pixels, 8);
    assert_false(image_read(f.bytes, 40, 0, &p));
    assert_string_equal(p.message, "the file is truncated after 40 bytes");
}

static void pixels_of_a_png_are_those_that_went_in(void **state) {
    (void)state;
    unsigned char pixels[6 * 5 * 3];
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (unsigned char)(i * 37);
    for (unsigned channels = 1; channels <= 3; channels += 2) {
        unsigned char written[500];
        size_t all = (size_t)png_plain_length(6, 5, channels);
        image p;
        assert_in_range(all, 1, sizeof written);
        png_plain(6, 5, channels, pixels, written);
        assert_true(image_read(written, all, 0, &p));
        assert_true(p.width == 6 && p.height == 5 && p.channels == channels);
        assert_memory_equal(p.pixels, pixels, 30 * channels);
        image_free(&p);
        /* libpng does not miss the last chunk, which says that it is the last, nor a sum before it
         */
        for (size_t length = 0; length + 20 < all; length++) {
            assert_false(image_read(written, length, 0, &p));
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
        unsigned char *pixels = malloc(bytes), *written = malloc(length + 1);
        image p;
        for (size_t b = 0; b < bytes; b++)
            pixels[b] = (unsigned char)(unit_random(&random) >> 56);
        written[length] = 77;
        png_plain(width, height, sizes[i].channels, pixels, written);
        assert_int_equal(written[length], 77);
        assert_memory_equal(written + length - 8, "IEND\xae\x42\x60\x82", 8);
        assert_true(image_read(written, length, 0, &p));
        assert_true(p.width == width && p.height == height);
        if (p.channels == sizes[i].channels) /* alpha is dropped */
            assert_memory_equal(p.pixels, pixels, bytes);
        else
            assert_true(p.channels == 3 && sizes[i].channels == 4);
        image_free(&p);
        free(pixels);
        free(written);
    }
}

RUN(T(class_numbers_are_those_that_are_stored), T(what_is_no_map_of_bytes_is_refused),
    T(palette_indices_become_colours), T(alpha_is_dropped_and_not_applied),
    T(samples_of_16_bits_keep_their_high_byte), T(samples_of_fewer_bits_are_spread_to_255),
    T(interlaced_pixels_are_the_same), T(a_damaged_file_is_refused_in_the_words_of_libpng),
    T(a_truncated_file_is_told_with_its_length), T(pixels_of_a_png_are_those_that_went_in),
    T(a_plain_png_is_as_long_as_told_whatever_its_size))
