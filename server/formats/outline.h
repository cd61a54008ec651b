/*
 * outline.h - the segments of an answer whose length is known before it is computed
 */
#ifndef OUTLINE_H
#define OUTLINE_H

#include "base/buffer.h"
#include "tensor/tensor_source.h"

#include <stdbool.h>

#define OUTLINE_SEGMENTS (SOURCE_TENSORS + 1)

/* A literal, or a whole tensor. */
typedef struct segment {
    buffer literal;
    const tensor *from; /* NULL: the segment is the literal */
    uint64_t length;
} segment;

typedef struct outline {
    segment segments[OUTLINE_SEGMENTS];
    unsigned count;
    uint64_t length;
} outline;

/* An outline without segments. Segments past the count are not cleared. */
void outline_init(outline *l);
void outline_free(outline *l);
/* Both append a segment. False: there are too many, or the length passes 2^63. outline_literal
 * takes the bytes, and frees them where it fails. */
bool outline_literal(outline *l, buffer *bytes);
bool outline_tensor(outline *l, const tensor *t);

#endif
