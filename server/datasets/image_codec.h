/*
 * image_codec.h - what reads one kind of picture: image_png.c and image_jpeg.c
 */
#ifndef IMAGE_CODEC_H
#define IMAGE_CODEC_H

#include "image.h"

/* What a codec is asked for. */
typedef struct image_order {
    const unsigned char *bytes;
    size_t length;
    bool pixels;       /* else the header alone */
    unsigned channels; /* that will be asked for: 0, 1 or 3 */
} image_order;

/* Fills *out, which is empty: pixels have the channels that are stored, in room enough for those
 * that are asked for. False: out->words says why, and who calls frees the pixels. */
bool image_png(const image_order *order, image *out);
bool image_jpeg(const image_order *order, image *out);

/* Room for pixels whose sides and stored channels are known, or for none where none are asked for.
 * False: too many of them, or no memory; out->words says which. */
bool image_room(const image_order *order, image *out);

#endif
