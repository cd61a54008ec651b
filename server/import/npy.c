/* Rows in one npy file, labels in another. */
#include "import.h"

static bool run(const import *in) {
    mapped_file files[2] = {{0}, {0}};
    array x, y;
    const array *const heads[] = {&y};
    bool has_labels = in->count == 2;
    bool good =
        import_map_npy(in, in->files[0], "x", &files[0], &x) &&
        (!has_labels || import_map_npy(in, in->files[1], "y", &files[1], &y)) &&
        import_arrays(in,
                      &(import_sources){.x = &x, .y = heads, .heads = has_labels, .files = files});
    mapped_file_close(&files[0]);
    mapped_file_close(&files[1]);
    return good;
}

const import_kind import_npy = {"npy",
                                "X [Y]",
                                "NumPy arrays: the rows, and their labels",
                                1,
                                2,
                                IMPORT_LAYOUT | IMPORT_CLASSES | IMPORT_VALUES | IMPORT_DENSE |
                                    IMPORT_NEIGHBOURS,
                                run,
                                IMPORT_MAPS_NONE};
