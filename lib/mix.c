#include "blend.h"
#include "mask.h"

static size_t element_size(fmix_dtype dtype) {
    return dtype == FMIX_DTYPE_F32 ? 4 : 1;
}

static void interpolate(double m, const fmix_batch *batch, uint64_t n, const unsigned char *a,
                        const unsigned char *b, unsigned char *out) {
    if (batch->dtype == FMIX_DTYPE_F32)
        fmix_blend_f32(m, n, a, b, out);
    else
        fmix_blend_u8(m, n, a, b, out);
}

/* Every channel shares the mask. */
static void choose(const fmix_batch *batch, const unsigned char *mask, uint64_t elements,
                   const unsigned char *a, const unsigned char *b, unsigned char *out) {
    size_t size = element_size(batch->dtype);
    if (batch->layout == FMIX_CHANNELS_LAST) {
        fmix_blend_select(mask, elements, size * (size_t)batch->channels, a, b, out);
        return;
    }
    size_t plane = size * (size_t)elements;
    for (uint64_t c = 0; c < batch->channels; c++)
        fmix_blend_select(mask, elements, size, a + c * plane, b + c * plane, out + c * plane);
}

/* Rows i of a and b = row pairing[i], to where row i of the answer goes. */
typedef struct place {
    const unsigned char *a, *b;
    unsigned char *out;
} place;

static place place_of(const fmix_batch *batch, uint64_t bytes, uint64_t row, uint64_t first,
                      void *out) {
    const unsigned char *x = batch->x;
    return (place){x + row * bytes, x + (uint64_t)batch->pairing[row] * bytes,
                   (unsigned char *)out + (row - first) * bytes};
}

static fmix_status mix_up(const fmix_plan *plan, const fmix_batch *batch, uint64_t values,
                          uint64_t bytes, uint64_t index, uint64_t first, uint64_t n, void *out) {
    for (uint64_t i = first; i < first + n; i++) {
        place p = place_of(batch, bytes, i, first, out);
        fmix_row row;
        fmix_status status = fmix_plan_row(plan, index + i, &row);
        if (status != FMIX_OK)
            return status;
        interpolate(row.lambda_effective, batch, values, p.a, p.b, p.out);
    }
    return FMIX_OK;
}

static fmix_status mix_by_masks(const fmix_plan *plan, fmix_scratch *scratch,
                                const fmix_batch *batch, uint64_t bytes, uint64_t index,
                                uint64_t first, uint64_t n, void *out) {
    fmix_drawing d;
    fmix_status status = fmix_drawing_begin(&d, plan, scratch);
    for (uint64_t i = first; i < first + n && status == FMIX_OK; i++) {
        place p = place_of(batch, bytes, i, first, out);
        status = fmix_drawing_next(&d, index + i);
        if (status == FMIX_OK)
            choose(batch, scratch->mask, plan->elements, p.a, p.b, p.out);
    }
    fmix_drawing_end(&d);
    return status;
}

fmix_status fmix_plan_mix(const fmix_plan *plan, fmix_scratch *scratch, const fmix_batch *batch,
                          uint64_t index, uint64_t first, uint64_t n, void *out) {
    if (batch->dtype == FMIX_DTYPE_BITS || batch->channels == 0 ||
        (n && (first > UINT64_MAX - index || index + first > UINT64_MAX - (n - 1))))
        return FMIX_ERROR_RANGE;
    uint64_t values = plan->elements * batch->channels;
    uint64_t bytes = values * element_size(batch->dtype);
    if (plan->recipe.method == FMIX_METHOD_MIXUP)
        return mix_up(plan, batch, values, bytes, index, first, n, out);
    return mix_by_masks(plan, scratch, batch, bytes, index, first, n, out);
}
