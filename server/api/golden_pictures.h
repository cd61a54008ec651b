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

/* False: the reader gives other samples than the golden ones, as is explained on `errors`. */
bool golden_pictures_check(picture_reader *read, FILE *errors);

#endif
