/* Rows, labels and dense targets in one safetensors file: the arrays x, y, y.NAME, dense and
 * dense.NAME. */
#include "extras.h"

#include <string.h>

static bool import_upload(const import *in, const upload *all, const mapped_file *file) {
    const array *x = upload_find(all, "x"), *heads[DATASET_HEADS];
    unsigned count = 0;
    if (!x)
        return import_fail(in, "'%s' holds no array named x", in->files[0]);
    for (unsigned i = 0; i < all->count; i++) {
        const array *y = &all->arrays[i];
        if (y == x)
            continue;
        if (strcmp(y->name, "dense") == 0 || strncmp(y->name, "dense.", 6) == 0) {
            if (!extras_add(in, y))
                return false;
            continue;
        }
        if (strcmp(y->name, "y") != 0 && strncmp(y->name, "y.", 2) != 0)
            return import_fail(in,
                               "'%s' holds an array named %s; only x, y, y.NAME, dense and "
                               "dense.NAME are supported",
                               in->files[0], y->name);
        if (count == DATASET_HEADS)
            return import_fail(in, "there are more than %d heads of labels", DATASET_HEADS);
        heads[count++] = y;
    }
    return import_arrays(in, &(import_sources){.x = x, .y = heads, .heads = count, .files = file});
}

static bool run(const import *in) {
    mapped_file file = {0};
    problem p = {0};
    upload all = {.inflated = buffer_of(0)};
    bool good = import_map(in, in->files[0], &file);
    const upload_body body = {.bytes = file.bytes, .length = file.length};
    if (good && !format_safetensors.read(&body, &all, &p))
        good = import_fail(in, "'%s': %s", in->files[0], p.errors[0].detail);
    good = good && import_upload(in, &all, &file);
    mapped_file_close(&file);
    return good;
}

const import_kind import_safetensors = {
    "safetensors",
    "FILE",
    "arrays named x, y or y.NAME for labels, dense or dense.NAME for dense targets",
    1,
    1,
    IMPORT_LAYOUT | IMPORT_CLASSES | IMPORT_VALUES | IMPORT_DENSE | IMPORT_NEIGHBOURS,
    run,
    IMPORT_MAPS_NONE};
