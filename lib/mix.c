#include "mix.h"
#include "blend.h"
#include "convert.h"
#include "mask.h"

#include <stdlib.h>
#include <string.h>

/* Rows of a batch, to be mixed to out. */
typedef struct task {
    const fmix_plan *plan;
    const fmix_batch *batch;
    const fmix_slice *slice;
    uint64_t values; /* elements of a row */
    unsigned char *out;
} task;

/* Addresses of a row, of its partner and of the mixed row. */
typedef struct place {
    const unsigned char *a, *b;
    unsigned char *out;
} place;

static place place_of(const task *w, uint64_t i) {
    const fmix_batch *batch = w->batch;
    uint64_t row = i - batch->base;
    uint64_t bytes = w->values * fmix_dtype_bytes(batch->dtype);
    uint64_t out_bytes = w->values * fmix_dtype_bytes(batch->out_dtype);
    const unsigned char *x = batch->x, *partners = batch->x2 ? batch->x2 : batch->x;
    uint64_t partner = batch->x2 ? row : (uint64_t)batch->pairing[row];
    const void *const *rows = batch->rows;
    return (place){rows ? rows[row] : x + row * bytes,
                   rows && !batch->x2 ? rows[partner] : partners + partner * bytes,
                   w->out + (i - w->slice->first) * out_bytes};
}

/* Dense targets of numbers that are not floats have weights of 0 and 1 alone (fmix_mix_refuses). */
static bool copies(const fmix_batch *batch) {
    return batch->dense && !fmix_dtype_floats(batch->dtype);
}

static fmix_status mix_by_weights(const task *w) {
    const fmix_method_row *method = w->plan->method;
    size_t size = (size_t)fmix_dtype_bytes(w->batch->dtype);
    for (uint64_t i = w->slice->first; i < w->slice->first + w->slice->n; i++) {
        place p = place_of(w, i);
        fmix_row row;
        fmix_status status = fmix_plan_row(w->plan, fmix_slice_t(w->slice, i), &row);
        if (status != FMIX_OK)
            return status;
        if (copies(w->batch))
            memcpy(p.out, row.weight == 1 ? p.a : p.b, (size_t)w->values * size);
        else
            method->blend(w->plan->context->kernels, w->batch, &row, w->values, p.a, p.b, p.out);
    }
    return FMIX_OK;
}

/* Every channel shares the mask. */
static void choose(const task *w, const unsigned char *mask, const place *p, unsigned char *out) {
    const fmix_kernels *kernels = w->plan->context->kernels;
    uint64_t elements = w->plan->elements, channels = w->batch->channels;
    size_t size = (size_t)fmix_dtype_bytes(w->batch->dtype), plane = size * (size_t)elements;
    if (w->batch->layout == FMIX_CHANNELS_LAST)
        fmix_blend_select(kernels, mask, elements, size * (size_t)channels, p->a, p->b, out);
    else
        for (uint64_t c = 0; c < channels; c++)
            fmix_blend_select(kernels, mask, elements, size, p->a + c * plane, p->b + c * plane,
                              out + c * plane);
}

/* Mixes one row by a mask. If `chosen` is set, the chosen elements go there before they are
 * converted. */
static void apply(const task *w, const fmix_mask *mask, const place *p, unsigned char *chosen) {
    const fmix_batch *batch = w->batch;
    if (mask->weights) {
        fmix_blend_soft(mask->weights, w->plan->elements, batch, p->a, p->b, p->out);
    } else if (chosen) {
        choose(w, mask->bytes, p, chosen);
        fmix_convert(batch->dtype, chosen, w->values, batch->out_dtype, p->out);
    } else {
        choose(w, mask->bytes, p, p->out);
    }
}

static fmix_status draw(const fmix_drawing *d, uint64_t t, fmix_mask *mask) {
    fmix_status status = fmix_mask_draw(d, t, mask);
    if (status == FMIX_OK && !mask->weights)
        *mask = (fmix_mask){.bytes = fmix_mask_as_bytes(d, mask)};
    return status;
}

