#include "method.h"
#include "blend.h"
#include "box.h"
#include "convert.h"
#include "mask.h"

#include <string.h>

/* ---- methods with masks ---- */

/* The sum is at most 2^32 * 2^24 + 2^31. */
static void place_fmix(const fmix_plan *plan, uint64_t t, fmix_row *row) {
    (void)t;
    row->ones = (row->lambda * plan->elements + (UINT64_C(1) << 31)) >> 32;
}

static fmix_status draw_cutmix(const fmix_drawing *d, uint64_t t, const fmix_row *row,
                               fmix_mask *out) {
    (void)t;
    fmix_box_draw(&d->plan->recipe.shape, row, d->scratch->mask);
    *out = (fmix_mask){.bytes = d->scratch->mask};
    return FMIX_OK;
}

/* ---- methods that blend ---- */

/* f32 and u8 without conversion have loops of their own, for speed, with the same arithmetic. */
static void interpolate(const fmix_kernels *kernels, const fmix_batch *batch, const fmix_row *row,
                        uint64_t values, const unsigned char *a, const unsigned char *b,
                        unsigned char *out) {
    if (batch->dtype == batch->out_dtype && batch->dtype == FMIX_DTYPE_F32)
        fmix_blend_f32(row->weight, values, a, b, out);
    else if (batch->dtype == batch->out_dtype && batch->dtype == FMIX_DTYPE_U8)
        fmix_blend_u8(kernels, row->weight, values, a, b, out);
    else
        fmix_blend_any(row->weight, values, batch->dtype, a, b, batch->out_dtype, out);
}

/* (a + b) / 2, which for f64 is not always a/2 + b/2: the sum can overflow, the halves can
 * underflow. */
static void average(const fmix_kernels *kernels, const fmix_batch *batch, const fmix_row *row,
                    uint64_t values, const unsigned char *a, const unsigned char *b,
                    unsigned char *out) {
    if (batch->dtype == FMIX_DTYPE_F64)
        fmix_blend_average(values, batch->dtype, a, b, batch->out_dtype, out);
    else
        interpolate(kernels, batch, row, values, a, b, out);
}

static void standardise(const fmix_kernels *kernels, const fmix_batch *batch, const fmix_row *row,
                        uint64_t values, const unsigned char *a, const unsigned char *b,
                        unsigned char *out) {
    (void)kernels;
    fmix_blend_standardised(row->weight, values, batch->dtype, a, b, batch->out_dtype, out);
}

static void copy(const fmix_kernels *kernels, const fmix_batch *batch, const fmix_row *row,
                 uint64_t values, const unsigned char *a, const unsigned char *b,
                 unsigned char *out) {
    (void)kernels;
    (void)row;
    (void)b;
    fmix_convert(batch->dtype, a, values, batch->out_dtype, out);
}

/* ---- the table ---- */

/* The numbers of rows are public: append new rows. */
static const fmix_method_row table[] = {
    {.name = "fmix", .place = place_fmix, .draw = fmix_mask_from_field, .spectrum = true},
    {.name = "cutmix", .place = fmix_box_place, .draw = draw_cutmix},
    {.name = "mixup", .blend = interpolate, .blends = FMIX_BLENDS_NUMBERS},
    {.name = "bc", .blend = interpolate, .blends = FMIX_BLENDS_NUMBERS},
    {.name = "bcplus", .blend = standardise, .blends = FMIX_BLENDS_FLOATS},
    {.name = "samplepairing",
     .blend = average,
     .fixed = true,
     .weight = 0.5,
     .blends = FMIX_BLENDS_NUMBERS},
    {.name = "none", .blend = copy, .fixed = true, .weight = 1},
};
#define ROWS (sizeof table / sizeof *table)

const fmix_method_row *fmix_method_row_of(fmix_method method) {
    return method < ROWS ? &table[method] : NULL;
}

const char *fmix_method_name(fmix_method method) {
    return method < ROWS ? table[method].name : NULL;
}

fmix_status fmix_method_named(const char *name, fmix_method *out) {
    for (fmix_method i = 0; i < ROWS; i++)
        if (strcmp(table[i].name, name) == 0) {
            *out = i;
            return FMIX_OK;
        }
    return FMIX_ERROR_RANGE;
}

bool fmix_method_masks(fmix_method method) {
    return table[method].draw != NULL;
}

bool fmix_method_has_spectrum(fmix_method method) {
    return table[method].spectrum;
}

static bool is_of_samples(fmix_dtype dtype) {
    return (unsigned)dtype < FMIX_DTYPES && dtype != FMIX_DTYPE_BITS;
}

const char *fmix_method_refuses(fmix_method method, bool soft, fmix_dtype dtype,
                                fmix_dtype out_dtype) {
    if (method >= ROWS || !is_of_samples(dtype) || !is_of_samples(out_dtype))
        return "takes no such type";
    bool softens = soft && table[method].spectrum;
    fmix_blends blends = softens ? FMIX_BLENDS_NUMBERS : table[method].blends;
    bool floats = fmix_dtype_floats(dtype), to_floats = fmix_dtype_floats(out_dtype);
    if (blends == FMIX_BLENDS_FLOATS && !floats && !(dtype == FMIX_DTYPE_U8 && to_floats))
        return "divides by deviations: x must be of floats, or u8 with a floating out_dtype";
    if (blends == FMIX_BLENDS_NUMBERS && !floats && !to_floats && dtype != FMIX_DTYPE_U8)
        return softens ? "with soft edges interpolates, and there is nothing between two token "
                         "ids: use soft=0, or out_dtype=f32"
                       : "interpolates, and there is nothing between two token ids: use fmix or "
                         "cutmix, or out_dtype=f32";
    return NULL;
}

/* A weight of exactly 0 or 1 takes one of two elements, whatever they mean. */
const char *fmix_method_refuses_dense(fmix_method method, bool soft, bool lambda_given,
                                      double lambda, fmix_dtype dtype) {
    bool copies = lambda_given && (lambda == 0 || lambda == 1);
    if (method >= ROWS || !is_of_samples(dtype) || fmix_dtype_floats(dtype))
        return fmix_method_refuses(method, soft, dtype, dtype);
    const fmix_method_row *row = &table[method];
    if (soft && row->spectrum)
        return copies ? NULL
                      : "with soft edges interpolates, and dense targets of integers, u8 or bool "
                        "are labels: use soft=0, lambda=0 or lambda=1, or targets of floats";
    if (row->blends == FMIX_BLENDS_NUMBERS && !row->fixed)
        return copies ? NULL
                      : "interpolates, and dense targets of integers, u8 or bool are labels: use "
                        "fmix or cutmix, lambda=0 or lambda=1, or targets of floats";
    return row->blends == FMIX_BLENDS_ANYTHING
               ? NULL
               : "interpolates, and dense targets of integers, u8 or bool are labels: use fmix or "
                 "cutmix, or targets of floats";
}
