#include "unit.h"

#include "formats/npz.h"

#include <libdeflate.h>
#include <stdio.h>

#define MOST 8 /* members of a zip that a test makes */

enum { STORED = 0, DEFLATED = 8 };

/* A zip in memory of exactly its own size, so that a step past its end is seen by a sanitizer. */
typedef struct zip {
    unsigned char *bytes;
    size_t length;
    size_t local[MOST], central[MOST], end; /* where its records are */
} zip;

typedef struct part {
    const char *name;
    unsigned method, flags;
    const unsigned char *bytes;
    size_t length;
    bool wide; /* its sizes and offset in zip64 extras */
} part;

static void put(buffer *b, unsigned bytes, uint64_t value) {
    for (unsigned i = 0; i < bytes; i++) {
        unsigned char byte = (unsigned char)(value >> 8 * i);
        assert_true(buffer_add(b, &byte, 1));
    }
}

static void set(unsigned char *at, unsigned bytes, uint64_t value) {
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (unsigned char)(value >> 8 * i);
}

typedef struct packed {
    unsigned char *bytes;
    size_t length;
} packed;

static packed pack(const part *m) {
    packed p = {malloc(2 * m->length + 64), m->length};
    if (m->method == DEFLATED) {
        struct libdeflate_compressor *c = libdeflate_alloc_compressor(9);
        p.length = libdeflate_deflate_compress(c, m->bytes, m->length, p.bytes, 2 * m->length + 64);
        assert_true(p.length > 0);
        libdeflate_free_compressor(c);
    } else if (m->length) {
        memcpy(p.bytes, m->bytes, m->length);
    }
    return p;
}

static void put_fields(buffer *b, const part *m, const packed *p, bool known, unsigned extra) {
    put(b, 2, 20);
    put(b, 2, m->flags);
    put(b, 2, m->method);
    put(b, 4, 0);
    put(b, 4, known ? libdeflate_crc32(0, m->bytes, m->length) : 0);
    put(b, 4, m->wide ? UINT32_MAX : known ? p->length : 0);
    put(b, 4, m->wide ? UINT32_MAX : known ? m->length : 0);
    put(b, 2, strlen(m->name));
    put(b, 2, extra);
}

static void put_extra(buffer *b, const part *m, const packed *p) {
    put(b, 2, 0x5455); /* another field first */
    put(b, 2, 1);
    put(b, 1, 0);
    put(b, 2, 1);
    put(b, 2, 24);
    put(b, 8, m->length);
    put(b, 8, p->length);
}

static void put_member(buffer *b, const part *m, const packed *p) {
    bool known = !(m->flags & 8);
    put(b, 4, 0x04034b50);
    put_fields(b, m, p, known, m->wide ? 33 : 0);
    buffer_text(b, m->name);
    if (m->wide) {
        put_extra(b, m, p);
        put(b, 8, 0);
    }
    buffer_add(b, p->bytes, p->length);
    if (!known) {
        put(b, 4, 0x08074b50);
        put(b, 4, libdeflate_crc32(0, m->bytes, m->length));
        put(b, 4, p->length);
        put(b, 4, m->length);
    }
}

static void put_entry(buffer *b, const part *m, const packed *p, uint64_t offset) {
    put(b, 4, 0x02014b50);
    put(b, 2, 20);
    put_fields(b, m, p, true, m->wide ? 33 : 0);
    put(b, 6, 0); /* comment, disk, attributes */
    put(b, 4, 0);
    put(b, 4, m->wide ? UINT32_MAX : offset);
    buffer_text(b, m->name);
    if (m->wide) {
        put_extra(b, m, p);
        put(b, 8, offset);
    }
}

static void put_end(buffer *b, unsigned count, uint64_t start, bool wide, const char *comment) {
    uint64_t end = b->length;
    if (wide) {
        put(b, 4, 0x06064b50);
        put(b, 8, 44);
        put(b, 4, 0);
        put(b, 8, 0);
        put(b, 8, count);
        put(b, 8, count);
        put(b, 8, end - start);
        put(b, 8, start);
        put(b, 4, 0x07064b50);
        put(b, 4, 0);
        put(b, 8, end);
        put(b, 4, 1);
    }
    put(b, 4, 0x06054b50);
    put(b, 4, 0);
    put(b, 2, wide ? UINT16_MAX : count);
    put(b, 2, wide ? UINT16_MAX : count);
    put(b, 4, wide ? UINT32_MAX : end - start);
    put(b, 4, wide ? UINT32_MAX : start);
    put(b, 2, strlen(comment));
    buffer_text(b, comment);
}

