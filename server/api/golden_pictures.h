/*
 * golden_pictures.h - small JPEG files that every decoder must decode to the same samples
 *
 * STREAM §9 asks for libjpeg-turbo's samples. A fork, another version or a broken build may give
 * others, and then image sets must not be served.
 */
#ifndef GOLDEN_PICTURES_H
#define GOLDEN_PICTURES_H

#include "formats/image.h"

#include <stdio.h>

/* As image_read. */
typedef bool picture_reader(const unsigned char *bytes, size_t length, unsigned channels,
                            image *out);

typedef enum golden_pictures {
    GOLDEN_PICTURES_GOOD,
    GOLDEN_PICTURES_OTHER,   /* the reader gives other samples, or refuses a file */
    GOLDEN_PICTURES_STARVED, /* there was no memory to tell */
} golden_pictures;

/* image_read, and then image_read_part for each quarter: false where these have other samples. */
picture_reader golden_pictures_read;

/* All but GOOD is explained on `errors`. */
golden_pictures golden_pictures_check(picture_reader *read, FILE *errors);

#endif
