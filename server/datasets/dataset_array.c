#include "dataset_array.h"

unsigned dataset_array_spatial(const dataset_array *a, const uint64_t **sides) {
    *sides = a->side + (a->layout == LAYOUT_CHANNELS_FIRST);
    return a->rank - (a->layout != LAYOUT_NONE);
}

uint64_t dataset_array_channels(const dataset_array *a) {
    return a->layout == LAYOUT_CHANNELS_FIRST  ? a->side[0]
           : a->layout == LAYOUT_CHANNELS_LAST ? a->side[a->rank - 1]
                                               : 1;
}

bool dataset_array_is_ragged(const dataset_array *a) {
    return a->rank > 0 && a->side[0] == 0;
}

const unsigned char *dataset_array_row(const dataset_array *a, uint64_t row) {
    return a->file.bytes + row * a->row_bytes;
}

bool dataset_array_fits(const dataset_array *a, const dataset_array *b) {
    const uint64_t *one, *other;
    unsigned count = dataset_array_spatial(a, &one);
    bool same = dataset_array_spatial(b, &other) == count;
    for (unsigned d = 0; d < count && same; d++)
        same = one[d] == other[d];
    return same;
}
