#include "ring.h"

static ring_slot *slot_of(ring *r, uint64_t slice) {
    return &r->slots[slice % r->ahead];
}

void ring_init(ring *r, uint64_t slice_bytes, uint64_t most, buffer_pool *pool) {
    uint64_t fit = most / (slice_bytes ? slice_bytes : 1);
    *r = (ring){.pool = pool, .ahead = fit < 2 ? 2 : fit > RING_MOST ? RING_MOST : (unsigned)fit};
}

void ring_free(ring *r) {
    for (unsigned i = 0; i < r->ahead; i++)
        if (r->slots[i].memory.bytes)
            buffer_pool_give(r->pool, r->slots[i].memory);
}

bool ring_has_slot(const ring *r, uint64_t slice) {
    return slice < r->reading + r->ahead;
}

unsigned char *ring_room(ring *r, uint64_t slice, size_t bytes) {
    ring_slot *s = slot_of(r, slice);
    s->lent = NULL;
    if (s->memory.room < bytes) {
        buffer_pool_give(r->pool, s->memory);
        s->memory = buffer_pool_take(r->pool, bytes);
    }
    return s->memory.bytes;
}

void ring_lend(ring *r, uint64_t slice, const unsigned char *bytes) {
    slot_of(r, slice)->lent = bytes;
}

void ring_finish(ring *r, uint64_t slice) {
    slot_of(r, slice)->ready = true;
}

const unsigned char *ring_slice(const ring *r, uint64_t slice) {
    const ring_slot *s = &r->slots[slice % r->ahead];
    return !s->ready ? NULL : s->lent ? s->lent : s->memory.bytes;
}

void ring_advance(ring *r, uint64_t slice) {
    for (; r->reading < slice; r->reading++)
        slot_of(r, r->reading)->ready = false;
}

bool ring_runs_low(const ring *r, uint64_t claimed) {
    return claimed <= r->reading + r->ahead / 2;
}
