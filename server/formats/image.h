/*
 * image.h - decodes PNG and JPEG files
 *
 * Pixels are the samples that a file stores: gamma, colour profiles and orientation are not
 * applied, alpha and transparent colours are dropped, samples of 16 bits keep the high byte, and
 * palette indices become colours.
 *
 * A label map is a PNG file of class numbers: palette indices, or grey values, of 1, 2, 4 or 8
 * bits. They are read as they are stored, whatever the palette.
 */
#ifndef IMAGE_H
#define IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Limits, checked before anything is allocated. Decoding a progressive JPEG takes up to three times
 * the memory of its pixels. */
#define IMAGE_SIDE    65535u
#define IMAGE_PIXELS  (1u << 26)
#define IMAGE_MESSAGE 240

/* What a file has that its pixels do not keep. */
typedef enum image_trait {
    IMAGE_PALETTE = 1 << 0,
    IMAGE_ALPHA = 1 << 1,  /* or a transparent colour */
    IMAGE_WIDE = 1 << 2,   /* 16 bits per sample */
    IMAGE_CMYK = 1 << 3,   /* or YCCK */
    IMAGE_TURNED = 1 << 4, /* an orientation other than upright (Exif) */
    IMAGE_NARROW = 1 << 5  /* a label map of grey values of less than 8 bits */
} image_trait;

#define IMAGE_TRAITS 6

/* Some rows and columns of a picture. */
typedef struct image_part {
    uint32_t top, left, height, width;
} image_part;

typedef struct image {
    uint32_t width, height;
    unsigned stored;   /* channels of the file: 1 grey, 3 colour */
    unsigned channels; /* of the pixels: 1 grey, 3 RGB */
    unsigned traits;
    image_part part; /* where the pixels are in the picture: all of it, if image_read reads them */
    unsigned char *pixels;
    bool starved;                /* not read, for want of memory; the file may be good */
    char message[IMAGE_MESSAGE]; /* why the file is not read; or the first warning, or empty */
} image;

/* "PNG" or "JPEG", by the first bytes of a file. NULL: neither. */
const char *image_kind(const unsigned char *bytes, size_t length);

/* Returns true if the sides, which may be any, exceed the limits. */
bool image_is_large(const image *p);

/* Bytes that decoding takes at most, with the pixels. */
uint64_t image_memory(const image *p);

/* Reads the header of a file, of which all bytes must be there: everything but pixels and channels.
 * False: out->message says why not. */
bool image_header(const unsigned char *bytes, size_t length, image *out);

/* Reads the pixels, too. channels: 0 for as many as the file stores; 1 or 3 to convert. */
bool image_read(const unsigned char *bytes, size_t length, unsigned channels, image *out);

/* The same, but no more than it takes for the pixels of a part: out->part is that part with some
 * pixels around it, or all of the picture if the part is not in it. Errors and warnings behind the
 * part may be missed. */
bool image_read_part(const unsigned char *bytes, size_t length, unsigned channels,
                     const image_part *part, image *out);

/* The same for a label map: pixels are class numbers, in one channel. */
bool image_labels_header(const unsigned char *bytes, size_t length, image *out);
bool image_labels_read(const unsigned char *bytes, size_t length, const image_part *part,
                       image *out);
void image_free(image *p);

#endif
