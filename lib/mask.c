#include "mask.h"
#include "contested.h"
#include "convert.h"
#include "soft.h"
#include "vector.h"

#include <stdlib.h>
#include <string.h>

/* Draws a mask with k ones in which the values from `low` to `high` need an exact order. Larger
 * values are surely in the mask, smaller ones surely not (drawing.c). */
static fmix_status settle(const fmix_drawing *d, uint64_t t, uint64_t k, double low, double high) {
    const double *g = d->scratch->g;
    unsigned char *mask = d->scratch->mask;
    uint64_t n = d->plan->elements, surely = 0;
    size_t open = 0;
    for (uint64_t i = 0; i < n; i++) {
        mask[i] = g[i] > high;
        surely += mask[i];
        open += g[i] >= low && g[i] <= high;
    }
    uint32_t *pixels = malloc(open * sizeof *pixels);
    if (!pixels)
        return FMIX_ERROR_MEMORY;
    open = 0;
    for (uint64_t i = 0; i < n; i++)
        if (g[i] >= low && g[i] <= high)
            pixels[open++] = (uint32_t)i;
    fmix_field field = fmix_drawing_field(d, t);
    const fmix_run all = {0, open};
    size_t need = (size_t)(k - surely);
    fmix_tier last = FMIX_TIER_NONE;
    fmix_status status =
        fmix_contested_order(d->plan->context, &field, pixels, &all, 1, need, need, &last);
    if (status == FMIX_OK)
        fmix_count_settled(d->plan->context, last);
    for (size_t i = 0; i < need && status == FMIX_OK; i++)
        mask[pixels[i]] = 1;
    free(pixels);
    return status;
}

static fmix_status draw_hard(const fmix_drawing *d, uint64_t t, uint64_t k, fmix_mask *out) {
    fmix_scratch *scratch = d->scratch;
    const fmix_context *context = d->plan->context;
    double bound, kth, next;
    fmix_drawing_values(d, t, &bound);
    context->kernels->rank_pair(scratch->g, (size_t)d->plan->elements, (size_t)k, scratch->work,
                                &kth, &next);
    double width = fmix_drawing_width(d, bound);
    if (context->hooks.unchecked || kth - next > width) {
        *out = (fmix_mask){.values = scratch->g, .cut = kth};
        return FMIX_OK;
    }
    return settle(d, t, k, kth - width, kth + width);
}

fmix_status fmix_mask_from_field(const fmix_drawing *d, uint64_t t, const fmix_row *row,
                                 fmix_mask *out) {
    uint64_t n = d->plan->elements, k = row->ones;
    uint64_t half = fmix_soft_half(d->plan, k);
    *out = (fmix_mask){.bytes = d->scratch->mask};
    if (k == 0 || k == n) {
        memset(d->scratch->mask, k != 0, (size_t)n);
        return FMIX_OK;
    }
    if (half < 2)
        return draw_hard(d, t, k, out);
    *out = (fmix_mask){.weights = d->scratch->work};
    return fmix_soft_draw(d, t, k, half);
}

fmix_status fmix_mask_draw(const fmix_drawing *d, uint64_t t, fmix_mask *out) {
    fmix_row row;
    fmix_status status = fmix_plan_row(d->plan, t, &row);
    if (status != FMIX_OK)
        return status;
    fmix_count(&d->plan->context->masks, 1);
    return d->plan->method->draw(d, t, &row, out);
}

bool fmix_mask_allows(fmix_dtype dtype) {
    return dtype == FMIX_DTYPE_F16 || dtype == FMIX_DTYPE_F32 || dtype == FMIX_DTYPE_F64 ||
           dtype == FMIX_DTYPE_U8 || dtype == FMIX_DTYPE_BITS;
}

uint64_t fmix_mask_bytes(uint64_t elements, fmix_dtype dtype) {
    return dtype == FMIX_DTYPE_BITS ? (elements + 7) / 8 : elements * fmix_dtype_bytes(dtype);
}

FMIX_CLONES
static void to_f32(const unsigned char *restrict mask, uint64_t n, float *restrict out) {
    for (uint64_t i = 0; i < n; i++)
        out[i] = (float)mask[i];
}

FMIX_CLONES
static void to_f64(const unsigned char *restrict mask, uint64_t n, double *restrict out) {
    for (uint64_t i = 0; i < n; i++)
        out[i] = (double)mask[i];
}

