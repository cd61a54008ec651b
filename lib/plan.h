/*
 * plan.h - a checked recipe
 */
#ifndef FMIX_PLAN_H
#define FMIX_PLAN_H

#include "bins.h"
#include "context.h"
#include "method_row.h"
#include "slice.h"
#include "words.h"

struct fmix_plan {
    fmix_context *context;
    fmix_recipe recipe;
    const fmix_method_row *method;
    fmix_spectrum_params params; /* of the spectrum */
    uint64_t elements;
    bool soft;                                  /* masks can have weights between 0 and 1 */
    uint64_t lambda;                            /* L, if the recipe gives lambda */
    fmix_key lambda_key, spectrum_key, box_key; /* only those that the method draws from are set */
};

/* The scope that the recipe has for batches that are mixed by this plan alone. */
static inline fmix_scope fmix_plan_scope(const fmix_plan *plan) {
    return plan->recipe.scope_batch ? FMIX_SCOPE_BATCH : FMIX_SCOPE_SAMPLE;
}

#endif
