#include "plan.h"
#include "exact.h"
#include "lambda.h"
#include "method.h"
#include "spectrum.h"
#include "transform.h"

#include <math.h> /* sqrt */
#include <stdlib.h>

#define KEEP_BYTES (4u << 20) /* of each room, when trimmed */

static bool in_range(double x, double low, double high) {
    return x >= low && x <= high; /* false for NaN */
}

static bool is_valid(const fmix_recipe *r) {
    if (fmix_shape_elements(&r->shape) == 0 || !in_range(r->delta, 0, FMIX_DELTA_MAX))
        return false;
    if (!fmix_method_row_of(r->method) || (unsigned)r->frequency > FMIX_FREQUENCY_EXTENT ||
        (unsigned)r->box > FMIX_BOX_INSIDE || (unsigned)r->spectrum > FMIX_SPECTRUM_OFFICIAL ||
        !in_range(r->soft, 0, FMIX_SOFT_MAX))
        return false;
    if (fmix_method_has_spectrum(r->method) && r->spectrum == FMIX_SPECTRUM_OFFICIAL &&
        (r->shape.side[0] == 1 || r->frequency != FMIX_FREQUENCY_PIXEL))
        return false;
    return r->lambda_given ? in_range(r->lambda, 0, 1) && !r->reformulate
                           : in_range(r->alpha, FMIX_ALPHA_MIN, FMIX_ALPHA_MAX);
}

static fmix_status derive_keys(fmix_plan *plan) {
    uint64_t seed = plan->recipe.seed;
    fmix_status status = fmix_key_derive(seed, FMIX_DOMAIN_LAMBDA, &plan->lambda_key);
    if (status != FMIX_OK || !fmix_method_masks(plan->recipe.method))
        return status;
    return fmix_method_has_spectrum(plan->recipe.method)
               ? fmix_key_derive(seed, FMIX_DOMAIN_SPECTRUM, &plan->spectrum_key)
               : fmix_key_derive(seed, FMIX_DOMAIN_BOX, &plan->box_key);
}

