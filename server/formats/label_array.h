/*
 * label_array.h - arrays of labels, in the types and shapes that people use
 *
 *   [n] of integers, or of floats that are whole    class numbers
 *   [n, 1] of integers                              class numbers
 *   [n, 1] of floats or bools                       class numbers, or rows of one class: the
 *                                                   number of classes decides, and is required
 *                                                   (for an upload, labels.c assumes one)
 *   [n, k] of floats                                rows of weights
 *   [n, k] of integers or bools, all of them 0 or 1 rows of weights (one-hot or multi-hot)
 *   [n] of floats, where the reader says so         values to predict
 *
 * Other arrays are refused. The reading of an array depends on its type, its shape and the number
 * of classes, and never on its values, so that all batches of a source are read alike.
 */
#ifndef LABEL_ARRAY_H
#define LABEL_ARRAY_H

#include "upload.h"

typedef struct label {
    const array *from;
    bool numbers;           /* class numbers; else rows with a weight for each class ... */
    bool values;            /* ... or values to predict, which read as weights of one class */
    bool native;            /* the elements are in the machine's order, else little-endian */
    uint64_t rows, classes; /* classes 0: the number of classes is not known yet */
} label;

/* Returns true if the name is that of labels: y, y.NAME, y2 or y2.NAME. */
bool label_named(const char *name);

/* Decides by type and shape. classes: 0 if the number is not given. False: explained. */
bool label_kind(const array *y, uint64_t rows, uint64_t classes, label *out, problem *p);

/* Checks all values. An unknown number of classes becomes one more than the largest number. */
bool label_check(label *l, problem *p);

/* Of checked labels: a row's class number, or an element of the rows of weights. */
uint32_t label_number(const label *l, uint64_t row);
float label_weight(const label *l, uint64_t element);

/* All class numbers, or all weights, of checked labels. */
void label_numbers(const label *l, int32_t *out);
void label_weights(const label *l, float *out);

#endif
