/*
 * heads.h - how an import reads labels: as class numbers, rows of weights, or values to predict
 */
#ifndef HEADS_H
#define HEADS_H

#include "import.h"

/* Checks all labels of so many rows. Fills a label and a name for each head. False: explained. */
bool heads_read(const import *in, const array *const *y, unsigned count, uint64_t rows,
                label *heads, const char **names);

#endif
