/* Checks recipes, and makes plans of the valid ones. */
#include "lambda.h"
#include "method.h"
#include "plan.h"

#include <stdlib.h>

static bool in_range(double x, double low, double high) {
    return x >= low && x <= high; /* false for NaN */
}

static bool is_valid(const fmix_recipe *r, const fmix_method_row *method) {
    if (fmix_shape_elements(&r->shape) == 0 || !in_range(r->delta, 0, FMIX_DELTA_MAX))
        return false;
    if ((unsigned)r->frequency > FMIX_FREQUENCY_EXTENT || (unsigned)r->box > FMIX_BOX_INSIDE ||
        (unsigned)r->spectrum > FMIX_SPECTRUM_OFFICIAL || !in_range(r->soft, 0, FMIX_SOFT_MAX))
        return false;
    if (method->spectrum && r->spectrum == FMIX_SPECTRUM_OFFICIAL &&
        (r->shape.side[0] == 1 || r->frequency != FMIX_FREQUENCY_PIXEL))
        return false;
    return r->lambda_given ? in_range(r->lambda, 0, 1) && !r->reformulate
                           : in_range(r->alpha, FMIX_ALPHA_MIN, FMIX_ALPHA_MAX);
}

static fmix_status derive_keys(fmix_plan *plan) {
    uint64_t seed = plan->recipe.seed;
    fmix_status status = fmix_key_derive(seed, FMIX_DOMAIN_LAMBDA, &plan->lambda_key);
    if (status != FMIX_OK || !plan->method->draw)
        return status;
    return plan->method->spectrum ? fmix_key_derive(seed, FMIX_DOMAIN_SPECTRUM, &plan->spectrum_key)
                                  : fmix_key_derive(seed, FMIX_DOMAIN_BOX, &plan->box_key);
}

fmix_status fmix_plan_new(fmix_context *context, const fmix_recipe *recipe, fmix_plan **out) {
    const fmix_method_row *method = fmix_method_row_of(recipe->method);
    if (!method || !is_valid(recipe, method))
        return FMIX_ERROR_RANGE;
    fmix_plan *plan = calloc(1, sizeof *plan);
    if (!plan)
        return FMIX_ERROR_MEMORY;
    plan->context = context;
    plan->recipe = *recipe;
    plan->method = method;
    plan->params = fmix_spectrum_params_of(recipe);
    plan->elements = fmix_shape_elements(&recipe->shape);
    plan->soft = recipe->soft > 0 && method->spectrum;
    if (recipe->lambda_given)
        plan->lambda = fmix_lambda_round(recipe->lambda);
    fmix_status status = derive_keys(plan);
    if (status != FMIX_OK) {
        free(plan);
        return status;
    }
    *out = plan;
    return FMIX_OK;
}
