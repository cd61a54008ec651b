/* The IDX format of MNIST, plain or compressed by gzip: two zeros, a type, the number of
 * dimensions, the dimensions and the elements, big-endian. */
#include "import.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#define GIB (UINT64_C(1) << 30)
#define INFLATED_MOST                                                                              \
    ((size_t)(SIZE_MAX / 2 < 8 * GIB ? SIZE_MAX / 2 : 8 * GIB)) /* bytes of a file */

/* The bytes of a file, copied or decompressed, then brought into little-endian order. */
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

/* Appends the gzip member at z to what was decompressed before. *used: how many of the n bytes the
 * member has. libdeflate needs memory for the whole output at once, and only the end of a member
 * tells how much; deflate makes at most 1032 bytes of one. */
static enum libdeflate_result inflate_member(struct libdeflate_decompressor *d,
                                             const unsigned char *z, size_t n, idx *f,
                                             size_t *used) {
    size_t left = INFLATED_MOST - f->length, most = n > left / 1032 ? left : n * 1032, made = 0;
    for (size_t room = 4 * n + 4096;; room *= 4) {
        room = room < most ? room : most;
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

static bool is_gzip(const unsigned char *at, size_t n) {
    return n >= 2 && at[0] == 0x1f && at[1] == 0x8b;
}

static bool are_zeros(const unsigned char *at, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (at[i] != 0)
            return false;
    return true;
}

/* Decompresses as the program gzip does: the file holds one member or several, and may end in
 * zeros, which tapes and disk blocks add. */
static bool inflate_all(const import *in, const char *path, struct libdeflate_decompressor *d,
                        idx *f) {
    const unsigned char *z = f->file.bytes;
    size_t left = f->file.length, used = 0;
    for (unsigned member = 1; left > 0 && (member == 1 || !are_zeros(z, left)); member++) {
        if (!is_gzip(z, left))
            return import_fail(in, "'%s' has %zu bytes after the gzip data that are not gzip", path,
                               left);
        switch (inflate_member(d, z, left, f, &used)) {
        case LIBDEFLATE_SUCCESS:
            break;
        case LIBDEFLATE_INSUFFICIENT_SPACE:
            return import_fail(
                in, "'%s' takes more than %zu bytes, or than there is memory for, decompressed",
                path, INFLATED_MOST);
        default:
            return import_fail(in, "'%s': member %u of the gzip data is corrupt or truncated", path,
                               member);
        }
        z += used;
        left -= used;
    }
    return true;
}

static bool inflate(const import *in, const char *path, idx *f) {
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    bool good = d ? inflate_all(in, path, d, f) : import_fail(in, "out of memory");
    libdeflate_free_decompressor(d);
    return good;
}

static bool load(const import *in, const char *path, idx *f) {
    if (!import_map(in, path, &f->file))
        return false;
    const unsigned char *b = f->file.bytes;
    if (is_gzip(b, f->file.length))
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

static bool read_array(const import *in, const char *path, const char *name, idx *f, array *out) {
    problem p = {0};
    *out = (array){.name = ""};
    snprintf(out->name, sizeof out->name, "%s", name);
    if (!load(in, path, f))
        return false;
    const unsigned char *b = f->bytes;
    size_t head = f->length < 4 ? 0 : 4 + 4 * (size_t)b[3];
    if (f->length < 4 || b[0] || b[1] || !type_of(b[2], &out->type) || f->length < head)
        return import_fail(in, "'%s' is not an idx file: its header is not valid", path);
    if (b[3] < 1 || b[3] > QUERY_RANK)
        return import_fail(in, "'%s' has %u dimensions; 1 to %d are supported", path, b[3],
                           QUERY_RANK);
    out->rank = b[3];
    for (unsigned d = 0; d < out->rank; d++) {
        const unsigned char *at = b + 4 + 4 * d;
        out->shape[d] =
            (uint64_t)at[0] << 24 | (uint64_t)at[1] << 16 | (uint64_t)at[2] << 8 | at[3];
    }
    out->bytes = b + head;
    if (!array_check(out, f->length - head, &p))
        return import_fail(in, "'%s': %s", path, p.errors[0].detail);
    dtype_reverse(out->type, f->bytes + head, f->length - head);
    return true;
}

static bool run(const import *in) {
    idx x_file = {0}, y_file = {0};
    array x, y;
    const array *const heads[] = {&y};
    bool has_labels = in->count == 2;
    bool good = read_array(in, in->files[0], "x", &x_file, &x) &&
                (!has_labels || read_array(in, in->files[1], "y", &y_file, &y)) &&
                import_arrays(in, &(import_sources){.x = &x, .y = heads, .heads = has_labels});
    idx_close(&x_file);
    idx_close(&y_file);
    return good;
}

const import_kind import_idx = {"idx",
                                "IMAGES [LABELS]",
                                "the format of MNIST, plain or compressed by gzip",
                                1,
                                2,
                                IMPORT_LAYOUT | IMPORT_CLASSES | IMPORT_VALUES | IMPORT_DENSE |
                                    IMPORT_NEIGHBOURS,
                                run,
                                IMPORT_MAPS_NONE};
