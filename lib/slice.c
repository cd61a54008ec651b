#include "slice.h"

bool fmix_slice_is_valid(const fmix_slice *slice) {
    const fmix_rows *rows = slice->rows;
    if (slice->n == 0)
        return true;
    if (slice->first >= rows->count || slice->n > rows->count - slice->first)
        return false;
    return rows->t || rows->index <= UINT64_MAX - (slice->first + slice->n - 1);
}

/* The row of the batch whose t row i draws at. */
static uint64_t drawing_row(const fmix_slice *slice, uint64_t i) {
    uint64_t mirror = slice->rows->count - 1 - i;
    switch (slice->scope) {
    case FMIX_SCOPE_SAMPLE:
        break;
    case FMIX_SCOPE_BATCH:
        return 0;
    case FMIX_SCOPE_PAIR:
        return mirror < i ? mirror : i;
    }
    return i;
}

uint64_t fmix_slice_t(const fmix_slice *slice, uint64_t i) {
    uint64_t row = drawing_row(slice, i);
    return slice->rows->t ? slice->rows->t[row] : slice->rows->index + row;
}