static fmix_status mix_by_masks(const task *w, fmix_scratch *scratch) {
    const fmix_batch *batch = w->batch;
    uint64_t first = w->slice->first, drawn = 0;
    unsigned char *chosen = NULL; /* a chosen row before its conversion */
    fmix_drawing d;
    fmix_mask mask;
    fmix_status status = fmix_drawing_begin(&d, w->plan, scratch);
    if (status == FMIX_OK && batch->dtype != batch->out_dtype) {
        chosen = malloc((size_t)(w->values * fmix_dtype_bytes(batch->dtype)));
        status = chosen ? FMIX_OK : FMIX_ERROR_MEMORY;
    }
    for (uint64_t i = first; i < first + w->slice->n && status == FMIX_OK; i++) {
        place p = place_of(w, i);
        uint64_t t = fmix_slice_t(w->slice, i);
        if (i == first || t != drawn)
            status = draw(&d, t, &mask);
        drawn = t;
        if (status == FMIX_OK)
            apply(w, &mask, &p, chosen);
    }
    fmix_drawing_end(&d);
    free(chosen);
    return status;
}

const char *fmix_mix_refuses(const fmix_plan *plan, const fmix_batch *batch) {
    const fmix_recipe *r = &plan->recipe;
    if (!batch->dense)
        return fmix_method_refuses(r->method, plan->soft, batch->dtype, batch->out_dtype);
    if (batch->dtype != batch->out_dtype)
        return "keeps the type of dense targets";
    return fmix_method_refuses_dense(r->method, plan->soft, r->lambda_given, r->lambda,
                                     batch->dtype);
}

fmix_status fmix_mix_slice(const fmix_plan *plan, fmix_scratch *scratch, const fmix_batch *batch,
                           const fmix_slice *slice, void *out) {
    if (fmix_mix_refuses(plan, batch) || batch->channels == 0 ||
        (slice->n && slice->first < batch->base))
        return FMIX_ERROR_RANGE;
    const task w = {.plan = plan,
                    .batch = batch,
                    .slice = slice,
                    .values = plan->elements * batch->channels,
                    .out = out};
    return plan->method->draw ? mix_by_masks(&w, scratch) : mix_by_weights(&w);
}

fmix_status fmix_plan_mix(const fmix_plan *plan, fmix_scratch *scratch, const fmix_batch *batch,
                          uint64_t index, uint64_t first, uint64_t n, void *out) {
    const fmix_rows rows = {.count = UINT64_MAX, .index = index};
    const fmix_slice slice = {&rows, fmix_plan_scope(plan), first, n};
    return fmix_slice_is_valid(&slice) ? fmix_mix_slice(plan, scratch, batch, &slice, out)
                                       : FMIX_ERROR_RANGE;
}

/* Writes ones. As in numpy.packbits, the unused bits of the last byte are 0. */
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

fmix_status fmix_mix_weights(const fmix_plan *plan, const fmix_slice *slice, fmix_dtype dtype,
                             void *out) {
    if (plan->method->draw || !fmix_mask_allows(dtype))
        return FMIX_ERROR_RANGE;
    uint64_t bytes = fmix_mask_bytes(plan->elements, dtype);
    unsigned char *at = out;
    for (uint64_t i = slice->first; i < slice->first + slice->n; i++, at += bytes) {
        fmix_row row;
        fmix_status status = fmix_plan_row(plan, fmix_slice_t(slice, i), &row);
        if (status != FMIX_OK)
            return status;
        if (fmix_dtype_floats(dtype))
            fill_weight(dtype, plan->elements, row.weight, at);
        else
            fill_ones(dtype, plan->elements, bytes, at);
    }
    return FMIX_OK;
}

fmix_status fmix_plan_weights(const fmix_plan *plan, uint64_t index, uint64_t first, uint64_t n,
                              fmix_dtype dtype, void *out) {
    const fmix_rows rows = {.count = UINT64_MAX, .index = index};
    const fmix_slice slice = {&rows, fmix_plan_scope(plan), first, n};
    return fmix_slice_is_valid(&slice) ? fmix_mix_weights(plan, &slice, dtype, out)
                                       : FMIX_ERROR_RANGE;
}
