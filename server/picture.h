/*
 * picture.h - PNG and JPEG files into pixels: libpng and libturbojpeg
 */
#ifndef PICTURE_H
#define PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PICTURE_SIDE 16384 /* the longest that is read */

typedef struct picture {
    uint32_t width, height;
    unsigned channels; /* 1 grey, 3 RGB */
    unsigned char *pixels;
} picture;

/* From a whole file, by its first bytes. Channels 0: grey where the file is, else RGB; 1 or 3:
 * that. Alpha is dropped over black. NULL, or why not. */
const char *picture_read(const unsigned char *bytes, size_t length, unsigned channels,
                         picture *out);
void picture_free(picture *p);

#endif
