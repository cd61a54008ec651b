#include "choice.h"
#include "label.h"
#include "mask.h"
#include "mix.h"

#include <stdlib.h>

#define PLANS (FMIX_MAX_METHODS + 1)

/* plans[i] is of the method at place i of the choice, plans[FMIX_UNMIXED] of unmixed rows; NULL
 * where the choice has none. */
struct fmix_mixer {
    fmix_chooser chooser;
    fmix_plan *plans[PLANS];
};

/* The recipe of the method at this place, or of unmixed rows. */
static fmix_status recipe_at(const fmix_recipe *recipe, const fmix_choice *choice, unsigned place,
                             fmix_recipe *out) {
    *out = *recipe;
    out->scope_batch = false;
    if (place == FMIX_UNMIXED) {
        out->lambda_given = true;
        out->lambda = 1;
        out->reformulate = false;
        return fmix_method_named("none", &out->method);
    }
    out->method = choice->methods[place];
    if (choice->alphas)
        out->alpha = choice->alphas[place];
    return FMIX_OK;
}

fmix_status fmix_mixer_new(fmix_context *context, const fmix_recipe *recipe,
                           const fmix_choice *choice, fmix_mixer **out) {
    fmix_mixer *mixer = calloc(1, sizeof *mixer);
    fmix_status status =
        mixer ? fmix_chooser_init(&mixer->chooser, recipe->seed, choice) : FMIX_ERROR_MEMORY;
    for (unsigned i = 0; i < PLANS && status == FMIX_OK; i++) {
        fmix_recipe one;
        if (i == FMIX_UNMIXED ? !choice->prob_given : i >= choice->count)
            continue;
        status = recipe_at(recipe, choice, i, &one);
        if (status == FMIX_OK)
            status = fmix_plan_new(context, &one, &mixer->plans[i]);
    }
    if (status != FMIX_OK) {
        fmix_mixer_free(mixer);
        return status;
    }
    *out = mixer;
    return FMIX_OK;
}

void fmix_mixer_free(fmix_mixer *mixer) {
    if (!mixer)
        return;
    for (unsigned i = 0; i < PLANS; i++)
        fmix_plan_free(mixer->plans[i]);
    free(mixer);
}

bool fmix_mixer_is_warm(const fmix_mixer *mixer) {
    for (unsigned i = 0; i < PLANS; i++)
        if (mixer->plans[i] && !fmix_plan_is_warm(mixer->plans[i]))
            return false;
    return true;
}

double fmix_mixer_cost(const fmix_mixer *mixer) {
    double highest = 0;
    for (unsigned i = 0; i < PLANS; i++) {
        double cost = mixer->plans[i] ? fmix_plan_mask_cost(mixer->plans[i]) : 0;
        highest = cost > highest ? cost : highest;
    }
    return highest;
}

uint64_t fmix_mixer_memory(const fmix_mixer *mixer) {
    uint64_t highest = 0;
    for (unsigned i = 0; i < PLANS; i++) {
        uint64_t bytes = mixer->plans[i] ? fmix_plan_memory(mixer->plans[i]) : 0;
        highest = bytes > highest ? bytes : highest;
    }
    return highest;
}

bool fmix_mixer_has_masks(const fmix_mixer *mixer) {
    for (unsigned i = 0; i < PLANS; i++)
        if (mixer->plans[i] && mixer->plans[i]->method->draw)
            return true;
    return false;
}

static const fmix_plan *plan_at(const fmix_mixer *mixer, const fmix_slice *slice, uint64_t i) {
    uint64_t t = fmix_slice_t(slice, i);
    return mixer->plans[fmix_chooser_place(&mixer->chooser, slice->rows->batch, t)];
}

fmix_status fmix_mixer_row(const fmix_mixer *mixer, const fmix_rows *rows, uint64_t i,
                           fmix_method *method, fmix_row *out) {
    const fmix_slice slice = {rows, mixer->chooser.scope, i, 1};
    if (!fmix_slice_is_valid(&slice))
        return FMIX_ERROR_RANGE;
    const fmix_plan *plan = plan_at(mixer, &slice, i);
    *method = plan->recipe.method;
    return fmix_plan_row(plan, fmix_slice_t(&slice, i), out);
}

/* ---- rows by runs of one plan ---- */

/* What is written for rows. `takes` tells of a plan that the batch can have whether it can do so;
 * `write` does so for rows of that plan. */
