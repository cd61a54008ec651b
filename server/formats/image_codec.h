/*
 * image_codec.h - the decoders of one file format each: image_png.c and image_jpeg.c
 */
#ifndef IMAGE_CODEC_H
#define IMAGE_CODEC_H

#include "image.h"

typedef struct image_request {
    const unsigned char *bytes;
    size_t length;
    bool pixels;       /* read the pixels; else the header alone */
    uint32_t rows;     /* how many of them are enough */
    unsigned channels; /* that pixels are converted to afterwards: 0 (not at all), 1 or 3 */
} image_request;

/* Fill *out, which is empty. Pixels have the channels that the file stores, in memory that also
 * suffices for the channels of the request. False: out->message says why, and the caller frees the
 * pixels. */
bool image_png(const image_request *order, image *out);
bool image_jpeg(const image_request *order, image *out);

/* Checks the sides in *out, and allocates the rows that are enough if the request asks for pixels.
 * False: the image is too large, or no memory; out->message says which. */
bool image_allocate(const image_request *order, image *out);

#endif
