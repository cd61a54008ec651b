#include "manifest_file.h"
#include "dataset_picture.h"
#include "pieces.h"

#include <stdio.h>
#include <string.h>

#define DATA_FILE       "data.bin"
#define NEIGHBOURS_FILE "neighbours.bin"
#define OFFSETS_FILE    "offsets.bin"
#define INDEX_STEM      "index"
#define LABELS_STEM     "labels"
#define DENSE_STEM      "dense"
#define COLUMN_STEM     "column"
#define ARRAY_END       ".bin"

void manifest_file_name(const dataset *d, unsigned number, char out[MANIFEST_FILE_NAME]) {
    unsigned i;
    switch (dataset_part_of(d, number, &i)) {
    case DATASET_PART_X:
        snprintf(out, MANIFEST_FILE_NAME, "%s", DATA_FILE);
        break;
    case DATASET_PART_HEAD: /* y or y.NAME */
        snprintf(out, MANIFEST_FILE_NAME, LABELS_STEM "%s" ARRAY_END, d->head[i].name + 1);
        break;
    case DATASET_PART_DENSE: /* dense or dense.NAME */
        snprintf(out, MANIFEST_FILE_NAME, "%s" ARRAY_END, d->dense[i].name);
        break;
    case DATASET_PART_NEIGHBOURS:
        snprintf(out, MANIFEST_FILE_NAME, "%s", NEIGHBOURS_FILE);
        break;
    case DATASET_PART_OFFSETS:
        snprintf(out, MANIFEST_FILE_NAME, "%s", OFFSETS_FILE);
        break;
    case DATASET_PART_INDEX:
        snprintf(out, MANIFEST_FILE_NAME, "%s", INDEX_STEM ARRAY_END);
        break;
    case DATASET_PART_MAPS:
        snprintf(out, MANIFEST_FILE_NAME, INDEX_STEM ".%s" ARRAY_END, d->dense[i].name);
    }
}

void manifest_column_name(unsigned head, char out[MANIFEST_FILE_NAME]) {
    snprintf(out, MANIFEST_FILE_NAME, COLUMN_STEM "%u" ARRAY_END, head);
}

uint64_t manifest_row_bytes(const dataset *d, unsigned number) {
    unsigned i;
    switch (dataset_part_of(d, number, &i)) {
    case DATASET_PART_X:
        return d->ragged || d->images ? 0 : d->x.row_bytes;
    case DATASET_PART_HEAD:
        return d->head[i].kind == DATASET_NUMBERS ? 4 : 4 * d->head[i].classes;
    case DATASET_PART_DENSE:
        return d->images ? 0 : d->dense[i].row_bytes;
    case DATASET_PART_NEIGHBOURS:
        return 8 * d->neighbours.k;
    case DATASET_PART_INDEX:
    case DATASET_PART_MAPS:
        return DATASET_PICTURE_ENTRY;
    default:
        return 8;
    }
}

bool manifest_file_bytes(const dataset *d, unsigned number, uint64_t *out) {
    unsigned i;
    dataset_part part = dataset_part_of(d, number, &i);
    bool ragged = part == DATASET_PART_X && d->ragged;
    uint64_t rows = ragged ? d->steps : d->count + (part == DATASET_PART_OFFSETS);
    uint64_t row = ragged ? d->x.row_bytes : manifest_row_bytes(d, number);
    bool pictures = d->images && (part == DATASET_PART_X || part == DATASET_PART_DENSE);
    bool known = !pictures && !(ragged && rows == 0);
    *out = known ? rows * row : MANIFEST_ANY_BYTES;
    return row == 0 || rows <= UINT64_MAX / row;
}

static bool is_array_file(const char *name, const char *stem) {
    size_t length = strlen(name), begin = strlen(stem), end = strlen(ARRAY_END);
    return length >= begin + end && strncmp(name, stem, begin) == 0 &&
           strcmp(name + length - end, ARRAY_END) == 0;
}

bool manifest_owns_file(const char *name) {
    static const char *const names[] = {MANIFEST_NAME,   DATA_FILE,   NEIGHBOURS_FILE,
                                        OFFSETS_FILE,    PIECES_NAME, MANIFEST_JOURNAL,
                                        MANIFEST_SCRATCH};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return is_array_file(name, LABELS_STEM) || is_array_file(name, DENSE_STEM) ||
           is_array_file(name, COLUMN_STEM) || is_array_file(name, INDEX_STEM);
}
