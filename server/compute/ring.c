#include "ring.h"

static ring_slot *slot_of(ring *r, uint64_t slice) {
    return &r->slots[slice % r->ahead];
}

void ring_init(ring *r, uint64_t slice_bytes, uint64_t most, buffer_pool *from) {
    uint64_t fit = most / (slice_bytes ? slice_bytes : 1);
    *r = (ring){.buffer_pool = from,
                .ahead = fit < 2           ? 2
                         : fit > RING_MOST ? RING_MOST
                                           : (unsigned)fit};
}

void ring_free(ring *r) {
    for (unsigned i = 0; i < RING_MOST; i++)
        buffer_pool_give(r->buffer_pool, r->slots[i].pooled_buffer);
}

bool ring_has_slot(const ring *r, uint64_t slice) {
    return slice < r->reading + r->ahead;
}

unsigned char *ring_room(ring *r, uint64_t slice, size_t bytes) {
    ring_slot *s = slot_of(r, slice);
    if (s->pooled_buffer.room < bytes) {
        buffer_pool_give(r->buffer_pool, s->pooled_buffer);
        s->pooled_buffer = buffer_pool_take(r->buffer_pool, bytes);
    }
    return s->pooled_buffer.bytes;
}

void ring_finish(ring *r, uint64_t slice) {
    slot_of(r, slice)->ready = true;
}

const unsigned char *ring_slice(const ring *r, uint64_t slice) {
    const ring_slot *s = &r->slots[slice % r->ahead];
    return s->ready ? s->pooled_buffer.bytes : NULL;
}

void ring_advance(ring *r, uint64_t slice) {
    for (; r->reading < slice; r->reading++)
        slot_of(r, r->reading)->ready = false;
}

bool ring_runs_low(const ring *r, uint64_t next) {
    return next <= r->reading + r->ahead / 2;
}