static zip exact(const unsigned char *bytes, size_t length) {
    zip z = {.bytes = malloc(length + !length), .length = length};
    if (length)
        memcpy(z.bytes, bytes, length);
    return z;
}

static zip zip_of(const part *parts, unsigned count, const char *comment) {
    buffer b = buffer_of(1 << 20);
    size_t local[MOST] = {0}, central[MOST] = {0};
    packed p[MOST];
    for (unsigned i = 0; i < count; i++) {
        p[i] = pack(&parts[i]);
        local[i] = b.length;
        put_member(&b, &parts[i], &p[i]);
    }
    uint64_t start = b.length;
    for (unsigned i = 0; i < count; i++) {
        central[i] = b.length;
        put_entry(&b, &parts[i], &p[i], local[i]);
        free(p[i].bytes);
    }
    put_end(&b, count, start, count && parts[0].wide, comment);
    assert_false(b.failed);
    zip z = exact(b.bytes, b.length);
    memcpy(z.local, local, sizeof local);
    memcpy(z.central, central, sizeof central);
    z.end = b.length - 22 - strlen(comment);
    buffer_free(&b);
    return z;
}

/* 64 bytes and the data, where the shape is of four characters. */
#define NPY(shape, data)                                                                           \
    "\x93NUMPY\1\0\x36\0{'descr':'|u1', 'fortran_order':False, 'shape':" shape ",}\n" data
#define BYTES(text) (const unsigned char *)(text), sizeof(text) - 1

static const part x_and_y[] = {
    {"x.npy", DEFLATED, 0, BYTES(NPY("(4,)", "abcd")), false},
    {"y.npy", STORED, 0, BYTES(NPY("(6,)", "efghij")), false},
};

static bool read_zip(const zip *z, size_t cap, upload *out, problem *p) {
    const upload_body body = {.bytes = z->bytes, .length = z->length};
    *p = (problem){0};
    *out = (upload){.inflated = buffer_of(cap)};
    bool good = npz_read(&body, out, p);
    assert_int_equal(good, p->status == 0);
    return good;
}

static void assert_holds(const upload *u, const char *name, const char *data) {
    const array *a = upload_find(u, name);
    assert_non_null(a);
    assert_true(a->type == DTYPE_U8 && a->rank == 1 && a->shape[0] == strlen(data));
    assert_memory_equal(a->bytes, data, strlen(data));
}

static void assert_read(const part *parts, unsigned count, const char *comment) {
    upload u;
    problem p;
    zip z = zip_of(parts, count, comment);
    if (!read_zip(&z, 4096, &u, &p))
        fail_msg("%s", p.errors[0].detail);
    assert_int_equal(u.count, count);
    assert_holds(&u, "x", "abcd");
    if (count > 1)
        assert_holds(&u, "y", "efghij");
    buffer_free(&u.inflated);
    free(z.bytes);
}

static void members_are_read_stored_and_deflated_however_they_are_framed(void **state) {
    (void)state;
    for (unsigned variant = 0; variant < 64; variant++) {
        part parts[] = {x_and_y[0], x_and_y[1]};
        for (unsigned i = 0; i < 2; i++) {
            parts[i].method = variant >> i & 1 ? DEFLATED : STORED;
            parts[i].flags = (variant >> (2 + i) & 1 ? 8u : 0u) | (variant & 16 ? 0x806u : 0u);
            parts[i].wide = variant & 32;
        }
        assert_read(parts, 2, "");
        assert_read(parts, 1, "a comment");
        assert_read(parts, 2, "PK\5\6 in a comment, and much after it: ..............");
    }
}

static void an_empty_archive_holds_zero_arrays(void **state) {
    (void)state;
    upload u;
    problem p;
    zip z = zip_of(x_and_y, 0, "");
    assert_true(read_zip(&z, 64, &u, &p));
    assert_int_equal(u.count, 0);
    free(z.bytes);
}

