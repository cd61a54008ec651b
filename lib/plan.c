#include "plan.h"
#include "lambda.h"
#include "spectrum.h"
#include "transform.h"

#include <stdlib.h>

void fmix_plan_free(fmix_plan *plan) {
    free(plan);
}

bool fmix_plan_is_warm(const fmix_plan *plan) {
    return !plan->method->spectrum ||
           (fmix_transform_cached(plan->context->cache, &plan->recipe.shape) &&
            fmix_weights_cached(plan->context->cache, &plan->params));
}

uint64_t fmix_plan_sample(const fmix_plan *plan, uint64_t index, uint64_t row) {
    return plan->recipe.scope_batch ? index : index + row;
}

static uint64_t lambda_of(const fmix_plan *plan, uint64_t t) {
    const fmix_recipe *r = &plan->recipe;
    if (r->lambda_given)
        return plan->lambda;
    uint64_t lambda = fmix_lambda_draw(plan->context, &plan->lambda_key, r->alpha, t);
    return r->reformulate ? fmix_lambda_reformulate(&plan->lambda_key, t, lambda) : lambda;
}

fmix_status fmix_plan_row(const fmix_plan *plan, uint64_t t, fmix_row *out) {
    *out = (fmix_row){.lambda = lambda_of(plan, t)};
    out->weight = (double)out->lambda * 0x1p-32;
    const fmix_method_row *method = plan->method;
    if (method->place) {
        method->place(plan, t, out);
        out->lambda_effective = (double)out->ones / (double)plan->elements;
    } else if (method->fixed) {
        out->lambda_effective = 1;
        out->weight = method->weight;
    } else {
        out->lambda_effective = out->weight;
    }
    return FMIX_OK;
}
