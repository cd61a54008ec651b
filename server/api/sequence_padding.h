/*
 * sequence_padding.h - what stands behind a row that is shorter than the longest of its batch
 * (STREAM §12)
 */
#ifndef SEQUENCE_PADDING_H
#define SEQUENCE_PADDING_H

#include "datasets/dataset.h"

typedef struct sequence_padding {
    size_t size;            /* bytes of an element */
    unsigned char value[8]; /* the element, in the machine's order */
} sequence_padding;

/* The pad_value of the query as an element of prepared rows, which have this type. False,
 * explained: the type does not hold the value. */
bool sequence_padding_begin(sequence_padding *s, const query *q, dtype type, problem *p);

/* Appends elements to each plane of a row: the planes, of `from` bytes each, become `to` bytes
 * long. The row lies at the start of `planes` times `to` bytes. */
void sequence_padding_append(const sequence_padding *s, uint64_t planes, uint64_t from, uint64_t to,
                             unsigned char *row);

#endif
