/*
 * picture.h - PNG and JPEG files into pixels
 *
 * Pixels are the samples that a file stores: gamma, colour profiles and orientation are not
 * applied, alpha and transparent colours are dropped, 16 bits keep the high byte, palettes are
 * looked up.
 */
#ifndef IMAGE_H
#define IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Checked before anything is allocated. A progressive JPEG takes up to three times its pixels. */
#define IMAGE_SIDE   65535u
#define IMAGE_PIXELS (1u << 26)
#define IMAGE_WORDS  240

/* What pixels do not keep of a file. */
typedef enum image_trait {
    IMAGE_PALETTE = 1 << 0,
    IMAGE_ALPHA = 1 << 1, /* or a transparent colour */
    IMAGE_WIDE = 1 << 2,  /* 16 bits a sample */
    IMAGE_CMYK = 1 << 3,  /* or YCCK */
} image_trait;

#define IMAGE_TRAITS 4

typedef struct image {
    uint32_t width, height;
    unsigned stored;   /* channels of the file: 1 grey, 3 colour */
    unsigned channels; /* of the pixels: 1 grey, 3 RGB */
    unsigned traits;
    unsigned char *pixels;
    char words[IMAGE_WORDS]; /* why it is not read; or the first warning, if there is one */
} image;

/* The header of a whole file, told by its first bytes: all but pixels and channels. False:
 * out->words says why not. */
bool image_look(const unsigned char *bytes, size_t length, image *out);

/* The pixels, too. Channels 0: as many as are stored; 1 or 3: converted to that. */
bool image_read(const unsigned char *bytes, size_t length, unsigned channels, image *out);
void image_free(image *p);

#endif
