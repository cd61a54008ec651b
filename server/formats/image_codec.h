/*
 * image_codec.h - the decoders of one file format each: image_png.c and image_jpeg.c
 */
#ifndef IMAGE_CODEC_H
#define IMAGE_CODEC_H

#include "image.h"

typedef struct image_request {
    const unsigned char *bytes;
    size_t length;
    bool pixels;            /* read the pixels; else the header alone */
    bool labels;            /* of a label map: values as they are stored */
    unsigned channels;      /* that pixels are converted to afterwards: 0 (not at all), 1 or 3 */
    const image_part *part; /* the pixels that are needed, or NULL: all */
} image_request;

/* Fill *out, which is empty. Pixels have the channels that the file stores, in memory that also
 * suffices for the channels of the request. False: out->message says why, and the caller frees the
 * pixels. */
bool image_png(const image_request *order, image *out);
bool image_jpeg(const image_request *order, image *out);

/* Checks the sides in *out, and makes the part all of the image. False: it is too large, as
 * out->message says. */
bool image_take_sides(image *out);

/* Returns true if a part, which may be NULL, has pixels and all of them are in the image. */
bool image_is_part(const image_part *part, const image *p);

/* Makes the part as many rows from the first on as the request needs, for files whose rows are
 * stored in order. */
void image_take_rows(const image_request *order, image *out);

/* Allocates the pixels of the part in *out. False: no memory, as out->message says. */
bool image_allocate(const image_request *order, image *out);

#endif
