#include "unit.h"

#include "formats/image_exif.h"

#include <string.h>

/* A JPEG file that begins with a comment and a segment of Exif, in both orders of bytes. */
static const unsigned char little[] = {
    0xff, 0xd8, 0xff, 0xfe, 0, 3, 'x', 0xff, 0xe1, 0, 36, 'E',  'x',  'i',  'f', 0,
    0,    'I',  'I',  42,   0, 8, 0,   0,    0,    1, 0,  0x12, 0x01, 3,    0,   1,
    0,    0,    0,    6,    0, 0, 0,   0,    0,    0, 0,  0,    0,    0xff, 0xda};
static const unsigned char big[] = {
    0xff, 0xd8, 0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0,    8,
    0,    1,    0x01, 0x12, 0, 3,  0,   0,   0,   1,   0, 3, 0,   0,   0, 0,  0, 0, 0xff, 0xda};

static void the_orientation_is_found_in_either_order_of_bytes(void **state) {
    (void)state;
    assert_int_equal(image_exif_orientation(little, sizeof little), 6);
    assert_int_equal(image_exif_orientation(big, sizeof big), 3);
}

/* A PNG file of an empty IHDR and IDAT, and an eXIf behind them; sums are left out. */
static const unsigned char png[] = {
    0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0,   0,   0, 0, 'I', 'H', 'D', 'R',  0, 0,
    0,    0,   0,   0,   0,    0,    'I',  'D',  'A', 'T', 0, 0, 0,   0,   0,   0,    0, 26,
    'e',  'X', 'I', 'f', 'M',  'M',  0,    42,   0,   0,   0, 8, 0,   1,   1,   0x12, 0, 3,
    0,    0,   0,   1,   0,    8,    0,    0,    0,   0,   0, 0, 0,   0,   0,   0};

static void the_orientation_of_png_is_that_of_its_chunk(void **state) {
    (void)state;
    assert_int_equal(image_exif_orientation(png, sizeof png), 8);
}

static void files_without_one_are_upright(void **state) {
    (void)state;
    static const unsigned char plain[] = {0xff, 0xd8, 0xff, 0xda, 0, 2};
    unsigned char other[sizeof little];
    assert_int_equal(image_exif_orientation(plain, sizeof plain), 1);
    assert_int_equal(image_exif_orientation((const unsigned char *)"\x89PNG", 4), 1);
    assert_int_equal(image_exif_orientation(plain, 0), 1);
    memcpy(other, little, sizeof other);
    other[35] = 9; /* 1 to 8 alone */
    assert_int_equal(image_exif_orientation(other, sizeof other), 1);
    other[35] = 6;
    other[29] = 4; /* of another type */
    assert_int_equal(image_exif_orientation(other, sizeof other), 1);
}

static void every_shorter_file_is_upright(const unsigned char *file, size_t size) {
    for (size_t length = 0; length < size; length++) {
        unsigned char *copy = malloc(length + 1);
        memcpy(copy, file, length);
        assert_int_equal(image_exif_orientation(copy, length), 1);
        free(copy);
    }
}

static void every_byte_may_be_another(const unsigned char *file, size_t size) {
    unsigned char other[sizeof png];
    assert_true(size <= sizeof other);
    for (size_t i = 0; i < size; i++)
        for (unsigned value = 0; value < 256; value++) {
            memcpy(other, file, size);
            other[i] = (unsigned char)value;
            unsigned found = image_exif_orientation(other, size);
            assert_true(found >= 1 && found <= 8);
        }
}

/* Nor is a byte behind the end read, as the sanitizers would see. */
static void a_file_that_ends_anywhere_is_upright(void **state) {
    (void)state;
    every_shorter_file_is_upright(big, sizeof big - 2);
    every_shorter_file_is_upright(png, sizeof png);
}

static void any_byte_may_be_another(void **state) {
    (void)state;
    every_byte_may_be_another(little, sizeof little);
    every_byte_may_be_another(png, sizeof png);
}

RUN(T(the_orientation_is_found_in_either_order_of_bytes),
    T(the_orientation_of_png_is_that_of_its_chunk), T(files_without_one_are_upright),
    T(a_file_that_ends_anywhere_is_upright), T(any_byte_may_be_another))
