/* A png file whose lines are stored in blocks of deflate, each block in a chunk of its own. */
#include "png_plain.h"

#include <libdeflate.h>
#include <stdbool.h>
#include <string.h>

#define STORED_MOST 65535 /* bytes of a stored block of deflate */

enum { SIGNATURE = 8, IHDR = 13, CHUNK = 12, BLOCK = 5, ZLIB_HEAD = 2, ZLIB_SUM = 4 };
enum { GREY = 0, RGB = 2, INDEXED = 3, RGBA = 6 }; /* types of colour */
enum { COLOURS = 256, PALETTE = 3 * COLOURS };

/* Each line follows a byte that says that the line is not filtered. */
static uint64_t plain_bytes(uint64_t width, uint64_t height, unsigned channels) {
    return height * (1 + width * channels);
}

uint64_t png_plain_length(uint64_t width, uint64_t height, unsigned channels) {
    uint64_t bytes = plain_bytes(width, height, channels);
    uint64_t blocks = (bytes + STORED_MOST - 1) / STORED_MOST;
    return SIGNATURE + CHUNK + IHDR + ZLIB_HEAD + blocks * (CHUNK + BLOCK) + bytes + ZLIB_SUM +
           CHUNK;
}

static unsigned char *put(unsigned char *at, uint64_t value) {
    for (int i = 0; i < 4; i++)
        *at++ = (unsigned char)(value >> (24 - 8 * i));
    return at;
}

static unsigned char *open_chunk(unsigned char *at, const char *type, uint64_t length) {
    return (unsigned char *)memcpy(put(at, length), type, 4) + 4;
}

static unsigned char *close_chunk(unsigned char *at, uint64_t length) {
    return put(at, libdeflate_crc32(0, at - length - 4, (size_t)length + 4));
}

static unsigned char *put_head(unsigned char *at, uint64_t width, uint64_t height,
                               unsigned char colour) {
    const unsigned char rest[] = {8, colour, 0, 0, 0};
    at = open_chunk((unsigned char *)memcpy(at, "\x89PNG\r\n\x1a\n", SIGNATURE) + SIGNATURE, "IHDR",
                    IHDR);
    at = (unsigned char *)memcpy(put(put(at, width), height), rest, sizeof rest) + sizeof rest;
    return close_chunk(at, IHDR);
}

/* Copies bytes first … first+n-1 of the lines, which have `line` bytes each. */
static void put_lines(const unsigned char *pixels, uint64_t line, uint64_t first, uint64_t n,
                      unsigned char *at) {
    for (uint64_t done = 0, some; done < n; done += some) {
        uint64_t row = (first + done) / line, column = (first + done) % line;
        some = column == 0 ? 1 : line - column < n - done ? line - column : n - done;
        if (column == 0)
            at[done] = 0;
        else
            memcpy(at + done, pixels + row * (line - 1) + column - 1, (size_t)some);
    }
}

/* The bits of a class number, from the lowest on, go to red, green and blue in turn, where they
 * fill a byte from its highest bit down. */
static unsigned char *put_palette(unsigned char *at) {
    at = open_chunk(at, "PLTE", PALETTE);
    memset(at, 0, PALETTE);
    for (unsigned number = 0; number < COLOURS; number++)
        for (unsigned bit = 0; bit < 8; bit++)
            at[3 * number + bit % 3] |= (unsigned char)((number >> bit & 1) << (7 - bit / 3));
    return close_chunk(at + PALETTE, PALETTE);
}

/* The pixels, and the end of the file. */
static void put_pixels(uint64_t width, uint64_t height, unsigned channels,
                       const unsigned char *pixels, unsigned char *at) {
    uint64_t line = 1 + width * channels, bytes = plain_bytes(width, height, channels);
    uint32_t sum = 1;
    for (uint64_t first = 0, n; first < bytes; first += n) {
        n = bytes - first < STORED_MOST ? bytes - first : STORED_MOST;
        bool last = first + n == bytes;
        uint64_t length = BLOCK + n + (first ? 0 : ZLIB_HEAD) + (last ? ZLIB_SUM : 0);
        at = open_chunk(at, "IDAT", length);
        if (first == 0)
            at = (unsigned char *)memcpy(at, "\x78\x01", ZLIB_HEAD) + ZLIB_HEAD;
        const unsigned char block[] = {last, (unsigned char)n, (unsigned char)(n >> 8),
                                       (unsigned char)~n, (unsigned char)(~n >> 8)};
        at = (unsigned char *)memcpy(at, block, BLOCK) + BLOCK;
        put_lines(pixels, line, first, n, at);
        sum = libdeflate_adler32(sum, at, (size_t)n);
        at = last ? put(at + n, sum) : at + n;
        at = close_chunk(at, length);
    }
    close_chunk(open_chunk(at, "IEND", 0), 0);
}

void png_plain(uint64_t width, uint64_t height, unsigned channels, const unsigned char *pixels,
               unsigned char *out) {
    static const unsigned char colours[] = {[1] = GREY, [3] = RGB, [4] = RGBA};
    put_pixels(width, height, channels, pixels, put_head(out, width, height, colours[channels]));
}

uint64_t png_indices_length(uint64_t width, uint64_t height) {
    return png_plain_length(width, height, 1) + CHUNK + PALETTE;
}

void png_indices(uint64_t width, uint64_t height, const unsigned char *numbers,
                 unsigned char *out) {
    put_pixels(width, height, 1, numbers, put_palette(put_head(out, width, height, INDEXED)));
}
