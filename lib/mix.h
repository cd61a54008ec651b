/*
 * mix.h - mixed rows, and the weights of methods without masks
 */
#ifndef FMIX_MIX_H
#define FMIX_MIX_H

#include "plan.h"

/* NULL if rows of this plan can be mixed as `batch` says; else the reason, as fmix_method_refuses
 * or fmix_method_refuses_dense gives it. */
const char *fmix_mix_refuses(const fmix_plan *plan, const fmix_batch *batch);

/* fmix_plan_mix for the rows of a slice, which must be valid. Rows that draw at the t of the row
 * before have its mask. */
fmix_status fmix_mix_slice(const fmix_plan *plan, fmix_scratch *scratch, const fmix_batch *batch,
                           const fmix_slice *slice, void *out);

/* fmix_plan_weights for the rows of a slice, which must be valid. */
fmix_status fmix_mix_weights(const fmix_plan *plan, const fmix_slice *slice, fmix_dtype dtype,
                             void *out);

#endif
