/* The binary files of CIFAR-10 (a label and 3,072 bytes a record) and CIFAR-100 (two labels). */
#include "import.h"

#include <stdlib.h>
#include <string.h>

#define PIXELS 3072

/* Labels a record: 1 or 2, by what the length is a multiple of; 0 neither. */
static unsigned labels_of(const map *file) {
    bool one = file->length % (PIXELS + 1) == 0, two = file->length % (PIXELS + 2) == 0;
    return file->length == 0 || one == two ? 0 : one ? 1 : 2;
}

/* All files. */
typedef struct batch {
    writer *w;
    unsigned labels; /* a record */
    uint64_t rows, room;
    unsigned char *numbers[2]; /* of each record */
} batch;

static bool reserve(const import *in, batch *b, uint64_t rows) {
    for (unsigned i = 0; i < b->labels; i++) {
        unsigned char *more = realloc(b->numbers[i], (size_t)(b->rows + rows));
        if (!more)
            return import_fail(in, "out of memory");
        b->numbers[i] = more;
    }
    return true;
}

static bool take_file(const import *in, const char *path, batch *b) {
    map file = {0};
    const writer_facts facts = {
        .type = DTYPE_U8, .rank = 3, .side = {3, 32, 32}, .layout = LAYOUT_CHANNELS_FIRST};
    bool good = import_map(in, path, &file);
    unsigned labels = good ? labels_of(&file) : 0;
    if (good && (labels == 0 || (b->labels && labels != b->labels)))
        good = import_fail(in, "'%s' has %zu bytes, which are no records of %s", path, file.length,
                           b->labels == 1   ? "CIFAR-10"
                           : b->labels == 2 ? "CIFAR-100"
                                            : "either CIFAR");
    b->labels = labels;
    if (good && !b->w)
        good = (b->w = writer_new(in->path, &facts, in->errors)) != NULL;
    uint64_t record = PIXELS + labels, rows = good ? file.length / record : 0;
    good = good && reserve(in, b, rows);
    for (uint64_t i = 0; i < rows && good; i++, b->rows++) {
        const unsigned char *at = file.bytes + i * record;
        for (unsigned l = 0; l < labels; l++)
            b->numbers[l][b->rows] = at[l];
        good = writer_rows(b->w, at + labels, 1);
    }
    good = good && import_unchanged(in, path, &file);
    map_close(&file);
    return good;
}

static bool write_labels(batch *b) {
    static const char *const ten[] = {"y"}, *const hundred[] = {"y.coarse", "y.fine"};
    static const uint64_t classes[] = {10, 20, 100};
    bool good = true;
    for (unsigned l = 0; l < b->labels && good; l++) {
        const char *name = b->labels == 1 ? ten[l] : hundred[l];
        const array y = {
            .name = "y", .bytes = b->numbers[l], .type = DTYPE_U8, .rank = 1, .shape = {b->rows}};
        good = writer_head(b->w, name, &y, classes[b->labels == 1 ? 0 : 1 + l]);
    }
    return good;
}

static bool run(const import *in) {
    batch b = {0};
    bool good = true;
    for (unsigned i = 0; i < in->count && good; i++)
        good = take_file(in, in->files[i], &b);
    good = good && write_labels(&b);
    if (good)
        good = writer_finish(b.w);
    else
        writer_abandon(b.w);
    free(b.numbers[0]);
    free(b.numbers[1]);
    return good;
}

const import_kind import_cifar = {"cifar", "FILE... of CIFAR-10 or CIFAR-100, binary version", 1,
                                  1000, run};
