/*
 * png_plain.h - png files that are not compressed
 */
#ifndef PNG_PLAIN_H
#define PNG_PLAIN_H

#include <stdint.h>

/* A png file of width x height pixels of 1, 3 or 4 bytes. The length depends only on the size of
 * the image, and the bytes only on the pixels. */
uint64_t png_plain_length(uint64_t width, uint64_t height, unsigned channels);
void png_plain(uint64_t width, uint64_t height, unsigned channels, const unsigned char *pixels,
               unsigned char *out);

/* The same for an image of class numbers, one byte each, which index a palette: the colours that
 * PASCAL VOC gives to its classes. */
uint64_t png_indices_length(uint64_t width, uint64_t height);
void png_indices(uint64_t width, uint64_t height, const unsigned char *numbers, unsigned char *out);

#endif
