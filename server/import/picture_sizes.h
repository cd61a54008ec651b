/*
 * picture_sizes.h - how the sizes of pictures are spread
 */
#ifndef PICTURE_SIZES_H
#define PICTURE_SIZES_H

#include "picture_job.h"

#include <stdio.h>

typedef struct picture_sizes {
    uint64_t count, colour, grey;            /* of pictures that can be used */
    picture_look first, least, most, median; /* by area */
    bool differ;
} picture_sizes;

/* looks: picture_look of each picture, in a file open for reading and writing. False: errno says
 * why. */
bool picture_sizes_find(FILE *looks, picture_sizes *out);

/* Writes how large the pictures are, and how many have colours. images: each has a size of its own.
 */
#define PICTURE_SIZES_TEXT 160
void picture_sizes_text(const picture_sizes *s, bool images, char out[PICTURE_SIZES_TEXT]);

#endif
