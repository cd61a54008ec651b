#include "blend.h"
#include "mask.h"

static size_t element_size(fmix_dtype dtype) {
    return dtype == FMIX_DTYPE_F32 ? 4 : 1;
}

static void interpolate(double m, const fmix_batch *batch, uint64_t n, const unsigned char *a,
                        const unsigned char *b, unsigned char *out) {
    if (batch->dtype == FMIX_DTYPE_F32)
        fmix_blend_f32(m, n, (const void *)a, (const void *)b, (void *)out);
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

fmix_status fmix_plan_mix(const fmix_plan *plan, fmix_scratch *scratch, const fmix_batch *batch,
                          uint64_t index, uint64_t first, uint64_t n, void *out) {
    if (batch->dtype == FMIX_DTYPE_BITS || batch->channels == 0 ||
        (n && (first > UINT64_MAX - index || index + first > UINT64_MAX - (n - 1))))
        return FMIX_ERROR_RANGE;
    uint64_t values = plan->elements * batch->channels;
    uint64_t bytes = values * element_size(batch->dtype);
    const unsigned char *x = batch->x;
    unsigned char *at = out;
    bool interpolates = plan->recipe.method == FMIX_METHOD_MIXUP;
    fmix_status status = FMIX_OK;
    if (!interpolates)
        status = fmix_scratch_reserve_mask(scratch, plan->elements);
    for (uint64_t i = first; i < first + n && status == FMIX_OK; i++, at += bytes) {
        const unsigned char *a = x + i * bytes, *b = x + (uint64_t)batch->pairing[i] * bytes;
        fmix_row row;
        status = fmix_plan_row(plan, index + i, &row);
        if (status != FMIX_OK)
            break;
        if (interpolates) {
            interpolate(row.lambda_effective, batch, values, a, b, at);
            continue;
        }
        status = fmix_mask_draw(plan, scratch, index + i, &row, scratch->mask);
        if (status == FMIX_OK)
            choose(batch, scratch->mask, plan->elements, a, b, at);
    }
    fmix_scratch_trim(scratch);
    return status;
}
