/*
 * dataset_picture.h - a row of an image set: where its bytes lie, and its sides; and the same of
 * the label map that is a dense target of the row
 *
 * index.bin has an entry for each row, of little-endian numbers: the offset (u64) and length (u64)
 * of the picture in its file, its height (u32) and its width (u32). The bytes are those of a PNG or
 * JPEG file, or height x width x channels samples. Those of a label map have one channel, of which
 * values are class numbers: in a PNG file, the palette indices or grey values as they are stored.
 */
#ifndef DATASET_PICTURE_H
#define DATASET_PICTURE_H

#include "dataset.h"

#define DATASET_PICTURE_ENTRY 24         /* bytes of an entry */
#define DATASET_PICTURE_BYTES (1u << 30) /* the most of one picture */

typedef struct dataset_picture {
    const unsigned char *bytes; /* in the file of the array */
    uint64_t length;
    uint32_t height, width;
} dataset_picture;

/* False: the index is damaged. A picture that is found has at least one byte, lies within data.bin
 * and within the limits of image.h; stored samples are as many as its sides say. */
bool dataset_picture_of(const dataset *d, uint64_t row, dataset_picture *out);

/* The same of an array of the set: x, or a dense target, whose pictures have the sides of those of
 * x. */
bool dataset_picture_in(const dataset *d, const dataset_array *a, uint64_t row,
                        dataset_picture *out);

/* The row that a byte of the file of an array belongs to. */
uint64_t dataset_picture_at(const dataset_array *a, uint64_t at);

/* Where the rows of an array that cannot be decoded are noted. */
dataset_unusable *dataset_unusable_of(dataset *d, const dataset_array *a);

/* Notes that the picture of a row cannot be decoded. Returns true if that was not known. */
bool dataset_unusable_note(dataset_unusable *u, uint64_t row);
bool dataset_unusable_has(const dataset_unusable *u, uint64_t row);

/* Writes an entry of the index. */
void dataset_picture_entry(uint64_t offset, uint64_t length, uint32_t height, uint32_t width,
                           unsigned char out[DATASET_PICTURE_ENTRY]);

/* The byte behind the picture of an entry. */
uint64_t dataset_picture_end(const unsigned char entry[DATASET_PICTURE_ENTRY]);

/* The channels of all pictures of an array, or of x: 1 or 3. */
unsigned dataset_array_pixels(const dataset_array *a);
unsigned dataset_picture_channels(const dataset *d);

#endif
