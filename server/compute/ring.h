/*
 * ring.h - the slices of an answer that are ahead of its reader
 *
 * The owner locks, but for the room of a slice, which has one writer until it is finished. What the
 * reader has passed serves the slices to come.
 */
#ifndef RING_H
#define RING_H

#include "base/buffer_pool.h"

#include <stdbool.h>
#include <stdint.h>

#define RING_MOST 16

typedef struct ring_slot {
    pooled_buffer pooled_buffer;
    bool ready;
} ring_slot;

typedef struct ring {
    ring_slot slots[RING_MOST];
    buffer_pool *buffer_pool; /* where their memory comes from */
    unsigned ahead;           /* slots in use */
    uint64_t reading;         /* the reader's slice */
} ring;

/* As many slots as hold `most` bytes of slices of this size, but at least two. */
void ring_init(ring *r, uint64_t slice_bytes, uint64_t most, buffer_pool *from);
void ring_free(ring *r);

/* Whether a slice has a slot yet. */
bool ring_has_slot(const ring *r, uint64_t slice);

/* Room for a slice that has; NULL: no memory. */
unsigned char *ring_room(ring *r, uint64_t slice, size_t bytes);
void ring_finish(ring *r, uint64_t slice);

/* NULL: not finished. */
const unsigned char *ring_slice(const ring *r, uint64_t slice);

/* The reader is at this slice. */
void ring_advance(ring *r, uint64_t slice);

/* Whether, with slices before `next` taken, half the slots wait for one: to wake a thread for each
 * would cost more than to compute it. A slice that the reader lacks is one of them. */
bool ring_runs_low(const ring *r, uint64_t next);

#endif
