/*
 * buffered_body.h - a body that is encoded once all rows of all its tensors are computed
 *
 * Formats without a length known ahead are built so. The owner holds a lock, except around
 * buffered_body_room and buffered_body_encode: each slice has one writer, and one thread encodes.
 */
#ifndef BUFFERED_BODY_H
#define BUFFERED_BODY_H

#include "formats/format.h"
#include "slicing.h"

typedef struct buffered_body {
    pooled_buffer rows; /* of all tensors, until they are encoded */
    buffer encoded;
} buffered_body;

void buffered_body_init(buffered_body *b, budget_payer payer, buffer_pool *pool);
void buffered_body_free(buffered_body *b);

/* Adds the tensors that the format holds to `out`. cost: estimated nanoseconds of encoding. False:
 * the format cannot hold so many elements, as p explains. */
bool buffered_body_plan(const tensor_source *s, const format *f, slicing *out, double *cost,
                        problem *p);

/* Bytes of the rows and of what encoding works with. The encoded bytes are paid for as they grow.
 */
uint64_t buffered_body_memory(const tensor_source *s, const format *f, const slicing *all);

/* The least number of encoded bytes. */
uint64_t buffered_body_least(const tensor_source *s, const format *f);

/* Allocates the room for all rows. False: there is not enough memory. */
bool buffered_body_begin(buffered_body *b, const slicing *all);
/* The room for the rows of a part from row `first` on. */
unsigned char *buffered_body_room(const buffered_body *b, const slicing_part *part, uint64_t first);

/* False: there is not enough memory. b->encoded.starved: the budget did not have enough. */
bool buffered_body_encode(buffered_body *b, const tensor_source *s, const format *f,
                          const slicing *all);

/* Finds encoded bytes from offset on, at most `room`: *out is where they lie. Returns their number,
 * or -1 past the end. */
int64_t buffered_body_peek(const buffered_body *b, uint64_t offset, size_t room, const void **out);

#endif