typedef struct task {
    bool (*takes)(const struct task *w, const fmix_plan *plan);
    fmix_status (*write)(const struct task *w, const fmix_plan *plan, const fmix_slice *slice,
                         void *to);
    fmix_scratch *scratch;
    const fmix_batch *batch;
    const fmix_labels *labels;
    fmix_dtype dtype;
    uint64_t row_bytes;
    unsigned char *to;
} task;

static bool takes_batch(const fmix_mixer *mixer, const task *w, uint64_t batch) {
    for (unsigned i = 0; i < PLANS; i++)
        if (fmix_chooser_allows(&mixer->chooser, batch, i) && !w->takes(w, mixer->plans[i]))
            return false;
    return true;
}

/* The end of the run of rows from `first` on that have this plan. */
static uint64_t run_end(const fmix_mixer *mixer, const fmix_slice *slice, const fmix_plan *plan,
                        uint64_t first) {
    uint64_t end = slice->first + slice->n, i = first + 1;
    if (!fmix_chooser_varies(&mixer->chooser))
        return end;
    while (i < end && plan_at(mixer, slice, i) == plan)
        i++;
    return i;
}

static fmix_status write_rows(const fmix_mixer *mixer, const fmix_rows *rows, uint64_t first,
                              uint64_t n, const task *w) {
    const fmix_slice slice = {rows, mixer->chooser.scope, first, n};
    if (!fmix_slice_is_valid(&slice) || !takes_batch(mixer, w, rows->batch))
        return FMIX_ERROR_RANGE;
    fmix_status status = FMIX_OK;
    for (uint64_t i = first, end; i < first + n && status == FMIX_OK; i = end) {
        const fmix_plan *plan = plan_at(mixer, &slice, i);
        end = run_end(mixer, &slice, plan, i);
        const fmix_slice run = {rows, mixer->chooser.scope, i, end - i};
        status = w->write(w, plan, &run, w->to + (i - first) * w->row_bytes);
    }
    return status;
}

/* ---- what is written ---- */

static bool takes_masks(const task *w, const fmix_plan *plan) {
    return fmix_mask_allows(w->dtype) && (!plan->soft || fmix_dtype_floats(w->dtype));
}

static fmix_status write_masks(const task *w, const fmix_plan *plan, const fmix_slice *slice,
                               void *to) {
    return plan->method->draw ? fmix_mask_slice(plan, w->scratch, slice, w->dtype, to)
                              : fmix_mix_weights(plan, slice, w->dtype, to);
}

fmix_status fmix_mixer_masks(const fmix_mixer *mixer, fmix_scratch *scratch, const fmix_rows *rows,
                             uint64_t first, uint64_t n, fmix_dtype dtype, void *out) {
    const task w = {.takes = takes_masks,
                    .write = write_masks,
                    .scratch = scratch,
                    .dtype = dtype,
                    .row_bytes = fmix_mask_bytes(mixer->plans[0]->elements, dtype),
                    .to = out};
    return write_rows(mixer, rows, first, n, &w);
}

static bool takes_samples(const task *w, const fmix_plan *plan) {
    return !fmix_mix_refuses(plan, w->batch);
}

static fmix_status write_samples(const task *w, const fmix_plan *plan, const fmix_slice *slice,
                                 void *to) {
    return fmix_mix_slice(plan, w->scratch, w->batch, slice, to);
}

fmix_status fmix_mixer_mix(const fmix_mixer *mixer, fmix_scratch *scratch, const fmix_rows *rows,
                           const fmix_batch *batch, uint64_t first, uint64_t n, void *out) {
    uint64_t size = fmix_dtype_bytes(batch->out_dtype);
    const task w = {.takes = takes_samples,
                    .write = write_samples,
                    .scratch = scratch,
                    .batch = batch,
                    .row_bytes = mixer->plans[0]->elements * batch->channels * size,
                    .to = out};
    return write_rows(mixer, rows, first, n, &w);
}

static bool takes_labels(const task *w, const fmix_plan *plan) {
    (void)plan;
    return fmix_label_is_valid(w->labels);
}

static fmix_status write_labels(const task *w, const fmix_plan *plan, const fmix_slice *slice,
                                void *to) {
    return fmix_label_slice(plan, w->labels, slice, to);
}

fmix_status fmix_mixer_labels(const fmix_mixer *mixer, const fmix_rows *rows,
                              const fmix_labels *labels, uint64_t first, uint64_t n, float *out) {
    const task w = {.takes = takes_labels,
                    .write = write_labels,
                    .labels = labels,
                    .row_bytes = labels->classes * sizeof *out,
                    .to = (unsigned char *)out};
    return write_rows(mixer, rows, first, n, &w);
}
