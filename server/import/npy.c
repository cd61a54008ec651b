/* Rows in one npy file, labels in another. */
#include "import.h"

#include <stdio.h>

static bool read_array(const import *in, const char *path, const char *name, map *file,
                       array *out) {
    problem p = {0};
    *out = (array){.name = ""};
    snprintf(out->name, sizeof out->name, "%s", name);
    if (!import_map(in, path, file))
        return false;
    return npy_read_array(file->bytes, file->length, out, &p) ||
           import_fail(in, "'%s': %s", path, p.errors[0].detail);
}

static bool run(const import *in) {
    map x_file = {0}, y_file = {0};
    array x, y;
    const array *const heads[] = {&y};
    bool labelled = in->count == 2;
    bool good = read_array(in, in->files[0], "x", &x_file, &x) &&
                (!labelled || read_array(in, in->files[1], "y", &y_file, &y)) &&
                import_arrays(in, &x, heads, labelled);
    map_close(&x_file);
    map_close(&y_file);
    return good;
}

const import_kind import_npy = {"npy", "X.npy [Y.npy]", 1, 2, run};
