#include "mix.h"
#include "blend.h"
#include "mask.h"

#include <string.h>

/* One row of x and its partner's, `values` elements each, to out. */
typedef void blend_row(const fmix_batch *batch, const fmix_row *row, uint64_t values,
                       const unsigned char *a, const unsigned char *b, unsigned char *out);

static blend_row interpolate, standardise, copy;

/* A method has masks (blend NULL), or a weight and a way to blend by it. */
static const struct method {
    blend_row *blend;
    bool fixed;       /* its weight is what stands here, not lambda */
    double weight;    /* of the data */
    bool label_whole; /* the label is the row's own */
    bool floats_only;
} methods[FMIX_METHODS] = {
    [FMIX_METHOD_FMIX] = {0},
    [FMIX_METHOD_CUTMIX] = {0},
    [FMIX_METHOD_MIXUP] = {.blend = interpolate},
    [FMIX_METHOD_BC] = {.blend = interpolate},
    [FMIX_METHOD_BCPLUS] = {.blend = standardise, .floats_only = true},
    [FMIX_METHOD_SAMPLEPAIRING] = {.blend = interpolate,
                                   .fixed = true,
                                   .weight = 0.5,
                                   .label_whole = true},
    [FMIX_METHOD_NONE] = {.blend = copy, .fixed = true, .weight = 1, .label_whole = true},
};

bool fmix_method_masks(fmix_method method) {
    return !methods[method].blend;
}

void fmix_method_weigh(fmix_method method, fmix_row *row) {
    const struct method *m = &methods[method];
    row->lambda_effective = m->label_whole ? 1 : row->weight;
    if (m->fixed)
        row->weight = m->weight;
}

static size_t element_size(fmix_dtype dtype) {
    return dtype == FMIX_DTYPE_F32 ? 4 : 1;
}

static void interpolate(const fmix_batch *batch, const fmix_row *row, uint64_t values,
                        const unsigned char *a, const unsigned char *b, unsigned char *out) {
    if (batch->dtype == FMIX_DTYPE_F32)
        fmix_blend_f32(row->weight, values, a, b, out);
    else
        fmix_blend_u8(row->weight, values, a, b, out);
}

static void standardise(const fmix_batch *batch, const fmix_row *row, uint64_t values,
                        const unsigned char *a, const unsigned char *b, unsigned char *out) {
    (void)batch;
    fmix_blend_standardised(row->weight, values, a, b, out);
}

static void copy(const fmix_batch *batch, const fmix_row *row, uint64_t values,
                 const unsigned char *a, const unsigned char *b, unsigned char *out) {
    (void)row;
    (void)b;
    memcpy(out, a, (size_t)values * element_size(batch->dtype));
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

static fmix_status mix_by_weights(const fmix_plan *plan, const fmix_batch *batch, uint64_t values,
                                  uint64_t bytes, uint64_t index, uint64_t first, uint64_t n,
                                  void *out) {
    for (uint64_t i = first; i < first + n; i++) {
        place p = place_of(batch, bytes, i, first, out);
        fmix_row row;
        fmix_status status = fmix_plan_row(plan, fmix_plan_sample(plan, index, i), &row);
        if (status != FMIX_OK)
            return status;
        methods[plan->recipe.method].blend(batch, &row, values, p.a, p.b, p.out);
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
        status = fmix_drawing_next(&d, fmix_plan_sample(plan, index, i));
        if (status == FMIX_OK)
            choose(batch, scratch->mask, plan->elements, p.a, p.b, p.out);
    }
    fmix_drawing_end(&d);
    return status;
}

fmix_status fmix_plan_mix(const fmix_plan *plan, fmix_scratch *scratch, const fmix_batch *batch,
                          uint64_t index, uint64_t first, uint64_t n, void *out) {
    const struct method *m = &methods[plan->recipe.method];
    if (batch->dtype == FMIX_DTYPE_BITS || batch->channels == 0 ||
        (m->floats_only && batch->dtype != FMIX_DTYPE_F32) ||
        (n && (first > UINT64_MAX - index || index + first > UINT64_MAX - (n - 1))))
        return FMIX_ERROR_RANGE;
    uint64_t values = plan->elements * batch->channels;
    uint64_t bytes = values * element_size(batch->dtype);
    if (m->blend)
        return mix_by_weights(plan, batch, values, bytes, index, first, n, out);
    return mix_by_masks(plan, scratch, batch, bytes, index, first, n, out);
}
