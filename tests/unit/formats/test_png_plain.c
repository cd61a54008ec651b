#include "unit.h"

#include "formats/png_plain.h"

#include <libdeflate.h>

static uint32_t get(const unsigned char *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Joins the IDAT chunks; checks the length, type order and checksum of every chunk. */
static size_t join(const unsigned char *file, size_t length, unsigned char *data) {
    size_t at = 8, joined = 0;
    bool ended = false;
    assert_memory_equal(file, "\x89PNG\r\n\x1a\n", 8);
    assert_memory_equal(file + 12, "IHDR", 4);
    while (at < length) {
        size_t bytes = get(file + at);
        assert_false(ended);
        assert_true(at + 12 + bytes <= length);
        assert_int_equal(get(file + at + 8 + bytes), libdeflate_crc32(0, file + at + 4, bytes + 4));
        if (memcmp(file + at + 4, "IDAT", 4) == 0) {
            memcpy(data + joined, file + at + 8, bytes);
            joined += bytes;
        }
        ended = memcmp(file + at + 4, "IEND", 4) == 0;
        at += 12 + bytes;
    }
    assert_true(ended);
    return joined;
}

static void pixels_come_back(uint64_t width, uint64_t height, unsigned channels) {
    size_t bytes = (size_t)(width * height * channels), line = (size_t)(width * channels);
    size_t length = (size_t)png_plain_length(width, height, channels), made;
    unsigned char *pixels = malloc(bytes), *file = malloc(length), *data = malloc(length);
    unsigned char *lines = malloc(bytes + (size_t)height);
    for (size_t i = 0; i < bytes; i++)
        pixels[i] = (unsigned char)(i * 31 >> 3);
    png_plain(width, height, channels, pixels, file);
    assert_true(get(file + 16) == width && get(file + 20) == height);
    size_t joined = join(file, length, data);
    struct libdeflate_decompressor *inflater = libdeflate_alloc_decompressor();
    assert_int_equal(
        libdeflate_zlib_decompress(inflater, data, joined, lines, bytes + (size_t)height, &made),
        LIBDEFLATE_SUCCESS);
    assert_int_equal(made, bytes + (size_t)height);
    for (size_t y = 0; y < height; y++) {
        assert_int_equal(lines[y * (line + 1)], 0);
        assert_memory_equal(lines + y * (line + 1) + 1, pixels + y * line, line);
    }
    libdeflate_free_decompressor(inflater);
    free(lines);
    free(data);
    free(file);
    free(pixels);
}

static void small_images_come_back_in_every_number_of_channels(void **state) {
    (void)state;
    for (unsigned channels = 1; channels <= 4; channels += channels == 1 ? 2 : 1)
        for (uint64_t width = 1; width < 5; width++)
            for (uint64_t height = 1; height < 5; height++)
                pixels_come_back(width, height, channels);
}

static void images_of_several_blocks_come_back(void **state) {
    (void)state;
    pixels_come_back(300, 300, 4);
    pixels_come_back(65534, 1, 1); /* just one block */
    pixels_come_back(65535, 1, 1); /* a byte more */
    pixels_come_back(1, 65536, 1);
}

static void class_numbers_are_pixels_of_the_colours_of_pascal_voc(void **state) {
    (void)state;
    enum { WIDTH = 20, HEIGHT = 13 };
    static const struct {
        unsigned number;
        unsigned char colour[3];
    } known[] = {{0, {0, 0, 0}},       {1, {128, 0, 0}},      {2, {0, 128, 0}},
                 {7, {128, 128, 128}}, {9, {192, 0, 0}},      {15, {192, 128, 128}},
                 {20, {0, 64, 128}},   {255, {224, 224, 192}}};
    unsigned char numbers[WIDTH * HEIGHT], file[4096], data[4096], lines[HEIGHT * (WIDTH + 1)];
    size_t length = (size_t)png_indices_length(WIDTH, HEIGHT), made;
    for (unsigned i = 0; i < sizeof numbers; i++)
        numbers[i] = (unsigned char)i;
    assert_true(length <= sizeof file);
    png_indices(WIDTH, HEIGHT, numbers, file);
    assert_int_equal(file[25], 3); /* the type of colour */
    assert_memory_equal(file + 37, "PLTE", 4);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_memory_equal(file + 41 + 3 * known[i].number, known[i].colour, 3);
    size_t joined = join(file, length, data);
    struct libdeflate_decompressor *inflater = libdeflate_alloc_decompressor();
    assert_int_equal(libdeflate_zlib_decompress(inflater, data, joined, lines, sizeof lines, &made),
                     LIBDEFLATE_SUCCESS);
    libdeflate_free_decompressor(inflater);
    for (unsigned y = 0; y < HEIGHT; y++)
        assert_memory_equal(lines + y * (WIDTH + 1) + 1, numbers + y * WIDTH, WIDTH);
}

RUN(T(small_images_come_back_in_every_number_of_channels), T(images_of_several_blocks_come_back),
    T(class_numbers_are_pixels_of_the_colours_of_pascal_voc))
