/*
 * dataset_picture.h - a row of an image set: where its bytes lie, and its sides
 *
 * index.bin has an entry for each row, of little-endian numbers: the offset (u64) and length (u64)
 * of the picture in data.bin, its height (u32) and its width (u32). The bytes are those of a PNG or
 * JPEG file, or height x width x channels samples.
 */
#ifndef DATASET_PICTURE_H
#define DATASET_PICTURE_H

#include "dataset.h"

#define DATASET_PICTURE_ENTRY 24         /* bytes of an entry */
#define DATASET_PICTURE_BYTES (1u << 30) /* the most of one picture */

typedef struct dataset_picture {
    const unsigned char *bytes; /* in data.bin */
    uint64_t length;
    uint32_t height, width;
} dataset_picture;

/* False: the index is damaged. A picture that is found has at least one byte, lies within data.bin
 * and within the limits of image.h; stored samples are as many as its sides say. */
bool dataset_picture_of(const dataset *d, uint64_t row, dataset_picture *out);

/* The row that a byte of data.bin belongs to. */
uint64_t dataset_picture_at(const dataset *d, uint64_t at);

/* Notes that the picture of a row cannot be decoded. Returns true if that was not known. */
bool dataset_unusable_note(dataset_unusable *u, uint64_t row);
bool dataset_unusable_has(const dataset_unusable *u, uint64_t row);

/* Writes an entry of the index. */
void dataset_picture_entry(uint64_t offset, uint64_t length, uint32_t height, uint32_t width,
                           unsigned char out[DATASET_PICTURE_ENTRY]);

/* The channels of all rows, 1 or 3. */
unsigned dataset_picture_channels(const dataset *d);

#endif
