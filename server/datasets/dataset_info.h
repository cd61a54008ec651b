/*
 * dataset_info.h - `fmixd info`: what a data set is, in lines for people
 */
#ifndef DATASET_INFO_H
#define DATASET_INFO_H

#include "dataset.h"

/* Prints a set that is open. */
void dataset_info_print(const dataset *d, FILE *out);

/* "bytes 0 to 1048575 of data.bin (rows 0 to 20)". first, end: bytes of a file, numbered as in
 * dataset_part.h. */
#define DATASET_RANGE 140 /* bytes of the text, with its end */
void dataset_info_range(const dataset *d, unsigned file, uint64_t first, uint64_t end,
                        char out[DATASET_RANGE]);

#endif