static void inflated_arrays_are_aligned_as_in_their_file(void **state) {
    (void)state;
    part parts[] = {x_and_y[0], x_and_y[0], x_and_y[0]};
    upload u;
    problem p;
    parts[1].name = "y.npy";
    parts[2].name = "y.root.npy";
    zip z = zip_of(parts, 3, "");
    assert_true(read_zip(&z, 3 * 128, &u, &p));
    for (unsigned i = 0; i < 3; i++)
        assert_true(u.arrays[i].bytes == u.inflated.bytes + 128 * i + 64);
    buffer_free(&u.inflated);
    free(z.bytes);
}

/* The cap is of all members together, and looked at before there is any memory. */
static void nothing_is_allocated_for_more_than_the_cap(void **state) {
    (void)state;
    part parts[] = {x_and_y[0], x_and_y[0]};
    parts[1].name = "y.npy";
    zip z = zip_of(parts, 2, "");
    for (size_t cap = 0; cap <= 300; cap++) {
        upload u;
        problem p;
        bool good = read_zip(&z, cap, &u, &p);
        assert_int_equal(good, cap >= 256);
        assert_int_equal(u.inflated.room, good ? 256 : 0);
        assert_int_equal(p.status, good ? 0 : 413);
        buffer_free(&u.inflated);
    }
    free(z.bytes);
}

static void a_bomb_is_refused_for_its_claimed_size(void **state) {
    (void)state;
    static unsigned char zeros[1 << 18];
    part bomb = {"x.npy", DEFLATED, 0, zeros, sizeof zeros, false};
    zip z = zip_of(&bomb, 1, "");
    upload u;
    problem p;
    assert_false(read_zip(&z, sizeof zeros - 1, &u, &p));
    assert_true(p.status == 413 && !u.inflated.bytes);
    /* One that claims more than there can be. */
    set(z.bytes + z.local[0] + 22, 4, 1u << 30);
    set(z.bytes + z.central[0] + 24, 4, 1u << 30);
    assert_false(read_zip(&z, SIZE_MAX, &u, &p));
    assert_true(p.status == 400 && !u.inflated.bytes);
    assert_non_null(strstr(p.errors[0].detail, "a deflate stream of its length cannot hold"));
    /* One that claims too little inflates no further. */
    set(z.bytes + z.local[0] + 22, 4, 1000);
    set(z.bytes + z.central[0] + 24, 4, 1000);
    assert_false(read_zip(&z, 1 << 20, &u, &p));
    assert_non_null(strstr(p.errors[0].detail, "does not decompress"));
    buffer_free(&u.inflated);
    free(z.bytes);
}

