/*
 * streamed_body.h - a body of known length, whose slices are computed while it is read
 *
 * A few slices are computed ahead of the reader. Each lies in a slot of a ring, which serves a
 * later slice once the reader has passed. The owner holds a lock, except where a thread writes into
 * a slot.
 */
#ifndef STREAMED_BODY_H
#define STREAMED_BODY_H

#include "formats/format.h"
#include "ring.h"
#include "slicing.h"

typedef struct streamed_body {
    outline outline;
    uint64_t start, length; /* the bytes of the outline that are read */
    ring ring;
} streamed_body;

/* Without bytes, so that the body can be freed. */
void streamed_body_init(streamed_body *b);

/* Lays the source out, and adds the rows of all its tensors to `out`. False: there is not enough
 * memory. */
bool streamed_body_plan(streamed_body *b, const tensor_source *s, const format *f,
                        buffer_pool *pool, slicing *out);
void streamed_body_free(streamed_body *b);

/* Restricts the body to these bytes of the outline, and `out` to the rows that hold them. To be
 * called before any slice is computed. */
void streamed_body_range(streamed_body *b, uint64_t start, uint64_t length, slicing *out);

/* How many slices can be computed at once. */
uint64_t streamed_body_width(const streamed_body *b, const slicing *all);

/* Returns true if the slice that is read next is computed. */
bool streamed_body_is_ready(const streamed_body *b);

/* Moves the reader to the slice that holds the byte at offset. True: at least half of the slots
 * wait for a slice, with `claimed` slices claimed so far. False for a byte that is not in a slice.
 */
bool streamed_body_advance(streamed_body *b, const slicing *all, uint64_t offset, uint64_t claimed);

/* Finds bytes from offset on, at most `room`, of one slice or one literal: *out is where they lie.
 * Returns their number, 0 if the slice is not computed, or -1 past the end. */
int64_t streamed_body_peek(const streamed_body *b, const slicing *all, uint64_t offset, size_t room,
                           const void **out);

#endif