fmix_status fmix_plan_new(fmix_context *context, const fmix_recipe *recipe, fmix_plan **out) {
    if (!is_valid(recipe))
        return FMIX_ERROR_RANGE;
    fmix_plan *plan = calloc(1, sizeof *plan);
    if (!plan)
        return FMIX_ERROR_MEMORY;
    plan->context = context;
    plan->recipe = *recipe;
    plan->law = fmix_law_of(recipe);
    plan->elements = fmix_shape_elements(&recipe->shape);
    plan->soft = recipe->soft > 0 && fmix_method_has_spectrum(recipe->method);
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

void fmix_plan_free(fmix_plan *plan) {
    free(plan);
}

bool fmix_plan_is_warm(const fmix_plan *plan) {
    const fmix_recipe *r = &plan->recipe;
    return !fmix_method_has_spectrum(r->method) ||
           (fmix_transform_cached(plan->context->cache, &r->shape) &&
            fmix_weights_cached(plan->context->cache, &plan->law));
}

static double log2_of(double x) {
    int e = 0;
    for (; x >= 2; x /= 2)
        e++;
    return e + (x - 1); /* within 0.09 */
}

/* By the released code's law a mask whose last side is 1 has pixels that only MPFR tells apart or
 * finds equal. Measured: 8 to 9 ms at 10x1 and 64x1, 21 ms at 512x1, 38 ms at 4096x1; of three
 * sides 0.3 ms at 8x8x1, 2.3 ms at 128x128x1. */
static double official_cost(const fmix_recipe *r, double elements) {
    unsigned rank = r->shape.rank;
    if (r->spectrum != FMIX_SPECTRUM_OFFICIAL || rank == 1 || r->shape.side[rank - 1] > 1)
        return 0;
    return rank == 2 ? 8e6 + 5e5 * sqrt(elements) : 25e4 + 130 * elements;
}

/*
 * Nanoseconds of settling that a thin shape must expect. With one side long against the rest,
 * pixels that share its coordinate differ by (long/other)^-delta of G. Where that is under about
 * 2^-31 they are all contested together: a pass or two over the bins settles them. With a soft edge
 * so is all of its band: of as many lines as the long side has, and pixel by pixel (difference.c).
 */
static double settling_cost(const fmix_recipe *r, double elements, double band) {
    double official = official_cost(r, elements);
    if (official > 0)
        return official;
    double longest = 1, second = 1;
    for (unsigned d = 0; d < r->shape.rank; d++) {
        double n = r->shape.side[d];
        second = n > longest ? longest : n > second ? n : second;
        longest = n > longest ? n : longest;
    }
    if (second == 1 || r->frequency == FMIX_FREQUENCY_EXTENT ||
        r->spectrum == FMIX_SPECTRUM_OFFICIAL || r->delta * log2_of(longest / second) < 31)
        return 0;
    double lines = band < longest ? band : longest;
    return elements / 2 * (250 + 4 * lines) + 200 * band * (elements / longest);
}

/* Fitted to one machine, so only good for order of magnitude: what the normals cost a bin, the
 * transform and selection an element and level, three times that out of the caches, and sorting the
 * band of a soft edge. */
double fmix_plan_mask_cost(const fmix_plan *plan) {
    double n = (double)plan->elements, levels = log2_of(n);
    if (!fmix_method_masks(plan->recipe.method))
        return 200;
    if (!fmix_method_has_spectrum(plan->recipe.method))
        return 300 + 0.1 * n;
    double band = plan->soft ? 2 * plan->recipe.soft * n : 0;
    double element = (1.9 + 0.07 * levels) * (n > 1 << 19 ? 3 : 1);
    return 400 + n * element + n * fmix_transform_penalty(&plan->recipe.shape) +
           10 * band * levels + settling_cost(&plan->recipe, n, band);
}

#define RIVAL_BYTES 160 /* of a pixel that is contested: contest.c, difference.c */

/* Of a soft edge: what is sorted, its pixels and runs, sums of lines; and where all of a band is
 * contested, that. */
uint64_t fmix_plan_memory(const fmix_plan *plan) {
    if (!fmix_method_masks(plan->recipe.method))
        return 0;
    uint64_t bytes = plan->elements; /* a mask */
    if (fmix_method_has_spectrum(plan->recipe.method))
        bytes += 2 * sizeof(double) * (plan->elements + FMIX_KERNELS_PAD) +
                 3 * sizeof(double) * (fmix_shape_bins(&plan->recipe.shape) + FMIX_KERNELS_PAD);
    if (!plan->soft)
        return bytes;
    double n = (double)plan->elements, band = 2 * plan->recipe.soft * n;
    bool settles = settling_cost(&plan->recipe, n, band) > 0;
    return bytes + 60 * plan->elements + (settles ? RIVAL_BYTES * (uint64_t)band : 0);
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
    const fmix_method_row *method = fmix_method_row_of(plan->recipe.method);
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

fmix_status fmix_scratch_new(fmix_scratch **out) {
    *out = calloc(1, sizeof **out);
    return *out ? FMIX_OK : FMIX_ERROR_MEMORY;
}

void fmix_scratch_watch(fmix_scratch *scratch, bool (*cancelled)(void *user), void *user) {
    scratch->cancelled = cancelled;
    scratch->user = user;
}

static void release(fmix_scratch *scratch, size_t keep) {
    if (scratch->x_room * sizeof(double) > keep) {
        fmix_aligned_free(scratch->x);
        scratch->x = NULL;
        scratch->x_room = 0;
    }
    if (scratch->g_room * sizeof(double) > keep) {
        fmix_aligned_free(scratch->g);
        fmix_aligned_free(scratch->work);
        scratch->g = scratch->work = NULL;
        scratch->g_room = 0;
    }
    if (scratch->mask_room > keep) {
        free(scratch->mask);
        scratch->mask = NULL;
        scratch->mask_room = 0;
    }
}

void fmix_scratch_free(fmix_scratch *scratch) {
    if (!scratch)
        return;
    release(scratch, 0);
    free(scratch);
    fmix_exact_thread_end();
}

void fmix_scratch_trim(fmix_scratch *scratch) {
    release(scratch, KEEP_BYTES);
}

fmix_status fmix_scratch_reserve(fmix_scratch *scratch, uint64_t bins, uint64_t elements) {
    const size_t x_room = 2 * ((size_t)bins + FMIX_KERNELS_PAD);
    const size_t g_room = (size_t)elements + FMIX_KERNELS_PAD;
    if (scratch->x_room < x_room) {
        fmix_aligned_free(scratch->x);
        scratch->x = fmix_aligned_new(x_room);
        scratch->x_room = scratch->x ? x_room : 0;
    }
    if (scratch->g_room < g_room) {
        fmix_aligned_free(scratch->g);
        fmix_aligned_free(scratch->work);
        scratch->g = fmix_aligned_new(g_room);
        scratch->work = fmix_aligned_new(g_room);
        scratch->g_room = g_room;
        if (!scratch->g || !scratch->work) {
            fmix_aligned_free(scratch->g);
            fmix_aligned_free(scratch->work);
            scratch->g = scratch->work = NULL;
            scratch->g_room = 0;
        }
    }
    return scratch->x && scratch->g ? FMIX_OK : FMIX_ERROR_MEMORY;
}

fmix_status fmix_scratch_reserve_mask(fmix_scratch *scratch, uint64_t elements) {
    if (scratch->mask_room < elements) {
        free(scratch->mask);
        scratch->mask = malloc((size_t)elements);
        scratch->mask_room = scratch->mask ? (size_t)elements : 0;
    }
    return scratch->mask ? FMIX_OK : FMIX_ERROR_MEMORY;
}
