/* GET /v1/plans: the pairing, masks and lambda of batch `step`, or of several batches, for a
 * trainer that mixes on its own device. */
#include "mask_tensor.h"
#include "params/choice.h"
#include "params/recipe.h"
#include "plan_rows.h"
#include "resource.h"

#include <stdlib.h>
#include <string.h>

#define PLAN_PARTS (PART_MASKS | PART_PAIRING | PART_LAMBDA | PART_LAMBDA_EFF | PART_METHOD)

typedef struct plans {
    query query;
    uint64_t elements, mask_bytes;
    fmix_plan *plan[QUERY_LIST]; /* of each method of the list */
} plans;

/* One batch of the answer: its method and its rows. */
typedef struct batch {
    fmix_method method;
    plan_rows rows;
} batch;

static fmix_status batch_at(const plans *p, uint64_t step, batch *out) {
    const query *q = &p->query;
    problem impossible = {0}; /* every method was checked before the source was made */
    if (!recipe_method(q, q->step + step, &out->method, &impossible))
        return FMIX_ERROR_RANGE;
    unsigned i = 0;
    while (q->methods.item[i] != out->method)
        i++;
    out->rows = (plan_rows){.plan = p->plan[i], .index = q->index + step * q->n};
    return FMIX_OK;
}

/* Writes rows first … first+n-1 of one batch. */
typedef fmix_status fill_part(const plans *p, const batch *b, fmix_scratch *scratch, uint64_t first,
                              uint64_t n, unsigned char *out);

static fmix_status each_batch(const plans *p, fmix_scratch *scratch, uint64_t first, uint64_t n,
                              fill_part *part, uint64_t row_bytes, void *out) {
    unsigned char *at = out;
    fmix_status status = FMIX_OK;
    while (n && status == FMIX_OK) {
        batch b;
        uint64_t begin = first % p->query.n, left = p->query.n - begin;
        uint64_t take = left < n ? left : n;
        status = batch_at(p, first / p->query.n, &b);
        if (status == FMIX_OK)
            status = part(p, &b, scratch, begin, take, at);
        first += take;
        n -= take;
        at += take * row_bytes;
    }
    return status;
}

static fmix_status lambda_part(const plans *p, const batch *b, fmix_scratch *scratch,
                               uint64_t first, uint64_t n, unsigned char *out) {
    (void)p;
    return plan_rows_lambda(&b->rows, scratch, first, n, out);
}

static fmix_status lambda_eff_part(const plans *p, const batch *b, fmix_scratch *scratch,
                                   uint64_t first, uint64_t n, unsigned char *out) {
    (void)p;
    return plan_rows_lambda_eff(&b->rows, scratch, first, n, out);
}

static fmix_status method_part(const plans *p, const batch *b, fmix_scratch *scratch,
                               uint64_t first, uint64_t n, unsigned char *out) {
    (void)p;
    (void)scratch;
    (void)first;
    memset(out, (int)b->method, (size_t)n);
    return FMIX_OK;
}

static fmix_status masks_part(const plans *p, const batch *b, fmix_scratch *scratch, uint64_t first,
                              uint64_t n, unsigned char *out) {
    fmix_dtype type = mask_tensor_dtype(p->query.dtype);
    if (fmix_method_masks(b->method))
        return plan_rows_images(&b->rows, fmix_plan_masks, scratch, first, n, type, p->mask_bytes,
                                out);
    return fmix_plan_weights(b->rows.plan, b->rows.index, first, n, type, out);
}

static fmix_status fill_lambda(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                               void *out) {
    return each_batch(self, scratch, first, n, lambda_part, sizeof(double), out);
}

static fmix_status fill_lambda_eff(const void *self, fmix_scratch *scratch, uint64_t first,
                                   uint64_t n, void *out) {
    return each_batch(self, scratch, first, n, lambda_eff_part, sizeof(double), out);
}

static fmix_status fill_method(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                               void *out) {
    return each_batch(self, scratch, first, n, method_part, 1, out);
}

