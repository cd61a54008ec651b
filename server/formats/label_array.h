/*
 * label_array.h - arrays of labels, of whatever type and shape people have them in
 *
 *   [n] of integers, or of floats that are whole    class numbers
 *   [n, 1] of integers                              class numbers
 *   [n, 1] of floats or bools                       class numbers, or rows of one class: how many
 *                                                   classes there are must be told (of an upload
 *                                                   labels.c tells one)
 *   [n, k] of floats                                rows of weights
 *   [n, k] of integers or bools, all of them 0 or 1 rows of weights (one-hot or multi-hot)
 *
 * The rest is refused. Which of them an array is hangs on its type, its shape and what is told,
 * never on its values: batches of one source are read alike.
 */
#ifndef LABEL_ARRAY_H
#define LABEL_ARRAY_H

#include "upload.h"

typedef struct label {
    const array *from;
    bool numbers;           /* class numbers; else rows, a weight for each class */
    bool native;            /* the elements are in the machine's order, else little-endian */
    uint64_t rows, classes; /* classes 0: of numbers, not known yet */
} label;

/* Whether an array of this name is one of labels: y, y.NAME, y2 or y2.NAME. */
bool label_named(const char *name);

/* By type and shape. classes: as told, 0 where it is not. False: explained. */
bool label_kind(const array *y, uint64_t rows, uint64_t classes, label *out, problem *p);

/* Looks at all values; classes that are not known become one more than the largest number. */
bool label_check(label *l, problem *p);

/* Of one that was checked: a row's class number, or the element of a row of weights. */
uint32_t label_number(const label *l, uint64_t row);
float label_weight(const label *l, uint64_t element);

/* The same of all of them. */
void label_numbers(const label *l, int32_t *out);
void label_weights(const label *l, float *out);

#endif
