/* Rows in one npy file, labels in another. */
#include "formats/npy.h"
#include "import.h"

#include <stdio.h>

static bool read_array(const import *in, const char *path, const char *name, mapped_file *file,
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
    mapped_file files[2] = {{0}, {0}};
    array x, y;
    const array *const heads[] = {&y};
    bool has_labels = in->count == 2;
    bool good = read_array(in, in->files[0], "x", &files[0], &x) &&
                (!has_labels || read_array(in, in->files[1], "y", &files[1], &y)) &&
                import_arrays(in, &x, heads, has_labels, files);
    mapped_file_close(&files[0]);
    mapped_file_close(&files[1]);
    return good;
}

const import_kind import_npy = {"npy", "X [Y]", "NumPy arrays: the rows, and their labels",
                                1,     2,       IMPORT_LAYOUT | IMPORT_CLASSES,
                                run};
