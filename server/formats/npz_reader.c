/* A zip file (APPNOTE 6.3.10) of npy files, stored or deflated. A reader of zip trusts the central
 * directory alone: local headers and data must agree with the directory, and members must not
 * overlap. */
#include "npy.h"
#include "npz.h"
#include "npz_records.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#define RATIO_MOST   1032 /* no deflate stream grows by more */
#define PACKED_SPARE 4096 /* bytes by which a short stream may be longer than what it holds */
#define INFLATED_AT  64   /* inflated members begin at multiples of it */

typedef struct archive {
    const unsigned char *bytes;
    uint64_t start, end; /* of the central directory; members lie before it */
    uint64_t count;
} archive;

typedef struct entry {
    const char *name; /* with its suffix */
    uint64_t name_length, offset, packed, size;
    const unsigned char *data;
    uint64_t end; /* offset past the data */
    uint32_t crc;
    unsigned flags, method;
} entry;

static uint64_t get(const unsigned char *at, unsigned bytes) {
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)at[i] << 8 * i;
    return value;
}

static bool broken(problem *p, const char *why) {
    problem_add(p, 400, "body", "the npz body %s", why);
    return false;
}

static bool refuse(problem *p, const entry *e, const char *why) {
    int shown = e->name_length < 40 ? (int)e->name_length : 40;
    problem_add(p, 400, "body", "the npz body's member '%.*s' %s", shown, e->name, why);
    return false;
}

/* The end record: the last one whose comment ends at the end of the body. */
static const unsigned char *find_end(const unsigned char *body, size_t length) {
    for (size_t comment = 0; length >= END_SIZE + comment && comment <= UINT16_MAX; comment++) {
        const unsigned char *at = body + (length - END_SIZE - comment);
        if (get(at, 4) == END && get(at + 20, 2) == comment)
            return at;
    }
    return NULL;
}

static bool agree(uint64_t narrow_value, uint64_t wide_value, uint64_t sentinel) {
    return narrow_value == wide_value || narrow_value == sentinel;
}

/* The zip64 end record, if a locator stands before `end`. */
static bool read_end64(archive *a, const unsigned char *end, problem *p) {
    uint64_t at = (uint64_t)(end - a->bytes);
    if (at < LOCATOR_SIZE || get(end - LOCATOR_SIZE, 4) != LOCATOR)
        return true;
    const unsigned char *locator = end - LOCATOR_SIZE;
    uint64_t record = get(locator + 8, 8);
    at -= LOCATOR_SIZE;
    if (at < END64_SIZE || record > at - END64_SIZE || get(locator + 4, 4) != 0 ||
        get(locator + 16, 4) != 1)
        return broken(p, "has an invalid zip64 locator");
    const unsigned char *wide = a->bytes + record;
    if (get(wide, 4) != END64 || get(wide + 4, 8) != at - record - 12 || get(wide + 16, 8) != 0 ||
        get(wide + 24, 8) != get(wide + 32, 8))
        return broken(p, "has a zip64 locator that does not point to a zip64 end record");
    if (!agree(a->count, get(wide + 32, 8), UINT16_MAX) ||
        !agree(a->end - a->start, get(wide + 40, 8), UINT32_MAX) ||
        !agree(a->start, get(wide + 48, 8), UINT32_MAX))
        return broken(p, "has two end records that contradict each other");
    a->count = get(wide + 32, 8);
    a->start = get(wide + 48, 8);
    a->end = record;
    return get(wide + 40, 8) == a->end - a->start && a->start <= a->end
               ? true
               : broken(p, "has no central directory directly before its end records");
}

static bool read_end(archive *a, size_t length, problem *p) {
    const unsigned char *end = find_end(a->bytes, length);
    if (!end)
        return broken(p, "has no end record of a zip file; it may be truncated");
    a->count = get(end + 10, 2);
    a->start = get(end + 16, 4);
    a->end = a->start + get(end + 12, 4);
    if (get(end + 4, 4) != 0 || get(end + 8, 2) != a->count)
        return broken(p, "is part of a zip file on several disks");
    bool wide = (uint64_t)(end - a->bytes) >= LOCATOR_SIZE && get(end - LOCATOR_SIZE, 4) == LOCATOR;
    if (!read_end64(a, end, p))
        return false;
    if (!wide && a->end != (uint64_t)(end - a->bytes))
        return broken(p, "has no central directory directly before its end record");
    if (a->count > UPLOAD_ARRAYS) {
        problem_add(p, 400, "body", "the npz body has %llu members; at most %d are allowed",
                    (unsigned long long)a->count, UPLOAD_ARRAYS);
        return false;
    }
    return true;
}

/* Replaces a sentinel by the next field of a zip64 extra. */
static bool widen(uint64_t *value, const unsigned char **at, const unsigned char *end) {
    if (*value != UINT32_MAX)
        return true;
    if (end - *at < 8)
        return false;
    *value = get(*at, 8);
    *at += 8;
    return true;
}

