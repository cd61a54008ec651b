/* Rows that have lengths of their own: all their steps in one npy file, and in another where each
 * row begins, and the last one ends. */
#include "import.h"

#include <inttypes.h>

static int64_t offset_at(const array *offsets, uint64_t i) {
    return dtype_integer(offsets->type, offsets->bytes + i * dtype_table[offsets->type].size);
}

static bool check_shape(const import *in, const array *offsets) {
    if (dtype_floats(offsets->type) || offsets->type == DTYPE_BOOL)
        return import_fail(in, "'%s' has type %s; offsets must be integers", in->files[1],
                           dtype_table[offsets->type].name);
    return (offsets->rank == 1 && offsets->shape[0] >= 2) ||
           import_fail(in,
                       "'%s' must have one dimension, one longer than there are rows: where each "
                       "row begins in '%s', and where the last one ends",
                       in->files[1], in->files[0]);
}

/* Names the first empty row, and counts them all. */
static bool refuse_empty(const import *in, const array *offsets, uint64_t row) {
    uint64_t empty = 0;
    for (uint64_t i = row; i + 1 < offsets->shape[0]; i++)
        empty += offset_at(offsets, i) == offset_at(offsets, i + 1);
    return import_fail(in,
                       "row %" PRIu64 " is empty: it begins and ends at %" PRId64
                       " (empty rows: %" PRIu64
                       "); leave such rows out, with their labels, or give each one pad token",
                       row, offset_at(offsets, row), empty);
}

static bool check_offsets(const import *in, const array *x, const array *offsets) {
    uint64_t last = offsets->shape[0] - 1;
    if (offset_at(offsets, 0) != 0)
        return import_fail(in, "'%s' begins with %" PRId64 "; offsets must begin with 0",
                           in->files[1], offset_at(offsets, 0));
    for (uint64_t i = 0; i < last; i++) {
        int64_t begin = offset_at(offsets, i), end = offset_at(offsets, i + 1);
        if (end == begin)
            return refuse_empty(in, offsets, i);
        if (end < begin || end - begin > UINT32_MAX)
            return import_fail(in,
                               "row %" PRIu64 " begins at %" PRId64 " and ends at %" PRId64
                               "; offsets must rise, by at most %" PRIu32,
                               i, begin, end, UINT32_MAX);
    }
    return (uint64_t)offset_at(offsets, last) == x->shape[0] ||
           import_fail(in, "the last row ends at %" PRId64 ", but '%s' has %" PRIu64 " steps",
                       offset_at(offsets, last), in->files[0], x->shape[0]);
}

static bool run(const import *in) {
    mapped_file files[3] = {{0}, {0}, {0}};
    array x, offsets, y;
    const array *const heads[] = {&y};
    bool has_labels = in->count == 3;
    bool good = import_map_npy(in, in->files[0], "x", &files[0], &x) &&
                import_map_npy(in, in->files[1], "offsets", &files[1], &offsets) &&
                (!has_labels || import_map_npy(in, in->files[2], "y", &files[2], &y)) &&
                (x.rank > 0 || import_fail(in, "'%s' has no dimensions", in->files[0])) &&
                check_shape(in, &offsets) && check_offsets(in, &x, &offsets) &&
                import_arrays(in, &(import_sources){&x, &offsets, heads, has_labels, files});
    for (unsigned i = 0; i < 3; i++)
        mapped_file_close(&files[i]);
    return good;
}

const import_kind import_ragged = {
    "ragged",
    "X OFFSETS [Y]",
    "NumPy arrays for rows of any length, of token ids or embeddings: all rows, one after another, "
    "the offsets [n + 1] where each row begins and the last ends, and the labels",
    2,
    3,
    IMPORT_LAYOUT | IMPORT_CLASSES | IMPORT_VALUES | IMPORT_NEIGHBOURS,
    run,
    IMPORT_MAPS_NONE};
