/*
 * uploaded.h - plain PNG files, and queries of views, for tests of uploads
 */
#ifndef UPLOADED_H
#define UPLOADED_H

#include "formats/picture.h"
#include "formats/png_plain.h"

#define UPLOADED_ELEMENTS 4096

typedef struct png_file {
    unsigned char bytes[1024];
    size_t length;
} png_file;

/* A picture of height x width whose samples are from, from+1, from+2 … */
static inline png_file png_of(uint64_t height, uint64_t width, unsigned channels, unsigned from) {
    unsigned char pixels[512];
    png_file f = {.length = (size_t)png_plain_length(width, height, channels)};
    assert_true(f.length <= sizeof f.bytes && height * width * channels <= sizeof pixels);
    for (unsigned i = 0; i < height * width * channels; i++)
        pixels[i] = (unsigned char)(from + i);
    png_plain(width, height, channels, pixels, f.bytes);
    return f;
}

/* A query of name, value, name, value … NULL. */
static inline query query_of(const char *const *pairs) {
    query q;
    problem p = {0};
    query_init(&q);
    for (; *pairs; pairs += 2)
        query_take(&q, ~0u, pairs[0], strlen(pairs[0]), pairs[1], strlen(pairs[1]), &p);
    assert_int_equal(p.status, 0);
    return q;
}
#define QUERY(...) query_of((const char *const[]){__VA_ARGS__, NULL})

#endif
