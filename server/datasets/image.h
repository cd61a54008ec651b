/*
 * picture.h - PNG and JPEG files into pixels
 *
 * Pixels are the samples that a file stores: gamma, colour profiles and orientation are not
 * applied, alpha and transparent colours are dropped, 16 bits keep the high byte, palettes are
 * looked up.
 */
#ifndef PICTURE_H
#define PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Checked before anything is allocated. A progressive JPEG takes up to three times its pixels. */
#define PICTURE_SIDE   65535u
#define PICTURE_PIXELS (1u << 26)
#define PICTURE_WORDS  240

/* What pixels do not keep of a file. */
typedef enum picture_trait {
    PICTURE_PALETTE = 1 << 0,
    PICTURE_ALPHA = 1 << 1, /* or a transparent colour */
    PICTURE_WIDE = 1 << 2,  /* 16 bits a sample */
    PICTURE_CMYK = 1 << 3,  /* or YCCK */
} picture_trait;

#define PICTURE_TRAITS 4

typedef struct picture {
    uint32_t width, height;
    unsigned stored;   /* channels of the file: 1 grey, 3 colour */
    unsigned channels; /* of the pixels: 1 grey, 3 RGB */
    unsigned traits;
    unsigned char *pixels;
    char words[PICTURE_WORDS]; /* why it is not read; or the first warning, if there is one */
} picture;

/* The header of a whole file, told by its first bytes: all but pixels and channels. False:
 * out->words says why not. */
bool picture_look(const unsigned char *bytes, size_t length, picture *out);

/* The pixels, too. Channels 0: as many as are stored; 1 or 3: converted to that. */
bool picture_read(const unsigned char *bytes, size_t length, unsigned channels, picture *out);
void picture_free(picture *p);

#endif