static void names_are_words_with_the_suffix(void **state) {
    (void)state;
    static const struct {
        const char *name, *reason; /* NULL: read */
    } table[] = {
        {"x.npy", NULL},
        {"y.root.npy", NULL},
        {"X_1-b.npy", NULL},
        {"0.npy", NULL},
        {"x.npy.npy", NULL},
        {"a234567890123456789012345678901.npy", NULL},
        {"a2345678901234567890123456789012.npy", "array named"},
        {"", "is not named NAME.npy"},
        {".npy", "is not named NAME.npy"},
        {"x", "is not named NAME.npy"},
        {"x.NPY", "is not named NAME.npy"},
        {"x.npz", "is not named NAME.npy"},
        {"x.npy/", "is not named NAME.npy"},
        {"x.npy ", "is not named NAME.npy"},
        {"x/", "is not named NAME.npy"},
        {"/x.npy", "array named"},
        {"/etc/x.npy", "array named"},
        {"../x.npy", "array named"},
        {"a/x.npy", "array named"},
        {"a\\x.npy", "array named"},
        {"C:x.npy", "array named"},
        {"./x.npy", "array named"},
        {"..npy", "array named"},
        {"...npy", "array named"},
        {".x.npy", "array named"},
        {"x..npy", "array named"},
        {"x..y.npy", "array named"},
        {"-x.npy", "array named"},
        {"x-.npy", "array named"},
        {"x y.npy", "array named"},
        {"x\ny.npy", "array named"},
        {"x\x7f.npy", "array named"},
        {"\xc3\xa9.npy", "array named"},
        {"%s%n.npy", "array named"},
        {"'x'.npy", "array named"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        part one = x_and_y[i % 2];
        upload u;
        problem p;
        one.name = table[i].name;
        zip z = zip_of(&one, 1, "");
        bool good = read_zip(&z, 4096, &u, &p);
        if (good != !table[i].reason || (!good && !strstr(p.errors[0].detail, table[i].reason)))
            fail_msg("%s: %s", table[i].name, p.errors[0].detail);
        if (good)
            assert_memory_equal(u.arrays[0].name, one.name, strlen(one.name) - 4);
        buffer_free(&u.inflated);
        free(z.bytes);
    }
}

static void more_members_than_are_taken_are_refused(void **state) {
    (void)state;
    upload u;
    problem p;
    zip z = zip_of(x_and_y, 2, "");
    set(z.bytes + z.end + 8, 4, (UPLOAD_ARRAYS + 1) * UINT32_C(0x00010001));
    assert_false(read_zip(&z, 4096, &u, &p));
    assert_non_null(strstr(p.errors[0].detail, "35 members; at most 34"));
    free(z.bytes);
}

enum record { L0, L1, C0, C1, E };

static const char *const disagree = "contradicts the directory";
static const char *const no_directory = "no central directory";
static const char *const extra_field = "invalid extra field";

/* The first deflates to another size by every version of libdeflate: four bytes behind a header do
 * not (1.23 makes 68 of 68). */
static const part run_and_y[] = {
    {"x.npy", DEFLATED, 0, BYTES(NPY("(9,)", "aaaaaaaaa")), false},
    {"y.npy", STORED, 0, BYTES(NPY("(6,)", "efghij")), false},
};

/* One field of run_and_y's zip is another; 0xffffffff without an extra field widens nothing. */
static const struct {
    enum record record;
    unsigned offset, bytes;
    uint64_t value;
    const char *reason;
} hostile[] = {
    {E, 0, 4, 0, "no end record"},
    {E, 0, 4, 0x06064b50, "no end record"},
    {E, 4, 2, 1, "several disks"},
    {E, 6, 2, 1, "several disks"},
    {E, 4, 4, 0xffffffff, "several disks"},
    {E, 8, 2, 1, "several disks"},
    {E, 10, 2, 3, "several disks"},
    {E, 8, 4, 0x00030003, "fewer directory entries"},
    {E, 8, 4, 0x00100010, "fewer directory entries"},
    {E, 8, 4, 0x00010001, "more directory entries"},
    {E, 8, 4, 0, "more directory entries"},
    {E, 8, 4, 0xffffffff, "65535 members"},
    {E, 12, 4, 0, no_directory},
    {E, 12, 4, 101, no_directory},
    {E, 12, 4, 0xffffffff, no_directory},
    {E, 12, 4, 0x80000000, no_directory},
    {E, 16, 4, 0, no_directory},
    {E, 16, 4, 0xffffffff, no_directory},
    {E, 16, 4, 0x7fffffff, no_directory},
    {E, 20, 2, 1, "no end record"},
    {E, 20, 2, 0xffff, "no end record"},
    {C0, 0, 4, 0x04034b50, "fewer directory entries"},
    {C0, 0, 4, 0x05054b50, "fewer directory entries"},
    {C1, 0, 4, 0, "fewer directory entries"},
    {C0, 8, 2, 1, "encrypted"},
    {C0, 8, 2, 1 << 6, "encrypted"},
    {C0, 8, 2, 1 << 13, "encrypted"},
    {C0, 8, 2, 1 << 5, "compression method other than"},
    {C0, 8, 2, 8, disagree},
    {C0, 10, 2, 1, "compression method other than"},
    {C0, 10, 2, 9, "compression method other than"},
    {C0, 10, 2, 12, "compression method other than"},
    {C0, 10, 2, 14, "compression method other than"},
    {C0, 10, 2, 93, "compression method other than"},
    {C0, 10, 2, 99, "compression method other than"},
    {C0, 10, 2, 0, "its two sizes differ"},
    {C1, 10, 2, 8, disagree},
    {C0, 16, 4, 0, disagree},
    {C0, 20, 4, 0, disagree},
    {C0, 20, 4, 1, disagree},
    {C0, 20, 4, 0x7fffffff, disagree},
    {C0, 20, 4, 0xffffffff, extra_field},
    {C1, 20, 4, 0x7fffffff, "its two sizes differ"},
    {C0, 24, 4, 0, disagree},
    {C0, 24, 4, 72, disagree},
    {C0, 24, 4, 0x7fffffff, "a deflate stream of its length cannot hold"},
    {C0, 24, 4, 0xffffffff, extra_field},
    {C1, 24, 4, 0, "its two sizes differ"},
    {C0, 28, 2, 0, disagree},
    {C0, 28, 2, 0xffff, "past the end of the directory"},
    {C0, 30, 2, 3, extra_field},
    {C0, 30, 2, 0xffff, "past the end of the directory"},
    {C0, 32, 2, 0xffff, "past the end of the directory"},
    {C0, 32, 2, 1, "fewer directory entries"},
    {C1, 32, 2, 1, "past the end of the directory"},
    {C0, 34, 2, 1, "another disk"},
    {C0, 34, 2, 0xffff, "another disk"},
    {C0, 42, 4, 1, "no local header"},
    {C0, 42, 4, 0x7fffffff, "outside the area of members"},
    {C0, 42, 4, 0xffffffff, extra_field},
    {C0, 46, 1, 'z', disagree},
    {C0, 46, 1, 0, disagree},
    {L0, 0, 4, 0, "no local header"},
    {L0, 0, 4, 0x02014b50, "no local header"},
    {L0, 6, 2, 1, disagree},
    {L0, 6, 2, 8, disagree},
    {L0, 8, 2, 0, disagree},
    {L0, 14, 4, 0, disagree},
    {L0, 18, 4, 0, disagree},
    {L0, 18, 4, 0xffffffff, disagree},
    {L0, 22, 4, 0, disagree},
    {L0, 22, 4, 0xffffffff, disagree},
    {L0, 26, 2, 4, disagree},
    {L0, 26, 2, 0xffff, "no local header"},
    {L0, 28, 2, 1, disagree},
    {L0, 28, 2, 0xffff, "no local header"},
    {L1, 28, 2, 8, disagree},
    {L0, 30, 1, '/', disagree},
    {L0, 35, 1, 0xff, "does not decompress"},
    {L0, 40, 1, 0xff, "does not decompress"},
    {L1, 97, 1, 'z', "wrong checksum"},
    {L1, 35, 1, 'z', "wrong checksum"},
};

static void hostile_archives_are_refused_with_the_reason(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        zip z = zip_of(run_and_y, 2, "");
        const size_t at[] = {z.local[0], z.local[1], z.central[0], z.central[1], z.end};
        const char *reason = hostile[i].reason;
        upload u;
        problem p;
        set(z.bytes + at[hostile[i].record] + hostile[i].offset, hostile[i].bytes,
            hostile[i].value);
        if (read_zip(&z, 4096, &u, &p) || !strstr(p.errors[0].detail, reason))
            fail_msg("row %zu: %s", i, p.errors[0].detail);
        buffer_free(&u.inflated);
        free(z.bytes);
    }
}

