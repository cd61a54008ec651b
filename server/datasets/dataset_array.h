/*
 * dataset_array.h - an array of a data set, whose first dimension is that of the rows: the samples,
 * or dense targets
 */
#ifndef DATASET_ARRAY_H
#define DATASET_ARRAY_H

#include "formats/upload.h"
#include "mapped_file.h"

typedef struct dataset_array {
    char name[ARRAY_NAME]; /* "x", "dense" or "dense.NAME" */
    dtype type;
    unsigned rank; /* of a row */
    uint64_t side[QUERY_RANK - 1];
    unsigned layout; /* query_layout; LAYOUT_NONE if rows have one dimension */
    uint64_t row_bytes;
    mapped_file file;
    mapped_file index; /* of pictures: where each lies in the file, and its sides */
} dataset_array;

/* The spatial sides of a row: those without the side of channels. Returns their number. */
unsigned dataset_array_spatial(const dataset_array *a, const uint64_t **sides);

/* The channels of a row; 1 where the layout has none. */
uint64_t dataset_array_channels(const dataset_array *a);

/* Returns true if each row has a length of its own. */
bool dataset_array_is_ragged(const dataset_array *a);

/* The first byte of a row of an array that is not ragged. */
const unsigned char *dataset_array_row(const dataset_array *a, uint64_t row);

/* Returns true if rows of both have the same spatial sides. */
bool dataset_array_fits(const dataset_array *a, const dataset_array *b);

#endif
