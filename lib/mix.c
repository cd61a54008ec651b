#include "mix.h"
#include "blend.h"
#include "convert.h"
#include "mask.h"

#include <stdlib.h>
#include <string.h>

/* One row of x and its partner's, `values` elements each, to out. */
typedef void blend_row(const fmix_batch *batch, const fmix_row *row, uint64_t values,
                       const unsigned char *a, const unsigned char *b, unsigned char *out);

static blend_row interpolate, average, standardise, copy;

/* A method has masks (blend NULL), or a weight and a way to blend by it. A weight that is the
 * method's own says nothing of this row, so the label stays the row's. */
static const struct method {
    blend_row *blend;
    bool fixed;    /* the weight stands here; else it is lambda */
    double weight; /* of the data */
    bool floats_only;
} methods[FMIX_METHODS] = {
    [FMIX_METHOD_FMIX] = {0},
    [FMIX_METHOD_CUTMIX] = {0},
    [FMIX_METHOD_MIXUP] = {.blend = interpolate},
    [FMIX_METHOD_BC] = {.blend = interpolate},
    [FMIX_METHOD_BCPLUS] = {.blend = standardise, .floats_only = true},
    [FMIX_METHOD_SAMPLEPAIRING] = {.blend = average, .fixed = true, .weight = 0.5},
    [FMIX_METHOD_NONE] = {.blend = copy, .fixed = true, .weight = 1},
};

bool fmix_method_masks(fmix_method method) {
    return !methods[method].blend;
}

void fmix_method_weigh(fmix_method method, fmix_row *row) {
    const struct method *m = &methods[method];
    row->lambda_effective = m->fixed ? 1 : row->weight;
    if (m->fixed)
        row->weight = m->weight;
}

/* f32 and u8 onto themselves have loops of their own, for speed: the same arithmetic. */
static void interpolate(const fmix_batch *batch, const fmix_row *row, uint64_t values,
                        const unsigned char *a, const unsigned char *b, unsigned char *out) {
    if (batch->dtype == batch->out_dtype && batch->dtype == FMIX_DTYPE_F32)
        fmix_blend_f32(row->weight, values, a, b, out);
    else if (batch->dtype == batch->out_dtype && batch->dtype == FMIX_DTYPE_U8)
        fmix_blend_u8(row->weight, values, a, b, out);
    else
        fmix_blend_any(row->weight, values, batch->dtype, a, b, batch->out_dtype, out);
}

/* (a + b) / 2, which of f64 is not always a/2 + b/2: the sum can overflow, the halves underflow. */
static void average(const fmix_batch *batch, const fmix_row *row, uint64_t values,
                    const unsigned char *a, const unsigned char *b, unsigned char *out) {
    if (batch->dtype == FMIX_DTYPE_F64)
        fmix_blend_average(values, batch->dtype, a, b, batch->out_dtype, out);
    else
        interpolate(batch, row, values, a, b, out);
}

static void standardise(const fmix_batch *batch, const fmix_row *row, uint64_t values,
                        const unsigned char *a, const unsigned char *b, unsigned char *out) {
    fmix_blend_standardised(row->weight, values, batch->dtype, a, b, batch->out_dtype, out);
}

/* From the type of x to that of the answer. */
static void convert(const fmix_batch *batch, uint64_t values, const unsigned char *from,
                    unsigned char *out) {
    uint64_t size = fmix_dtype_bytes(batch->dtype), out_size = fmix_dtype_bytes(batch->out_dtype);
    double x[512];
    if (batch->dtype == batch->out_dtype) {
        memcpy(out, from, (size_t)(values * size));
        return;
    }
    for (uint64_t i = 0, n; i < values; i += n) {
        n = values - i < 512 ? values - i : 512;
        fmix_load_for(batch->dtype, batch->out_dtype, from + i * size, n, x);
        fmix_store(batch->out_dtype, x, n, out + i * out_size);
    }
}

static void copy(const fmix_batch *batch, const fmix_row *row, uint64_t values,
                 const unsigned char *a, const unsigned char *b, unsigned char *out) {
    (void)row;
    (void)b;
    convert(batch, values, a, out);
}

bool fmix_method_takes(fmix_method method, fmix_dtype dtype, fmix_dtype out_dtype) {
    if ((unsigned)method >= FMIX_METHODS || (unsigned)dtype >= FMIX_DTYPES ||
        (unsigned)out_dtype >= FMIX_DTYPES || dtype == FMIX_DTYPE_BITS ||
        out_dtype == FMIX_DTYPE_BITS)
        return false;
    const struct method *m = &methods[method];
    bool floats = fmix_dtype_floats(dtype), to_floats = fmix_dtype_floats(out_dtype);
    if (m->floats_only)
        return floats || (dtype == FMIX_DTYPE_U8 && to_floats);
    if (!m->blend || m->blend == copy)
        return true;
    return floats || to_floats || dtype == FMIX_DTYPE_U8;
}

/* Every channel shares the mask. */
static void choose(const fmix_batch *batch, const unsigned char *mask, uint64_t elements,
                   const unsigned char *a, const unsigned char *b, unsigned char *out) {
    size_t size = (size_t)fmix_dtype_bytes(batch->dtype);
    if (batch->layout == FMIX_CHANNELS_LAST) {
        fmix_blend_select(mask, elements, size * (size_t)batch->channels, a, b, out);
        return;
    }
    size_t plane = size * (size_t)elements;
    for (uint64_t c = 0; c < batch->channels; c++)
        fmix_blend_select(mask, elements, size, a + c * plane, b + c * plane, out + c * plane);
}