static fmix_status fill_masks(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                              void *out) {
    const plans *p = self;
    return each_batch(p, scratch, first, n, masks_part, p->mask_bytes, out);
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
    for (unsigned i = 0; p && i < QUERY_LIST; i++)
        fmix_plan_free(p->plan[i]);
    free(p);
}

static bool read_recipe(resource_request *request, fmix_recipe *recipe, problem *p) {
    query *q = &request->query;
    fmix_method method;
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
    choice_check(q, p);
    recipe_method(q, q->step, &method, p);
    if (p->status)
        return false;
    recipe_shape(q->shape.rank, q->shape.side, request->server->config->elements, "shape",
                 &recipe->shape, p);
    recipe_spectrum(q, &recipe->shape, p);
    mask_tensor_check(q, p);
    recipe_address(q, q->n, q->steps, p); /* n * steps is at most 2^44 */
    return p->status == 0 && format_holds_parts(request->format, q, p);
}

/* A plan of each method of the list. */
static plans *plans_new(resource_request *request, const fmix_recipe *recipe, problem *p) {
    const query *q = &request->query;
    plans *made = calloc(1, sizeof *made);
    fmix_status status = made ? FMIX_OK : FMIX_ERROR_MEMORY;
    for (unsigned i = 0; i < q->methods.count && status == FMIX_OK; i++) {
        fmix_recipe one = *recipe;
        one.method = q->methods.item[i];
        status = fmix_plan_new(request->server->context, &one, &made->plan[i]);
    }
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

/* The highest cost of any method of the list. */
static double mask_cost(const plans *p) {
    double most = 0;
    for (unsigned i = 0; i < QUERY_LIST; i++) {
        double cost = p->plan[i] ? fmix_plan_mask_cost(p->plan[i]) : 0;
        most = cost > most ? cost : most;
    }
    return most + 0.25 * (double)p->elements;
}

static uint64_t working(const plans *p) {
    uint64_t most = 0;
    for (unsigned i = 0; i < QUERY_LIST; i++) {
        uint64_t bytes = p->plan[i] ? fmix_plan_memory(p->plan[i]) : 0;
        most = bytes > most ? bytes : most;
    }
    return most;
}

static bool is_warm(const plans *p) {
    for (unsigned i = 0; i < QUERY_LIST; i++)
        if (p->plan[i] && !fmix_plan_is_warm(p->plan[i]))
            return false;
    return true;
}

static bool add_tensors(tensor_source *s, const plans *p) {
    const query *q = &p->query;
    unsigned wanted = q->given[QUERY_PARTS] ? q->parts : ~0u;
    bool good = true;
    if (wanted & PART_MASKS)
        good =
            good && mask_tensor_add(s, q, mask_tensor_dtype(q->dtype), mask_cost(p), fill_masks, p);
    if (wanted & PART_PAIRING)
        good = good && tensor_source_add_batches(s, "pairing", DTYPE_I64, q->n, 15 * (double)q->n,
                                                 fill_pairing, p);
    if (wanted & PART_LAMBDA)
        good = good &&
               tensor_source_add(s, "lambda", DTYPE_F64, 0, NULL, PLAN_ROWS_COST, fill_lambda, p);
    if (wanted & PART_LAMBDA_EFF)
        good = good && tensor_source_add(s, "lambda_eff", DTYPE_F64, 0, NULL, PLAN_ROWS_COST,
                                         fill_lambda_eff, p);
    if (wanted & PART_METHOD)
        good = good && tensor_source_add(s, "method", DTYPE_U8, 0, NULL, 5, fill_method, p);
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
    s->warm = is_warm(made);
    s->working = working(made);
    s->recipe = recipe_text(q, request->groups);
    tensor_source_note(s, "seed", q->seed);
    tensor_source_note(s, "step", q->step);
    tensor_source_note(s, "index", q->index);
    if (!s->recipe)
        problem_add(p, 500, NULL, "out of memory");
    else if (!add_tensors(s, made))
        problem_add(p, 413, "n", "the answer would be larger than 2^63-1 bytes");
    else
        out->source = s;
    if (!out->source)
        tensor_source_free(s);
}