/* Fields of the zip64 records, from the end of the directory on, and of an extra field. */
static void hostile_zip64_records_are_refused_with_the_reason(void **state) {
    (void)state;
    static const struct {
        int from_end; /* before the end record; 0: from the extra field of the second entry */
        unsigned offset, bytes;
        uint64_t value;
        const char *reason;
    } table[] = {
        {76, 0, 4, 0, "does not point to a zip64 end record"},
        {76, 4, 8, 43, "does not point to a zip64 end record"},
        {76, 4, 8, UINT64_MAX, "does not point to a zip64 end record"},
        {76, 16, 4, 1, "does not point to a zip64 end record"},
        {76, 20, 4, 1, "does not point to a zip64 end record"},
        {76, 24, 8, 1, "does not point to a zip64 end record"},
        {76, 32, 8, UINT64_MAX, "does not point to a zip64 end record"},
        {76, 40, 8, UINT64_MAX, "no central directory"},
        {76, 40, 8, 0, "no central directory"},
        {76, 48, 8, UINT64_MAX, "no central directory"},
        {76, 48, 8, 0, "no central directory"},
        {20, 0, 4, 0, "no central directory"},
        {20, 4, 4, 1, "invalid zip64 locator"},
        {20, 8, 8, 0, "does not point to a zip64 end record"},
        {20, 8, 8, UINT64_MAX, "invalid zip64 locator"},
        {20, 8, 8, UINT64_MAX - 55, "invalid zip64 locator"},
        {20, 16, 4, 2, "invalid zip64 locator"},
        {-22, 8, 4, 0x00030003, "contradict each other"},
        {-22, 12, 4, 7, "contradict each other"},
        {-22, 16, 4, 7, "contradict each other"},
        {0, 2, 2, 0xffff, "invalid extra field"},
        {0, 2, 2, 2, "invalid extra field"},
        {0, 5, 2, 2, "invalid extra field"},
        {0, 7, 2, 23, "invalid extra field"},
        {0, 7, 2, 25, "invalid extra field"},
        {0, 9, 8, UINT64_MAX, "its two sizes differ"},
        {0, 17, 8, UINT64_MAX, "its two sizes differ"},
        {0, 25, 8, UINT64_MAX, "outside the area of members"},
        {0, 25, 8, UINT64_MAX - 29, "outside the area of members"},
        {0, 25, 8, 0, "contradicts the directory"},
    };
    part parts[] = {x_and_y[0], x_and_y[1]};
    parts[0].wide = parts[1].wide = true;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        zip z = zip_of(parts, 2, "");
        upload u;
        problem p;
        size_t at = table[i].from_end == 0     ? z.central[1] + 46 + 5
                    : table[i].from_end == -22 ? z.end
                                               : z.end - (size_t)table[i].from_end;
        set(z.bytes + at + table[i].offset, table[i].bytes, table[i].value);
        if (read_zip(&z, 4096, &u, &p) || !strstr(p.errors[0].detail, table[i].reason))
            fail_msg("row %zu: %s", i, p.errors[0].detail);
        buffer_free(&u.inflated);
        free(z.bytes);
    }
}

