#include "streamed_body.h"

#define AHEAD_BYTES (4u << 20) /* of the slices that are computed ahead of the reader */

/* The bytes from … to-1, counted from its first byte, of a segment at `at` that are read. */
static void clip(const streamed_body *b, uint64_t at, uint64_t length, uint64_t *from,
                 uint64_t *to) {
    uint64_t end = b->start + b->length;
    *from = b->start > at ? b->start - at : 0;
    *to = end < at ? 0 : end - at < length ? end - at : length;
}

/* Adds one part for each tensor of the outline, also where none of its rows are read. */
static void slice_rows(streamed_body *b, buffer_pool *pool, slicing *out) {
    uint64_t at = 0, from, to;
    slicing_init(out);
    for (unsigned i = 0; i < b->outline.count; i++) {
        const segment *s = &b->outline.segments[i];
        clip(b, at, s->length, &from, &to);
        at += s->length;
        if (s->from)
            slicing_add_bytes(out, s->from, from, to);
    }
    ring_init(&b->ring, slicing_slice_bytes(out), AHEAD_BYTES, pool);
}

bool streamed_body_plan(streamed_body *b, const tensor_source *s, const format *f,
                        buffer_pool *pool, slicing *out) {
    if (!f->lay_out(s, &b->outline))
        return false;
    b->length = b->outline.length;
    slice_rows(b, pool, out);
    return true;
}

void streamed_body_init(streamed_body *b) {
    outline_init(&b->outline);
    b->start = b->length = 0;
    b->ring.ahead = 0;
}

void streamed_body_free(streamed_body *b) {
    ring_free(&b->ring);
    outline_free(&b->outline);
}

void streamed_body_range(streamed_body *b, uint64_t start, uint64_t length, slicing *out) {
    b->start = start;
    b->length = length;
    slice_rows(b, b->ring.pool, out);
}

uint64_t streamed_body_width(const streamed_body *b, const slicing *all) {
    return all->slices < b->ring.ahead ? all->slices : b->ring.ahead;
}

bool streamed_body_is_ready(const streamed_body *b) {
    return ring_slice(&b->ring, b->ring.reading) != NULL;
}

/* Where a byte of the body lies. */
typedef struct place {
    const segment *segment;   /* NULL: past the end */
    const slicing_part *part; /* NULL: in a literal */
    uint64_t offset;          /* in the literal, or in the rows of the part */
} place;

static place find(const streamed_body *b, const slicing *all, uint64_t offset) {
    unsigned i = 0, tensors = 0;
    if (offset >= b->length)
        return (place){0};
    offset += b->start;
    while (i < b->outline.count && offset >= b->outline.segments[i].length) {
        offset -= b->outline.segments[i].length;
        tensors += b->outline.segments[i++].from != NULL;
    }
    const segment *s = i < b->outline.count ? &b->outline.segments[i] : NULL;
    if (!s || !s->from)
        return (place){s, NULL, offset};
    const slicing_part *part = &all->each[tensors];
    return (place){s, part, offset - part->begin * part->from->row_bytes};
}

static uint64_t slice_at(const place *at) {
    return at->part->first + at->offset / (at->part->rows * at->part->from->row_bytes);
}

bool streamed_body_advance(streamed_body *b, const slicing *all, uint64_t offset,
                           uint64_t claimed) {
    const place at = find(b, all, offset);
    if (!at.part)
        return false;
    ring_advance(&b->ring, slice_at(&at));
    return ring_runs_low(&b->ring, claimed);
}

static int64_t least(uint64_t left, size_t room) {
    return (int64_t)(left < room ? left : room);
}

static int64_t peek_slice(const streamed_body *b, const place *at, size_t room, const void **out) {
    const slicing_part *part = at->part;
    uint64_t slice = slice_at(at), first;
    const unsigned char *computed = ring_slice(&b->ring, slice);
    if (!computed)
        return 0;
    uint64_t bytes = slicing_part_rows(part, slice, &first) * part->from->row_bytes;
    uint64_t offset = at->offset % (part->rows * part->from->row_bytes);
    *out = computed + offset;
    return least(bytes - offset, room);
}

int64_t streamed_body_peek(const streamed_body *b, const slicing *all, uint64_t offset, size_t room,
                           const void **out) {
    const place at = find(b, all, offset);
    if (!at.segment)
        return -1;
    room = b->length - offset < room ? (size_t)(b->length - offset) : room;
    if (at.part)
        return peek_slice(b, &at, room, out);
    *out = at.segment->literal.bytes + at.offset;
    return least(at.segment->length - at.offset, room);
}
