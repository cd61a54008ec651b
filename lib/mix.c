#include "blend.h"
#include "convert.h"
#include "method.h"

#include <stdlib.h>
#include <string.h>

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
        fmix_method_row_of(plan->recipe.method)->blend(batch, &row, values, p.a, p.b, p.out);
    }
    return FMIX_OK;
}

/* Where the mask is soft, or chooses what is converted then. */
static void apply(const fmix_drawing *d, const fmix_batch *batch, const fmix_mask *mask,
                  const place *p, unsigned char *chosen) {
    uint64_t elements = d->plan->elements, values = elements * batch->channels;
    if (mask->weights) {
        fmix_blend_soft(mask->weights, elements, batch, p->a, p->b, p->out);
    } else if (chosen) {
        choose(batch, fmix_mask_spread(d, mask), elements, p->a, p->b, chosen);
        fmix_convert(batch->dtype, chosen, values, batch->out_dtype, p->out);
    } else {
        choose(batch, fmix_mask_spread(d, mask), elements, p->a, p->b, p->out);
    }
}

static fmix_status mix_by_masks(const fmix_plan *plan, fmix_scratch *scratch,
                                const fmix_batch *batch, uint64_t values, uint64_t index,
                                uint64_t first, uint64_t n, void *out) {
    unsigned char *chosen = NULL; /* a row before it is converted */
    fmix_drawing d;
    fmix_status status = fmix_drawing_begin(&d, plan, scratch);
    if (status == FMIX_OK && batch->dtype != batch->out_dtype) {
        chosen = malloc((size_t)(values * fmix_dtype_bytes(batch->dtype)));
        status = chosen ? FMIX_OK : FMIX_ERROR_MEMORY;
    }
    for (uint64_t i = first; i < first + n && status == FMIX_OK; i++) {
        place p = place_of(batch, values, i, first, out);
        fmix_mask mask;
        status = fmix_mask_draw(&d, fmix_plan_sample(plan, index, i), &mask);
        if (status == FMIX_OK)
            apply(&d, batch, &mask, &p, chosen);
    }
    fmix_drawing_end(&d);
    free(chosen);
    return status;
}

fmix_status fmix_plan_mix(const fmix_plan *plan, fmix_scratch *scratch, const fmix_batch *batch,
                          uint64_t index, uint64_t first, uint64_t n, void *out) {
    fmix_method method = plan->recipe.method;
    if (fmix_method_refuses(method, plan->soft, batch->dtype, batch->out_dtype) ||
        batch->channels == 0 ||
        (n && (first > UINT64_MAX - index || index + first > UINT64_MAX - (n - 1))))
        return FMIX_ERROR_RANGE;
    uint64_t values = plan->elements * batch->channels;
    if (!fmix_method_masks(method))
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
