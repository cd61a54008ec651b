#include "label.h"
#include "convert.h"

#include <stdlib.h>

/* The label of one sample in float64, smoothed. False: the class number is out of range. */
static bool load_row(const fmix_labels *l, const unsigned char *y, uint64_t row, double *out) {
    uint64_t size = fmix_dtype_bytes(l->dtype);
    if (l->numbers) {
        double number;
        fmix_load(l->dtype, y + row * size, 1, &number);
        if (!(number >= 0 && number < (double)l->classes))
            return false;
        for (uint64_t c = 0; c < l->classes; c++)
            out[c] = (double)c == number;
    } else {
        fmix_load(l->dtype, y + row * l->classes * size, l->classes, out);
    }
    double share = l->smoothing / (double)l->classes;
    for (uint64_t c = 0; c < l->classes && l->smoothing != 0; c++)
        out[c] = (1 - l->smoothing) * out[c] + share;
    return true;
}

bool fmix_label_is_valid(const fmix_labels *l) {
    return (unsigned)l->dtype < FMIX_DTYPES && l->dtype != FMIX_DTYPE_BITS && l->classes > 0 &&
           l->classes <= FMIX_MAX_CLASSES && l->smoothing >= 0 && l->smoothing <= 1 &&
           l->numbers != fmix_dtype_floats(l->dtype);
}

fmix_status fmix_label_slice(const fmix_plan *plan, const fmix_labels *l, const fmix_slice *slice,
                             float *out) {
    if (!fmix_label_is_valid(l))
        return FMIX_ERROR_RANGE;
    double *y1 = malloc(2 * (size_t)l->classes * sizeof *y1), *y2 = y1 ? y1 + l->classes : NULL;
    fmix_status status = y1 ? FMIX_OK : FMIX_ERROR_MEMORY;
    for (uint64_t i = slice->first; i < slice->first + slice->n && status == FMIX_OK; i++) {
        fmix_row row;
        uint64_t partner = l->y2 ? i : (uint64_t)l->pairing[i];
        status = fmix_plan_row(plan, fmix_slice_t(slice, i), &row);
        if (status == FMIX_OK &&
            (!load_row(l, l->y, i, y1) || !load_row(l, l->y2 ? l->y2 : l->y, partner, y2)))
            status = FMIX_ERROR_RANGE;
        bool masks = plan->method->draw != NULL;
        double w = l->uncorrected && masks ? (double)row.lambda * 0x1p-32 : row.lambda_effective;
        for (uint64_t c = 0; c < l->classes && status == FMIX_OK; c++)
            y1[c] = w * y1[c] + (1 - w) * y2[c];
        if (status == FMIX_OK)
            fmix_store(FMIX_DTYPE_F32, y1, l->classes, out + (i - slice->first) * l->classes);
    }
    free(y1);
    return status;
}

fmix_status fmix_plan_labels(const fmix_plan *plan, const fmix_labels *labels, uint64_t index,
                             uint64_t first, uint64_t n, float *out) {
    const fmix_rows rows = {.count = UINT64_MAX, .index = index};
    const fmix_slice slice = {&rows, fmix_plan_scope(plan), first, n};
    return fmix_slice_is_valid(&slice) ? fmix_label_slice(plan, labels, &slice, out)
                                       : FMIX_ERROR_RANGE;
}
