/* Rows and labels in one safetensors file: the arrays x, y and y.NAME. */
#include "import.h"

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
        if (strcmp(y->name, "y") != 0 && strncmp(y->name, "y.", 2) != 0)
            return import_fail(in,
                               "'%s' holds an array named %s; only x, y and y.NAME are supported",
                               in->files[0], y->name);
        if (count == DATASET_HEADS)
            return import_fail(in, "there are more than %d heads of labels", DATASET_HEADS);
        heads[count++] = y;
    }
    return import_arrays(in, x, heads, count, file);
}

static bool run(const import *in) {
    mapped_file file = {0};
    problem p = {0};
    upload all = {.inflated = buffer_of(0)};
    query q;
    query_init(&q);
    bool good = import_map(in, in->files[0], &file);
    if (good && !format_safetensors.read(file.bytes, file.length, &q, &all, &p))
        good = import_fail(in, "'%s': %s", in->files[0], p.errors[0].detail);
    good = good && import_upload(in, &all, &file);
    mapped_file_close(&file);
    return good;
}

const import_kind import_safetensors = {"safetensors",
                                        "FILE",
                                        "arrays named x, and y or y.NAME if there are labels",
                                        1,
                                        1,
                                        IMPORT_LAYOUT | IMPORT_CLASSES,
                                        run};