static void members_that_overlap_are_refused(void **state) {
    (void)state;
    part parts[] = {x_and_y[1], x_and_y[1]};
    upload u;
    problem p;
    /* Two names of one member. */
    zip z = zip_of(parts, 2, "");
    set(z.bytes + z.central[1] + 42, 4, 0);
    assert_false(read_zip(&z, 4096, &u, &p));
    assert_non_null(strstr(p.errors[0].detail, "overlaps another member"));
    free(z.bytes);
    /* A member that holds another. */
    zip inner = zip_of(&x_and_y[1], 1, "");
    part outer[] = {{"x.npy", STORED, 0, inner.bytes, inner.central[0], false}, x_and_y[1]};
    z = zip_of(outer, 2, "");
    set(z.bytes + z.central[1] + 42, 4, 35);
    assert_false(read_zip(&z, 4096, &u, &p));
    assert_non_null(strstr(p.errors[0].detail, "overlaps another member"));
    free(z.bytes);
    free(inner.bytes);
}

static void a_name_that_comes_twice_is_refused(void **state) {
    (void)state;
    const part parts[] = {x_and_y[0], x_and_y[1], x_and_y[0]};
    upload u;
    problem p;
    zip z = zip_of(parts, 3, "");
    assert_false(read_zip(&z, 4096, &u, &p));
    assert_string_equal(p.errors[0].detail, "the body holds two arrays named x");
    free(z.bytes);
}

