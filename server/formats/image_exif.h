/*
 * image_exif.h - whether a JPEG or PNG file asks to be turned before it is shown
 */
#ifndef IMAGE_EXIF_H
#define IMAGE_EXIF_H

#include <stdbool.h>
#include <stddef.h>

/* The orientation that a JPEG or PNG file names (Exif tag 0x0112): 1 to 8, of which 1 is upright; 1
 * where it names none that can be read. */
unsigned image_exif_orientation(const unsigned char *bytes, size_t length);

#endif
