/* MNIST's format: two zeros, a type, how many sides, the sides and the elements, big-endian; as it
 * is or as gzip. */
#include "import.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#define INFLATED_MOST ((size_t)8 << 30)

/* A file's bytes, mapped or inflated, then brought into little-endian order. */
typedef struct idx {
    mapped_file file;
    unsigned char *bytes; /* owned */
    size_t length;
} idx;

static void idx_close(idx *f) {
    mapped_file_close(&f->file);
    free(f->bytes);
    f->bytes = NULL;
}

/* A member of gzip, which begins at z, behind what is inflated already: *used of its n bytes.
 * libdeflate wants room for all of it at once, and nothing before a member's end tells how much
 * that is. Deflate makes at most 1032 bytes of one. */
static enum libdeflate_result inflate_member(struct libdeflate_decompressor *d,
                                             const unsigned char *z, size_t n, idx *f,
                                             size_t *used) {
    size_t most = n > INFLATED_MOST / 1032 ? INFLATED_MOST : n * 1032, made = 0;
    for (size_t room = 4 * n + 4096;; room *= 4) {
        room = room < most ? room : most;
        if (f->length + room > INFLATED_MOST)
            return LIBDEFLATE_INSUFFICIENT_SPACE;
        unsigned char *more = realloc(f->bytes, f->length + room);
        if (!more)
            return LIBDEFLATE_INSUFFICIENT_SPACE;
        f->bytes = more;
        enum libdeflate_result result =
            libdeflate_gzip_decompress_ex(d, z, n, more + f->length, room, used, &made);
        if (result == LIBDEFLATE_SUCCESS)
            f->length += made;
        if (result != LIBDEFLATE_INSUFFICIENT_SPACE || room == most)
            return result;
    }
}

static bool are_zeros(const unsigned char *at, size_t n) {
    while (n > 0 && *at == 0)
        at++, n--;
    return n == 0;
}

/* As gzip reads it: members one behind the other, and perhaps zeros behind them, which tapes and
 * blocks add. */
static bool inflate(const import *in, const char *path, idx *f) {
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    const unsigned char *z = f->file.bytes;
    size_t left = f->file.length, used = 0;
    unsigned members = 0;
    bool good = d || import_fail(in, "out of memory");
    while (good && left > 0 && !(members && are_zeros(z, left))) {
        if (members && (left < 2 || z[0] != 0x1f || z[1] != 0x8b)) {
            good = import_fail(in, "'%s' has %zu bytes behind its gzip data that are none", path,
                               left);
            break;
        }
        enum libdeflate_result result = inflate_member(d, z, left, f, &used);
        if (result == LIBDEFLATE_INSUFFICIENT_SPACE)
            good =
                import_fail(in, "'%s' is more than %zu bytes when unpacked, or than memory holds",
                            path, INFLATED_MOST);
        else if (result != LIBDEFLATE_SUCCESS)
            good =
                import_fail(in, "'%s' is broken gzip, or cut short (member %u)", path, members + 1);
        z += good ? used : 0;
        left -= good ? used : 0;
        members++;
    }
    libdeflate_free_decompressor(d);
    return good;
}

static bool load(const import *in, const char *path, idx *f) {
    if (!import_map(in, path, &f->file))
        return false;
    const unsigned char *b = f->file.bytes;
    if (f->file.length > 2 && b[0] == 0x1f && b[1] == 0x8b)
        return inflate(in, path, f) && import_unchanged(in, path, &f->file);
    f->length = f->file.length;
    f->bytes = malloc(f->length + 1);
    if (!f->bytes)
        return import_fail(in, "out of memory");
    if (b)
        memcpy(f->bytes, b, f->length);
    return import_unchanged(in, path, &f->file);
}

static bool type_of(unsigned char code, dtype *out) {
    static const struct {
        unsigned char code;
        dtype type;
    } types[] = {{0x08, DTYPE_U8},  {0x09, DTYPE_I8},  {0x0b, DTYPE_I16},
                 {0x0c, DTYPE_I32}, {0x0d, DTYPE_F32}, {0x0e, DTYPE_F64}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].code == code) {
            *out = types[i].type;
            return true;
        }
    return false;
}

static void reverse(unsigned char *bytes, size_t length, size_t size) {
    for (size_t i = 0; i + size <= length; i += size)
        for (size_t a = i, b = i + size - 1; a < b; a++, b--) {
            unsigned char kept = bytes[a];
            bytes[a] = bytes[b];
            bytes[b] = kept;
        }
}

static bool read_array(const import *in, const char *path, const char *name, idx *f, array *out) {
    problem p = {0};
    *out = (array){.name = ""};
    snprintf(out->name, sizeof out->name, "%s", name);
    if (!load(in, path, f))
        return false;
    const unsigned char *b = f->bytes;
    size_t head = f->length < 4 ? 0 : 4 + 4 * (size_t)b[3];
    if (f->length < 4 || b[0] || b[1] || !type_of(b[2], &out->type) || f->length < head)
        return import_fail(in, "'%s' does not begin as an idx file does", path);
    if (b[3] < 1 || b[3] > QUERY_RANK)
        return import_fail(in, "'%s' has %u sides; one to %d are read", path, b[3], QUERY_RANK);
    out->rank = b[3];
    for (unsigned d = 0; d < out->rank; d++) {
        const unsigned char *at = b + 4 + 4 * d;
        out->shape[d] =
            (uint64_t)at[0] << 24 | (uint64_t)at[1] << 16 | (uint64_t)at[2] << 8 | at[3];
    }
    out->bytes = b + head;
    if (!array_check(out, f->length - head, &p))
        return import_fail(in, "'%s': %s", path, p.errors[0].detail);
    reverse(f->bytes + head, f->length - head, dtype_table[out->type].size);
    return true;
}

static bool run(const import *in) {
    idx x_file = {0}, y_file = {0};
    array x, y;
    const array *const heads[] = {&y};
    bool labelled = in->count == 2;
    bool good = read_array(in, in->files[0], "x", &x_file, &x) &&
                (!labelled || read_array(in, in->files[1], "y", &y_file, &y)) &&
                import_arrays(in, &x, heads, labelled, NULL);
    idx_close(&x_file);
    idx_close(&y_file);
    return good;
}

const import_kind import_idx = {"idx",
                                "IMAGES [LABELS], as MNIST has them, or that as .gz",
                                1,
                                2,
                                IMPORT_LAYOUT | IMPORT_CLASSES,
                                run};