/* Takes size, packed size and, unless NULL, offset from a header's extra fields. */
static bool read_extra(const unsigned char *at, uint64_t length, uint64_t *size, uint64_t *packed,
                       uint64_t *offset) {
    const unsigned char *end = at + length;
    const unsigned char *field = at, *field_end = at; /* empty: there is no zip64 field */
    while (at < end) {
        if (end - at < 4 || get(at + 2, 2) > (uint64_t)(end - at - 4))
            return false;
        if (get(at, 2) == 1) {
            field = at + 4;
            field_end = field + get(at + 2, 2);
        }
        at += 4 + get(at + 2, 2);
    }
    return widen(size, &field, field_end) && widen(packed, &field, field_end) &&
           (!offset || widen(offset, &field, field_end));
}

static bool check_method(const entry *e, problem *p) {
    const unsigned encrypted = 1u << 0 | 1u << 6 | 1u << 13;
    if (e->flags & encrypted)
        return refuse(p, e, "is encrypted");
    if ((e->flags & 1u << 5) || (e->method != STORED && e->method != DEFLATED))
        return refuse(p, e, "has a compression method other than stored and deflated");
    if (e->method == STORED && e->size != e->packed)
        return refuse(p, e, "is stored, but its two sizes differ");
    if (e->size / RATIO_MOST > e->packed)
        return refuse(p, e, "claims a size that a deflate stream of its length cannot hold");
    return true;
}

/* Reads the entry of the directory at *at, and moves *at past the entry. */
static bool read_central(const archive *a, uint64_t *at, entry *e, problem *p) {
    const unsigned char *h = a->bytes + *at;
    uint64_t left = a->end - *at;
    if (left < CENTRAL_SIZE || get(h, 4) != CENTRAL)
        return broken(p, "has fewer directory entries than its end record says");
    uint64_t name = get(h + 28, 2), extra = get(h + 30, 2), comment = get(h + 32, 2);
    if (name + extra + comment > left - CENTRAL_SIZE)
        return broken(p, "has a directory entry that extends past the end of the directory");
    *e = (entry){.name = (const char *)h + CENTRAL_SIZE,
                 .name_length = name,
                 .flags = (unsigned)get(h + 8, 2),
                 .method = (unsigned)get(h + 10, 2),
                 .crc = (uint32_t)get(h + 16, 4),
                 .packed = get(h + 20, 4),
                 .size = get(h + 24, 4),
                 .offset = get(h + 42, 4)};
    *at += CENTRAL_SIZE + name + extra + comment;
    if (get(h + 34, 2) != 0)
        return refuse(p, e, "is on another disk");
    if (!read_extra(h + CENTRAL_SIZE + name, extra, &e->size, &e->packed, &e->offset))
        return refuse(p, e, "has an invalid extra field");
    return check_method(e, p);
}

/* With bit 3 of the flags the sizes follow the data; the directory has the same sizes. */
static bool same_sizes(const entry *e, const unsigned char *h, uint64_t extra) {
    uint64_t size = get(h + 22, 4), packed = get(h + 18, 4);
    if (e->flags & 1u << 3)
        return true;
    return read_extra(h + LOCAL_SIZE + e->name_length, extra, &size, &packed, NULL) &&
           size == e->size && packed == e->packed && get(h + 14, 4) == e->crc;
}

static bool read_local(const archive *a, entry *e, problem *p) {
    if (a->start < LOCAL_SIZE || e->offset > a->start - LOCAL_SIZE)
        return refuse(p, e, "has an offset outside the area of members");
    const unsigned char *h = a->bytes + e->offset;
    uint64_t room = a->start - e->offset - LOCAL_SIZE;
    uint64_t name = get(h + 26, 2), extra = get(h + 28, 2);
    if (get(h, 4) != LOCAL || name + extra > room)
        return refuse(p, e, "has no local header");
    if (name != e->name_length || memcmp(h + LOCAL_SIZE, e->name, name) != 0 ||
        get(h + 6, 2) != e->flags || get(h + 8, 2) != e->method || !same_sizes(e, h, extra))
        return refuse(p, e, "has a local header that contradicts the directory");
    if (e->packed > room - name - extra)
        return refuse(p, e, "extends past the area of members");
    if (e->method == DEFLATED && e->packed > e->size + e->size / 16 + PACKED_SPARE)
        return refuse(p, e, "is longer compressed than uncompressed");
    e->data = h + LOCAL_SIZE + name + extra;
    e->end = e->offset + LOCAL_SIZE + name + extra + e->packed;
    return true;
}

static bool check_apart(const entry *entries, unsigned count, problem *p) {
    const entry *last = &entries[count];
    for (const entry *e = entries; e < last; e++)
        if (e->offset < last->end && last->offset < e->end)
            return refuse(p, last, "overlaps another member");
    return true;
}

static bool has_suffix(const entry *e) {
    return e->name_length > SUFFIX_SIZE &&
           memcmp(e->name + e->name_length - SUFFIX_SIZE, SUFFIX, SUFFIX_SIZE) == 0;
}

