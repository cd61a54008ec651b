/* PNG and JPEG files in one directory for each class. */
#include "pictures.h"
#include "survey.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct folder {
    const import *in;
    survey files;
    uint64_t *rows; /* of each class */
} folder;

static bool go_to_first(void *self) {
    folder *f = self;
    return sorter_rewind(f->files.files) ||
           import_fail(f->in, "the list of files cannot be read: %s", strerror(errno));
}

static picture_next next(void *self, picture_item *out) {
    folder *f = self;
    switch (survey_next(&f->files, &out->name, &out->labels[0])) {
    case SORTER_STRING:
        out->within = strlen(f->in->files[0]) + 1;
        return PICTURE_ITEM;
    case SORTER_END:
        return PICTURE_END;
    default:
        import_fail(f->in, "the list of files cannot be read: %s", strerror(errno));
        return PICTURE_FAILED;
    }
}

/* Returns true if every class has an image file; read: one that can be read. */
static bool classes_are_filled(void *self, bool read) {
    const folder *f = self;
    const uint64_t *counts = read ? f->rows : f->files.filled;
    size_t empty = 0, all = f->files.class_count;
    if (f->in->given & IMPORT_ALLOW_EMPTY)
        return true;
    for (size_t c = 0; c < all; c++)
        if (counts[c] == 0 && empty++ < REPORT_NAMED)
            import_fail(f->in, "the class '%s' has no PNG or JPEG file%s", f->files.classes[c],
                        read ? " that can be read" : "");
    return empty == 0 ||
           import_fail(f->in,
                       "%zu of %zu classes are empty; --allow-empty imports them without rows",
                       empty, all);
}

static void taken(void *self, const picture_item *item) {
    folder *f = self;
    f->rows[item->labels[0]]++;
}

static bool import_all(folder *f, dataset_writer *w) {
    picture_source source = {.self = f,
                             .rewind = go_to_first,
                             .next = next,
                             .check = classes_are_filled,
                             .taken = taken,
                             .heads = 1,
                             .head = {{.name = "y",
                                       .classes = f->files.class_count,
                                       .class_names = (const char *const *)f->files.classes}}};
    return pictures_import(f->in, &source, w);
}

static bool run(const import *in) {
    folder *f = calloc(1, sizeof *f);
    dataset_writer *w = f ? dataset_writer_open(in->path, in->errors) : NULL;
    FILE *scratch = w ? dataset_writer_scratch(w) : NULL;
    if (!f)
        return import_fail(in, "out of memory");
    f->in = in;
    bool good = scratch && survey_walk(in, scratch, &f->files);
    f->rows = good ? calloc(f->files.class_count, sizeof *f->rows) : NULL;
    if (good && !f->rows)
        good = import_fail(in, "out of memory");
    if (good)
        good = import_all(f, w);
    else
        dataset_writer_abandon(w);
    survey_free(&f->files);
    free(f->rows);
    free(f);
    return good;
}

const import_kind import_folder = {"folder",
                                   "DIRECTORY",
                                   "PNG and JPEG files of any sizes, in one directory for each "
                                   "class",
                                   1,
                                   1,
                                   IMPORT_CHANNELS | IMPORT_SKIP_BAD | IMPORT_ALLOW_EMPTY |
                                       IMPORT_DENSE | IMPORT_NEIGHBOURS | IMPORT_STORE |
                                       IMPORT_SHORT,
                                   run,
                                   IMPORT_MAPS_FOLDERS};
