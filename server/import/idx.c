/* MNIST's format: two zeros, a type, how many sides, the sides and the elements, big-endian; as it
 * is or as gzip. */
#include "import.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#define INFLATED_MOST ((size_t)8 << 30)

/* A file's bytes, mapped or inflated, then brought into little-endian order. */
typedef struct idx {
    map file;
    unsigned char *bytes; /* owned */
    size_t length;
} idx;

static void idx_close(idx *f) {
    map_close(&f->file);
    free(f->bytes);
    f->bytes = NULL;
}

/* The last four bytes of gzip are the length, modulo 2^32; the format's own sides decide what more
 * there is. */
static bool inflate(const import *in, const char *path, idx *f) {
    const unsigned char *z = f->file.bytes;
    size_t n = f->file.length;
    uint64_t told = n < 18 ? 0
                           : (uint64_t)z[n - 4] | (uint64_t)z[n - 3] << 8 |
                                 (uint64_t)z[n - 2] << 16 | (uint64_t)z[n - 1] << 24;
    if (told == 0 || told > (uint64_t)n * 1032 || told > INFLATED_MOST)
        return import_fail(in, "'%s' is no gzip file that this reads", path);
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    f->bytes = malloc((size_t)told);
    enum libdeflate_result result = LIBDEFLATE_BAD_DATA;
    if (d && f->bytes)
        result = libdeflate_gzip_decompress(d, z, n, f->bytes, (size_t)told, &f->length);
    libdeflate_free_decompressor(d);
    return result == LIBDEFLATE_SUCCESS || import_fail(in, "'%s' is broken gzip", path);
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

const import_kind import_idx = {"idx", "IMAGES [LABELS], as MNIST has them, or that as .gz", 1, 2,
                                run};
