/* A zip file (APPNOTE 6.3.10) of npy files, all of them stored. */
#include "npy.h"
#include "npz.h"
#include "npz_records.h"

#include <libdeflate.h>
#include <string.h>

#define MEMBER_EXTRA 1024 /* an upper bound of the bytes around a member's data */

typedef struct member {
    const char *name;
    uint32_t crc;
    uint64_t size, offset;
} member;

static void put(buffer *b, unsigned bytes, uint64_t value) {
    unsigned char text[8];
    for (unsigned i = 0; i < bytes; i++)
        text[i] = (unsigned char)(value >> 8 * i);
    buffer_add(b, text, bytes);
}

static uint64_t narrow(uint64_t value, uint64_t wide) {
    return value >= wide ? UINT32_MAX : value;
}

/* The fields that local and central headers share, from the needed version to the extra's length.
 */
static void put_fields(buffer *b, const member *m, uint64_t wide, unsigned extra) {
    put(b, 2, extra ? 45 : 20);
    put(b, 2, 0); /* flags */
    put(b, 2, STORED);
    put(b, 2, 0); /* midnight */
    put(b, 2, DOS_1980);
    put(b, 4, m->crc);
    put(b, 4, narrow(m->size, wide));
    put(b, 4, narrow(m->size, wide));
    put(b, 2, strlen(m->name) + SUFFIX_SIZE);
    put(b, 2, extra);
}

static void put_name(buffer *b, const member *m, unsigned extra) {
    buffer_text(b, m->name);
    buffer_text(b, SUFFIX);
    if (extra) {
        put(b, 2, 1);
        put(b, 2, extra - 4);
    }
}

static void put_sizes(buffer *b, const member *m) {
    put(b, 8, m->size);
    put(b, 8, m->size);
}

static void put_local(buffer *b, const member *m, uint64_t wide) {
    unsigned extra = m->size >= wide ? 20 : 0;
    put(b, 4, LOCAL);
    put_fields(b, m, wide, extra);
    put_name(b, m, extra);
    if (extra)
        put_sizes(b, m);
}

static void put_central(buffer *b, const member *m, uint64_t wide) {
    unsigned extra = (m->size >= wide ? 16u : 0) + (m->offset >= wide ? 8u : 0);
    extra += extra ? 4u : 0;
    put(b, 4, CENTRAL);
    put(b, 2, extra ? 45 : 20); /* made by */
    put_fields(b, m, wide, extra);
    put(b, 2, 0); /* comment */
    put(b, 2, 0); /* disk */
    put(b, 2, 0); /* attributes */
    put(b, 4, 0);
    put(b, 4, narrow(m->offset, wide));
    put_name(b, m, extra);
    if (m->size >= wide)
        put_sizes(b, m);
    if (m->offset >= wide)
        put(b, 8, m->offset);
}

static void put_end64(buffer *b, uint64_t count, uint64_t start, uint64_t end) {
    put(b, 4, END64);
    put(b, 8, END64_SIZE - 12);
    put(b, 2, 45);
    put(b, 2, 45);
    put(b, 8, 0); /* disks */
    put(b, 8, count);
    put(b, 8, count);
    put(b, 8, end - start);
    put(b, 8, start);
    put(b, 4, LOCATOR);
    put(b, 4, 0);
    put(b, 8, end);
    put(b, 4, 1);
}

static void put_end(buffer *b, uint64_t count, uint64_t start, uint64_t wide) {
    uint64_t end = b->length;
    if (start >= wide || end - start >= wide)
        put_end64(b, count, start, end);
    put(b, 4, END);
    put(b, 4, 0); /* disks */
    put(b, 2, count);
    put(b, 2, count);
    put(b, 4, narrow(end - start, wide));
    put(b, 4, narrow(start, wide));
    put(b, 2, 0); /* comment */
}

static void put_member(buffer *b, const tensor *t, const unsigned char *data, uint64_t wide,
                       member *m) {
    buffer head = buffer_of(512);
    b->failed |= !npy_header(t, &head);
    size_t bytes = (size_t)tensor_bytes(t);
    uint32_t crc = libdeflate_crc32(0, head.bytes, head.length);
    *m = (member){t->name, libdeflate_crc32(crc, data, bytes), head.length + bytes, b->length};
    put_local(b, m, wide);
    buffer_add(b, head.bytes, head.length);
    buffer_add(b, data, bytes);
    buffer_free(&head);
}

uint64_t npz_bound(const tensor_source *s) {
    uint64_t bytes = MEMBER_EXTRA;
    for (unsigned i = 0; i < s->count; i++) {
        uint64_t more = tensor_bytes(&s->tensors[i]) + MEMBER_EXTRA;
        bytes = bytes > UINT64_MAX - more ? UINT64_MAX : bytes + more;
    }
    return bytes;
}

bool npz_encode(const tensor_source *s, const unsigned char *const *data, uint64_t wide,
                buffer *out) {
    member members[SOURCE_TENSORS];
    buffer_expect(out, (size_t)npz_bound(s));
    buffer_reserve(out, (size_t)npz_bound(s)); /* at once: growing would copy */
    for (unsigned i = 0; i < s->count; i++)
        put_member(out, &s->tensors[i], data[i], wide, &members[i]);
    uint64_t start = out->length;
    for (unsigned i = 0; i < s->count; i++)
        put_central(out, &members[i], wide);
    put_end(out, s->count, start, wide);
    return !out->failed;
}
