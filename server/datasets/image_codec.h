/*
 * picture_codec.h - what reads one kind of picture: picture_png.c and picture_jpeg.c
 */
#ifndef PICTURE_CODEC_H
#define PICTURE_CODEC_H

#include "image.h"

/* What a codec is asked for. */
typedef struct picture_order {
    const unsigned char *bytes;
    size_t length;
    bool pixels;       /* else the header alone */
    unsigned channels; /* that will be asked for: 0, 1 or 3 */
} picture_order;

/* Fills *out, which is empty: pixels have the channels that are stored, in room enough for those
 * that are asked for. False: out->words says why, and who calls frees the pixels. */
bool picture_png(const picture_order *order, picture *out);
bool picture_jpeg(const picture_order *order, picture *out);

/* Room for pixels whose sides and stored channels are known, or for none where none are asked for.
 * False: too many of them, or no memory; out->words says which. */
bool picture_room(const picture_order *order, picture *out);

#endif
