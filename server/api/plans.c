/* GET /v1/plans: the pairing, masks and lambda of batch `step`, or of several batches, for a
 * trainer that mixes on its own device. */
#include "mask_tensor.h"
#include "mixer_rows.h"
#include "params/choice.h"
#include "params/recipe.h"
#include "resource.h"

#include <stdlib.h>
#include <string.h>

#define PLAN_PARTS (PART_MASKS | PART_PAIRING | PART_LAMBDA | PART_LAMBDA_EFF | PART_METHOD)

typedef struct plans {
    query query;
    uint64_t elements, mask_bytes;
    fmix_mixer *mixer;
} plans;

/* The rows of batch `step` of the answer. */
static mixer_rows batch_at(const plans *p, uint64_t step) {
    const query *q = &p->query;
    return (mixer_rows){
        .mixer = p->mixer,
        .rows = {.batch = q->step + step, .count = q->n, .index = q->index + step * q->n},
        .dtype = mask_tensor_dtype(q->dtype),
        .alike = !choice_varies(q)};
}

/* Fills rows first … first+n-1 of the answer, batch by batch. */
static fmix_status each_batch(const plans *p, fmix_scratch *scratch, uint64_t first, uint64_t n,
                              tensor_fill *part, uint64_t row_bytes, void *out) {
    unsigned char *at = out;
    fmix_status status = FMIX_OK;
    while (n && status == FMIX_OK) {
        uint64_t begin = first % p->query.n, left = p->query.n - begin;
        uint64_t take = left < n ? left : n;
        const mixer_rows rows = batch_at(p, first / p->query.n);
        status = part(&rows, scratch, begin, take, at);
        first += take;
        n -= take;
        at += take * row_bytes;
    }
    return status;
}

static fmix_status fill_lambda(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                               void *out) {
    return each_batch(self, scratch, first, n, mixer_rows_lambda, sizeof(double), out);
}

static fmix_status fill_lambda_eff(const void *self, fmix_scratch *scratch, uint64_t first,
                                   uint64_t n, void *out) {
    return each_batch(self, scratch, first, n, mixer_rows_lambda_eff, sizeof(double), out);
}

static fmix_status fill_method(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                               void *out) {
    return each_batch(self, scratch, first, n, mixer_rows_method, 1, out);
}

static fmix_status fill_masks(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                              void *out) {
    const plans *p = self;
    return each_batch(p, scratch, first, n, mixer_rows_masks, p->mask_bytes, out);
}

/* A row of this tensor is the pairing of a whole batch. */
static fmix_status fill_pairing(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                                void *out) {
    const plans *p = self;
    const query *q = &p->query;
    fmix_status status = FMIX_OK;
    (void)scratch;
    for (uint64_t i = 0; i < n && status == FMIX_OK; i++)
        status = fmix_pairing((fmix_pairing_kind)q->pairing, q->seed, q->step + first + i,
                              (uint32_t)q->n, (int64_t *)out + i * q->n);
    return status;
}

static void plans_free(void *self) {
    plans *p = self;
    if (p)
        fmix_mixer_free(p->mixer);
    free(p);
}

static bool read_recipe(resource_request *request, fmix_recipe *recipe, problem *p) {
    query *q = &request->query;
    if (!q->given[QUERY_SHAPE])
        problem_add(p, 400, "shape",
                    "shape is required: the dimensions of the mask, such as shape=32x32");
    if (q->given[QUERY_PARTS] && (q->parts & ~(unsigned)PLAN_PARTS))
        problem_add(p, 400, "parts",
                    "the parts of plans are masks, pairing, lambda, lambda_eff and method");
    if (q->pairing > FMIX_PAIRING_NONE)
        problem_add(p, 400, "pairing",
                    "pairing is '%s', but a plan knows neither labels nor a data set; send the "
                    "batch to /v1/mix, host the data set, or use another pairing",
                    query_table[QUERY_PAIRING].choices[q->pairing]);
    recipe_from_query(q, recipe, p);
    if (!choice_check(q, p) || p->status)
        return false;
    recipe_shape(q->shape.rank, q->shape.side, request->server->config->elements, "shape",
                 &recipe->shape, p);
    recipe_spectrum(q, &recipe->shape, p);
    mask_tensor_check(q, p);
    recipe_address(q, q->n, q->steps, p); /* n * steps is at most 2^44 */
    return p->status == 0 && format_holds_parts(request->format, q, p);
}

static plans *plans_new(resource_request *request, const fmix_recipe *recipe, problem *p) {
    const query *q = &request->query;
    plans *made = calloc(1, sizeof *made);
    fmix_choice choice;
    choice_of(q, &choice);
    fmix_status status =
        made ? fmix_mixer_new(request->server->context, recipe, &choice, &made->mixer)
             : FMIX_ERROR_MEMORY;
    if (status != FMIX_OK) {
        problem_add(p, 500, NULL, "%s", fmix_status_text(status));
        plans_free(made);
        return NULL;
    }
    made->query = *q;
    made->elements = fmix_shape_elements(&recipe->shape);
    made->mask_bytes = fmix_mask_bytes(made->elements, mask_tensor_dtype(q->dtype));
    return made;
}

static bool add_tensors(tensor_source *s, const plans *p) {
    const query *q = &p->query;
    unsigned wanted = q->given[QUERY_PARTS] ? q->parts : ~0u;
    double mask_cost = fmix_mixer_cost(p->mixer);
    bool good = true;
    if (wanted & PART_MASKS)
        good = good && mask_tensor_add(s, q, mask_tensor_dtype(q->dtype), mask_cost, fill_masks, p);
    if (wanted & PART_PAIRING)
        good = good && tensor_source_add_batches(s, "pairing", DTYPE_I64, q->n, 15 * (double)q->n,
                                                 fill_pairing, p);
    if (wanted & PART_LAMBDA)
        good = good &&
               tensor_source_add(s, "lambda", DTYPE_F64, 0, NULL, MIXER_ROWS_COST, fill_lambda, p);
    if (wanted & PART_LAMBDA_EFF)
        good = good && tensor_source_add(s, "lambda_eff", DTYPE_F64, 0, NULL, MIXER_ROWS_COST,
                                         fill_lambda_eff, p);
    if (wanted & PART_METHOD)
        good = good &&
               tensor_source_add(s, "method", DTYPE_U8, 0, NULL, MIXER_ROWS_COST, fill_method, p);
    return good;
}

void plans_get(resource_request *request, resource_result *out) {
    problem *p = &out->problem;
    fmix_recipe recipe;
    if (!read_recipe(request, &recipe, p))
        return;
    const query *q = &request->query;
    plans *made = plans_new(request, &recipe, p);
    tensor_source *s = made ? tensor_source_new(q->steps * q->n) : NULL;
    if (!s) {
        plans_free(made);
        if (!p->status)
            problem_add(p, 500, NULL, "out of memory");
        return;
    }
    s->self = made;
    s->destroy = plans_free;
    s->batches = q->given[QUERY_STEPS] ? q->steps : 0;
    tensor_source_set_warm(s, fmix_mixer_is_warm(made->mixer), made->elements);
    s->working = fmix_mixer_memory(made->mixer);
    s->recipe = recipe_text(q, request->groups);
    tensor_source_note(s, "seed", q->seed);
    tensor_source_note(s, "step", q->step);
    tensor_source_note(s, "index", q->index);
    if (!s->recipe)
        problem_add(p, 500, NULL, "out of memory");
    else if (!add_tensors(s, made))
        problem_add_too_long(p, "n", "answer");
    else
        out->source = s;
    if (!out->source)
        tensor_source_free(s);
}