/* A row, its partner, and where row i of the answer goes. */
typedef struct place {
    const unsigned char *a, *b;
    unsigned char *out;
} place;

static place place_of(const fmix_batch *batch, uint64_t values, uint64_t row, uint64_t first,
                      void *out) {
    uint64_t bytes = values * fmix_dtype_bytes(batch->dtype);
    uint64_t out_bytes = values * fmix_dtype_bytes(batch->out_dtype);
    const unsigned char *x = batch->x, *partners = batch->x2 ? batch->x2 : batch->x;
    uint64_t partner = batch->x2 ? row : (uint64_t)batch->pairing[row];
    return (place){x + row * bytes, partners + partner * bytes,
                   (unsigned char *)out + (row - first) * out_bytes};
}

static fmix_status mix_by_weights(const fmix_plan *plan, const fmix_batch *batch, uint64_t values,
                                  uint64_t index, uint64_t first, uint64_t n, void *out) {
    for (uint64_t i = first; i < first + n; i++) {
        place p = place_of(batch, values, i, first, out);
        fmix_row row;
        fmix_status status = fmix_plan_row(plan, fmix_plan_sample(plan, index, i), &row);
        if (status != FMIX_OK)
            return status;
        methods[plan->recipe.method].blend(batch, &row, values, p.a, p.b, p.out);
    }
    return FMIX_OK;
}

static fmix_status mix_by_masks(const fmix_plan *plan, fmix_scratch *scratch,
                                const fmix_batch *batch, uint64_t values, uint64_t index,
                                uint64_t first, uint64_t n, void *out) {
    bool converts = batch->dtype != batch->out_dtype;
    unsigned char *chosen = NULL; /* a row before it is converted */
    fmix_drawing d;
    fmix_status status = fmix_drawing_begin(&d, plan, scratch);
    if (status == FMIX_OK && converts) {
        chosen = malloc((size_t)(values * fmix_dtype_bytes(batch->dtype)));
        status = chosen ? FMIX_OK : FMIX_ERROR_MEMORY;
    }
    for (uint64_t i = first; i < first + n && status == FMIX_OK; i++) {
        place p = place_of(batch, values, i, first, out);
        status = fmix_drawing_next(&d, fmix_plan_sample(plan, index, i));
        if (status == FMIX_OK)
            choose(batch, scratch->mask, plan->elements, p.a, p.b, converts ? chosen : p.out);
        if (status == FMIX_OK && converts)
            convert(batch, values, chosen, p.out);
    }
    fmix_drawing_end(&d);
    free(chosen);
    return status;
}

fmix_status fmix_plan_mix(const fmix_plan *plan, fmix_scratch *scratch, const fmix_batch *batch,
                          uint64_t index, uint64_t first, uint64_t n, void *out) {
    fmix_method method = plan->recipe.method;
    if (!fmix_method_takes(method, batch->dtype, batch->out_dtype) || batch->channels == 0 ||
        (n && (first > UINT64_MAX - index || index + first > UINT64_MAX - (n - 1))))
        return FMIX_ERROR_RANGE;
    uint64_t values = plan->elements * batch->channels;
    if (methods[method].blend)
        return mix_by_weights(plan, batch, values, index, first, n, out);
    return mix_by_masks(plan, scratch, batch, values, index, first, n, out);
}

/* Ones. As numpy.packbits leaves it, the last byte of bits ends in zeros. */
static void fill_ones(fmix_dtype type, uint64_t elements, uint64_t bytes, unsigned char *out) {
    memset(out, type == FMIX_DTYPE_BITS ? 0xff : 1, (size_t)bytes);
    if (type == FMIX_DTYPE_BITS && elements % 8)
        out[bytes - 1] = (unsigned char)(0xff << (8 - elements % 8));
}

static void fill_weight(fmix_dtype type, uint64_t elements, double weight, unsigned char *out) {
    uint64_t size = fmix_dtype_bytes(type);
    unsigned char one[8];
    fmix_store(type, &weight, 1, one);
    for (uint64_t i = 0; i < elements; i++)
        memcpy(out + i * size, one, (size_t)size);
}

fmix_status fmix_plan_weights(const fmix_plan *plan, uint64_t index, uint64_t first, uint64_t n,
                              fmix_dtype dtype, void *out) {
    if (fmix_method_masks(plan->recipe.method) || !fmix_mask_holds(dtype))
        return FMIX_ERROR_RANGE;
    uint64_t bytes = fmix_mask_bytes(plan->elements, dtype);
    unsigned char *at = out;
    for (uint64_t i = first; i < first + n; i++, at += bytes) {
        fmix_row row;
        fmix_status status = fmix_plan_row(plan, fmix_plan_sample(plan, index, i), &row);
        if (status != FMIX_OK)
            return status;
        if (fmix_dtype_floats(dtype))
            fill_weight(dtype, plan->elements, row.weight, at);
        else
            fill_ones(dtype, plan->elements, bytes, at);
    }
    return FMIX_OK;
}
