/*
 * ring.h - a ring of slots for the slices that an answer computes ahead of its reader
 *
 * The owner holds a lock, except while it writes into the room of a slice, which has one writer
 * until ring_finish.
 */
#ifndef RING_H
#define RING_H

#include "base/buffer_pool.h"

#include <stdbool.h>
#include <stdint.h>

#define RING_MOST 16

typedef struct ring_slot {
    pooled_buffer memory;
    const unsigned char *lent; /* the slice lies here, not in `memory`; or NULL */
    bool ready;
} ring_slot;

typedef struct ring {
    ring_slot slots[RING_MOST];
    buffer_pool *pool; /* gives the slots their memory */
    unsigned ahead;    /* slots in use */
    uint64_t reading;  /* the slice that the reader is at */
} ring;

/* As many slots as `most` bytes hold slices of this size, but at least two. */
void ring_init(ring *r, uint64_t slice_bytes, uint64_t most, buffer_pool *pool);
void ring_free(ring *r);

/* Returns true if a slice has a slot already. */
bool ring_has_slot(const ring *r, uint64_t slice);

/* The room of a slice that has a slot. NULL: there is not enough memory. */
unsigned char *ring_room(ring *r, uint64_t slice, size_t bytes);
/* The same for a slice that lies elsewhere. */
void ring_lend(ring *r, uint64_t slice, const unsigned char *bytes);
void ring_finish(ring *r, uint64_t slice);

/* NULL: the slice is not finished. */
const unsigned char *ring_slice(const ring *r, uint64_t slice);

/* Moves the reader to a slice; the slots of the slices before serve later slices. */
void ring_advance(ring *r, uint64_t slice);

/* Returns true if at least half of the slots wait for a slice, if the slices before `claimed` are
 * claimed. Waking a thread for each free slot would cost more than it computes. True where the
 * reader's own slice is not claimed. */
bool ring_runs_low(const ring *r, uint64_t claimed);

#endif