/* Checks all entries before a byte is inflated. */
static bool read_entries(const archive *a, entry *entries, upload *out, problem *p) {
    uint64_t at = a->start;
    for (unsigned i = 0; i < a->count; i++) {
        entry *e = &entries[i];
        if (!read_central(a, &at, e, p) || !read_local(a, e, p) || !check_apart(entries, i, p))
            return false;
        if (!has_suffix(e))
            return refuse(p, e, "is not named NAME.npy");
        if (!upload_add(out, e->name, e->name_length - SUFFIX_SIZE, p))
            return false;
    }
    return at == a->end ? true : broken(p, "has more directory entries than its end record says");
}

static uint64_t round_up(uint64_t bytes) {
    return (bytes + INFLATED_AT - 1) / INFLATED_AT * INFLATED_AT;
}

/* Reserves the room for all inflated members at once, because arrays are views of that room. */
static bool reserve(const entry *entries, uint64_t count, buffer *out, problem *p) {
    uint64_t left = out->cap - out->length, wanted = out->length;
    for (uint64_t i = 0; i < count; i++) {
        if (entries[i].method != DEFLATED)
            continue;
        if (entries[i].size > left || round_up(entries[i].size) > left) {
            problem_add(p, 413, "body",
                        "the npz body decompresses to more than the limit of %zu bytes", out->cap);
            return false;
        }
        left -= round_up(entries[i].size);
        wanted += round_up(entries[i].size);
    }
    if (buffer_expect(out, (size_t)wanted) || buffer_reserve(out, (size_t)wanted))
        return true;
    problem_add(p, 500, NULL, "out of memory");
    return false;
}

/* The member's bytes, inflated into the reserved room unless they are stored. */
static const unsigned char *unpack(const entry *e, struct libdeflate_decompressor *inflater,
                                   buffer *out) {
    if (e->method == STORED)
        return e->data;
    static unsigned char none; /* stands for the room of an empty member */
    size_t taken, made;
    unsigned char *to = out->bytes ? out->bytes + out->length : &none;
    if (libdeflate_deflate_decompress_ex(inflater, e->data, (size_t)e->packed, to, (size_t)e->size,
                                         &taken, &made) != LIBDEFLATE_SUCCESS ||
        taken != e->packed || made != e->size)
        return NULL;
    out->length += (size_t)round_up(e->size);
    return to;
}

static bool read_arrays(const archive *a, const entry *entries,
                        struct libdeflate_decompressor *inflater, upload *out, problem *p) {
    for (unsigned i = 0; i < a->count; i++) {
        const entry *e = &entries[i];
        const unsigned char *bytes = unpack(e, inflater, &out->inflated);
        if (!bytes)
            return refuse(p, e, "does not decompress to its stated size");
        if (libdeflate_crc32(0, bytes, (size_t)e->size) != e->crc)
            return refuse(p, e, "has a wrong checksum");
        if (!npy_read_array(bytes, (size_t)e->size, &out->arrays[i], p))
            return false;
    }
    return true;
}

bool npz_read(const upload_body *body, upload *out, problem *p) {
    archive a = {.bytes = body->bytes};
    entry entries[UPLOAD_ARRAYS];
    if (!read_end(&a, body->length, p) || !read_entries(&a, entries, out, p) ||
        !reserve(entries, a.count, &out->inflated, p))
        return false;
    struct libdeflate_decompressor *inflater = libdeflate_alloc_decompressor();
    if (!inflater) {
        problem_add(p, 500, NULL, "out of memory");
        return false;
    }
    bool good = read_arrays(&a, entries, inflater, out, p);
    libdeflate_free_decompressor(inflater);
    return good;
}

/* Nanoseconds for a byte of a stream of empty blocks with codes of their own: 190 were measured. */
#define EMPTY_COST    200
#define INFLATE_COST  0.8 /* nanoseconds an inflated byte, with its checksum and its page */
#define CHECKSUM_COST 0.1 /* nanoseconds a stored byte */

/* By the directory alone. A body whose directory is refused costs nothing. */
weight npz_weigh(const upload_body *body, uint64_t most) {
    archive a = {.bytes = body->bytes};
    entry entries[UPLOAD_ARRAYS];
    upload found = {.count = 0};
    problem p = {0};
    double cost = 0, worst = 0;
    if (!read_end(&a, body->length, &p) || !read_entries(&a, entries, &found, &p))
        return (weight){0};
    for (unsigned i = 0; i < a.count; i++) {
        const entry *e = &entries[i];
        uint64_t made = e->size < most ? e->size : most;
        cost += (e->method == DEFLATED ? INFLATE_COST : CHECKSUM_COST) * (double)made;
        worst += e->method == DEFLATED ? EMPTY_COST * (double)e->packed : 0;
    }
    return (weight){.cost = cost, .worst = cost + worst};
}

bool npz_begins(const unsigned char *body, size_t length) {
    return length >= END_SIZE && (get(body, 4) == LOCAL || get(body, 4) == END);
}