FMIX_CLONES
static void to_f16(const unsigned char *restrict mask, uint64_t n, uint16_t *restrict out) {
    for (uint64_t i = 0; i < n; i++)
        out[i] = (uint16_t)(mask[i] * 0x3c00); /* 1.0 */
}

/* Packs eight bytes of 0 or 1, the first in memory to the highest bit: the product gathers the bits
 * at the top. */
static void to_bits(const unsigned char *mask, uint64_t n, unsigned char *out) {
    uint64_t whole = n / 8;
    for (uint64_t i = 0; i < whole; i++) {
        const unsigned char *m = mask + 8 * i;
        uint64_t word = 0;
        for (int b = 0; b < 8; b++)
            word |= (uint64_t)m[b] << (8 * b); /* one load on a little-endian machine */
        out[i] = (unsigned char)(word * UINT64_C(0x8040201008040201) >> 56);
    }
    if (n % 8) {
        unsigned last = 0;
        for (uint64_t i = 8 * whole; i < n; i++)
            last |= (unsigned)mask[i] << (7 - i % 8);
        out[whole] = (unsigned char)last;
    }
}

static void convert_bytes(const unsigned char *mask, uint64_t elements, fmix_dtype dtype,
                          void *out) {
    switch (dtype) {
    case FMIX_DTYPE_F32:
        to_f32(mask, elements, out);
        break;
    case FMIX_DTYPE_U8:
        memcpy(out, mask, (size_t)elements);
        break;
    case FMIX_DTYPE_BITS:
        to_bits(mask, elements, out);
        break;
    case FMIX_DTYPE_F16:
        to_f16(mask, elements, out);
        break;
    case FMIX_DTYPE_F64:
        to_f64(mask, elements, out);
        break;
    default: /* refused before: fmix_mask_allows */
        break;
    }
}

const unsigned char *fmix_mask_as_bytes(const fmix_drawing *d, const fmix_mask *mask) {
    if (mask->bytes)
        return mask->bytes;
    d->plan->context->kernels->bytes(mask->values, (size_t)d->plan->elements, mask->cut,
                                     d->scratch->mask);
    return d->scratch->mask;
}

/* A weight is a/b with b < 2^25, so it is 2^-50 away from any half-way point of f32 or f16 that it
 * is not on. Rounding it to float64 first therefore changes nothing. */
void fmix_mask_convert(const fmix_drawing *d, const fmix_mask *mask, fmix_dtype dtype, void *out) {
    uint64_t elements = d->plan->elements;
    if (mask->weights)
        fmix_store(dtype, mask->weights, elements, out);
    else if (mask->values && dtype == FMIX_DTYPE_BITS)
        d->plan->context->kernels->bits(mask->values, (size_t)elements, mask->cut, out);
    else
        convert_bytes(fmix_mask_as_bytes(d, mask), elements, dtype, out);
}

fmix_status fmix_mask_slice(const fmix_plan *plan, fmix_scratch *scratch, const fmix_slice *slice,
                            fmix_dtype dtype, void *out) {
    if (!plan->method->draw || !fmix_mask_allows(dtype) ||
        (plan->soft && !fmix_dtype_floats(dtype)))
        return FMIX_ERROR_RANGE;
    uint64_t bytes = fmix_mask_bytes(plan->elements, dtype), drawn = 0;
    unsigned char *at = out;
    fmix_drawing d;
    fmix_status status = fmix_drawing_begin(&d, plan, scratch);
    for (uint64_t i = 0; i < slice->n && status == FMIX_OK; i++, at += bytes) {
        uint64_t t = fmix_slice_t(slice, slice->first + i);
        if (i > 0 && t == drawn) {
            memcpy(at, at - bytes, (size_t)bytes);
            continue;
        }
        fmix_mask mask;
        status = fmix_mask_draw(&d, t, &mask);
        if (status == FMIX_OK)
            fmix_mask_convert(&d, &mask, dtype, at);
        drawn = t;
    }
    fmix_drawing_end(&d);
    return status;
}

fmix_status fmix_plan_masks(const fmix_plan *plan, fmix_scratch *scratch, uint64_t t, uint64_t n,
                            fmix_dtype dtype, void *out) {
    const fmix_rows rows = {.count = n, .index = t};
    const fmix_slice slice = {.rows = &rows, .n = n};
    return fmix_slice_is_valid(&slice) ? fmix_mask_slice(plan, scratch, &slice, dtype, out)
                                       : FMIX_ERROR_RANGE;
}