static void a_member_that_is_not_an_npy_file_is_refused_by_name(void **state) {
    (void)state;
    static const part table[] = {
        {"y.root.npy", STORED, 0, BYTES(""), false},
        {"y.root.npy", DEFLATED, 0, BYTES("PK"), false},
        {"y.root.npy", STORED, 0, BYTES(NPY("(4,)", "abc")), false},
        {"y.root.npy", DEFLATED, 0, BYTES(NPY("(9,)", "abcdefgh")), false},
        {"y.root.npy", STORED, 0, BYTES(NPY("(0,)", "")), false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        upload u;
        problem p;
        zip z = zip_of(&table[i], 1, "");
        assert_false(read_zip(&z, 4096, &u, &p));
        assert_int_equal(p.status, 400);
        assert_string_equal(p.errors[0].parameter, "y.root");
        buffer_free(&u.inflated);
        free(z.bytes);
    }
}

static void an_archive_cut_anywhere_is_refused(void **state) {
    (void)state;
    for (unsigned wide = 0; wide < 2; wide++) {
        part parts[] = {x_and_y[0], x_and_y[1]};
        parts[0].wide = parts[1].wide = wide;
        zip z = zip_of(parts, 2, "");
        for (size_t length = 0; length < z.length; length++) {
            upload u;
            problem p;
            zip front = exact(z.bytes, length), back = exact(z.bytes + z.length - length, length);
            assert_false(read_zip(&front, 4096, &u, &p));
            buffer_free(&u.inflated);
            assert_false(read_zip(&back, 4096, &u, &p));
            buffer_free(&u.inflated);
            free(front.bytes);
            free(back.bytes);
        }
        free(z.bytes);
    }
}

static bool within(const array *a, const unsigned char *bytes, size_t length) {
    return bytes && a->bytes >= bytes && a->bytes + a->shape[0] <= bytes + length;
}

static void an_archive_changed_anywhere_is_read_or_refused(void **state) {
    (void)state;
    static const unsigned char bytes[] = {0, 1, 8, 'P', 0x7f, 0x80, 0xff};
    part parts[] = {x_and_y[0], x_and_y[1], x_and_y[0]};
    parts[1].wide = true;
    parts[2].name = "z.npy";
    parts[2].flags = 8;
    for (unsigned wide = 0; wide < 2; wide++) {
        parts[0].wide = wide;
        zip good = zip_of(parts, 3, "");
        for (size_t at = 0; at < good.length; at++)
            for (size_t b = 0; b < sizeof bytes; b++) {
                upload u;
                problem p;
                zip z = exact(good.bytes, good.length);
                z.bytes[at] = bytes[b];
                if (read_zip(&z, 4096, &u, &p))
                    for (unsigned i = 0; i < u.count; i++)
                        assert_true(within(&u.arrays[i], z.bytes, z.length) ||
                                    within(&u.arrays[i], u.inflated.bytes, u.inflated.length));
                buffer_free(&u.inflated);
                free(z.bytes);
            }
        free(good.bytes);
    }
}

static void random_bytes_are_refused(void **state) {
    (void)state;
    uint64_t seed = 3;
    for (unsigned i = 0; i < 20000; i++) {
        unsigned char bytes[200];
        upload u;
        problem p;
        for (size_t k = 0; k < sizeof bytes; k++)
            bytes[k] = (unsigned char)(unit_random(&seed) >> 56);
        set(bytes, 4, 0x04034b50);
        set(bytes + sizeof bytes - 22, 4, 0x06054b50);
        set(bytes + sizeof bytes - 2, 2, 0);
        zip z = exact(bytes, sizeof bytes);
        assert_false(read_zip(&z, 4096, &u, &p));
        free(z.bytes);
    }
}

static void a_body_is_known_by_its_first_record(void **state) {
    (void)state;
    zip z = zip_of(x_and_y, 2, ""), none = zip_of(x_and_y, 0, "");
    assert_true(npz_begins(z.bytes, z.length));
    assert_true(npz_begins(none.bytes, none.length));
    assert_false(npz_begins(z.bytes, 21));
    assert_false(npz_begins(z.bytes + 1, z.length - 1));
    free(z.bytes);
    free(none.bytes);
}

RUN(T(members_are_read_stored_and_deflated_however_they_are_framed),
    T(an_empty_archive_holds_zero_arrays), T(inflated_arrays_are_aligned_as_in_their_file),
    T(nothing_is_allocated_for_more_than_the_cap), T(a_bomb_is_refused_for_its_claimed_size),
    T(names_are_words_with_the_suffix), T(more_members_than_are_taken_are_refused),
    T(hostile_archives_are_refused_with_the_reason),
    T(hostile_zip64_records_are_refused_with_the_reason), T(members_that_overlap_are_refused),
    T(a_name_that_comes_twice_is_refused), T(a_member_that_is_not_an_npy_file_is_refused_by_name),
    T(an_archive_cut_anywhere_is_refused), T(an_archive_changed_anywhere_is_read_or_refused),
    T(random_bytes_are_refused), T(a_body_is_known_by_its_first_record))
