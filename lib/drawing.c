#include "drawing.h"
#include "spectrum.h"

/*
 * The bound of the error of G, and why it decides a mask (BOUND.md §5).
 *
 * Let G be the exact values of the exact bins, and g what the transform returned for the computed
 * bins. Each computed bin is within FMIX_SPECTRUM_BOUND times its share of ||X||_1 of the exact
 * bin, and an exact transform moves no value by more than the sum of these errors. FFTW adds at
 * most fmix_transform_bound * ||X||_1 (hypothesis H). fmix_spectrum_fill's norm is at least the
 * computed ||X||_1, so with
 *
 *     B = norm * (fmix_transform_bound + 2 * FMIX_SPECTRUM_BOUND)     |g[n] - G[n]| <= B
 *
 * where the second FMIX_SPECTRUM_BOUND is room for the rounding of B itself and of comparisons with
 * B (|g| <= norm, so u * norm each), and for the norm being the norm of computed bins.
 *
 * So values further apart than 2B have the order of their exact values, and the value of a given
 * rank is within B of the exact value of that rank (ranks move no further than values).
 */
static double bound_of(double norm, uint64_t elements) {
    return norm * (fmix_transform_bound(elements) + 2 * FMIX_SPECTRUM_BOUND);
}

static void add_noise(const fmix_hooks *hooks, uint64_t t, double bound, double *g, uint64_t n) {
    for (uint64_t i = 0; i < n; i++) {
        uint64_t hash = (i + UINT64_C(0x9e3779b97f4a7c15) * (t + 1)) * UINT64_C(0xff51afd7ed558ccd);
        hash ^= hash >> 33;
        hash *= UINT64_C(0xc4ceb9fe1a85ec53);
        g[i] += hash >> 63 ? hooks->noise * bound : -hooks->noise * bound;
    }
}

fmix_status fmix_drawing_begin(fmix_drawing *d, const fmix_plan *plan, fmix_scratch *scratch) {
    fmix_cache *cache = plan->context->cache;
    *d = (fmix_drawing){.plan = plan, .scratch = scratch};
    fmix_status status = fmix_scratch_reserve_mask(scratch, plan->elements);
    if (!plan->method->spectrum)
        return status;
    if (status == FMIX_OK)
        status = fmix_weights_get(cache, &plan->params, &d->weights, &d->weights_entry);
    if (status == FMIX_OK)
        status = fmix_transform_get(cache, &plan->recipe.shape, &d->transform, &d->transform_entry);
    if (status == FMIX_OK)
        status = fmix_scratch_reserve(scratch, d->weights->bins, plan->elements);
    return status;
}

void fmix_drawing_end(fmix_drawing *d) {
    if (d->transform)
        fmix_tuning_used(&d->plan->context->tuning, d->transform, d->scratch->transforms);
    d->scratch->transforms = 0;
    fmix_cache_release(d->plan->context->cache, d->transform_entry);
    fmix_cache_release(d->plan->context->cache, d->weights_entry);
}

void fmix_drawing_values(const fmix_drawing *d, uint64_t t, double *bound) {
    const fmix_plan *plan = d->plan;
    const fmix_hooks *hooks = &plan->context->hooks;
    fmix_scratch *scratch = d->scratch;
    double norm =
        fmix_spectrum_fill(d->weights, plan->context->kernels, &plan->spectrum_key, t, scratch->x);
    fmix_transform_run(d->transform, scratch->x, scratch->g);
    scratch->transforms++;
    *bound = bound_of(norm, plan->elements);
    if (hooks->watch)
        hooks->watch(hooks->watch_user, scratch->g, plan->elements, *bound);
    if (hooks->noise != 0)
        add_noise(hooks, t, *bound, scratch->g, plan->elements);
}

fmix_field fmix_drawing_field(const fmix_drawing *d, uint64_t t) {
    return (fmix_field){.params = &d->weights->params,
                        .total = d->weights->total,
                        .key = &d->plan->spectrum_key,
                        .t = t,
                        .cancellation = d->scratch->cancellation};
}

double fmix_drawing_width(const fmix_drawing *d, double bound) {
    const fmix_hooks *hooks = &d->plan->context->hooks;
    if (hooks->unchecked)
        return 0;
    return 2 * bound * (hooks->widen != 0 ? hooks->widen : 1);
}
