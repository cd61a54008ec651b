/* GET /v1/masks: masks of samples index … index+n-1. */
#include "mask_tensor.h"
#include "params/choice.h"
#include "params/recipe.h"
#include "plan_rows.h"
#include "resource.h"

#include <math.h> /* nearbyint */
#include <stdlib.h>

typedef struct masks {
    plan_rows rows;
    plan_rows_draw *draw;
    fmix_dtype dtype;
    uint64_t elements, bytes; /* of one mask */
} masks;

static fmix_status fill(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                        void *out) {
    const masks *m = self;
    return plan_rows_images(&m->rows, m->draw, scratch, first, n, m->dtype, m->bytes, out);
}

/* Weights 0 … 1 to levels 0 … 255, rounded half to even. */
static void level(const double *weights, uint64_t n, unsigned char *levels) {
    for (uint64_t i = 0; i < n; i++)
        levels[i] = (unsigned char)nearbyint(255 * weights[i]);
}

/* For formats of images: masks as levels. Greys of u8 are levels already. */
static fmix_status fill_levels(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                               void *out) {
    const masks *m = self;
    unsigned char *levels = out;
    if (m->draw == fmix_plan_greys)
        return fill(m, scratch, first, n, out);
    fmix_status status = FMIX_OK;
    double *weights = m->elements > SIZE_MAX / sizeof *weights
                          ? NULL
                          : malloc((size_t)m->elements * sizeof *weights);
    if (!weights)
        return FMIX_ERROR_MEMORY;
    for (uint64_t i = 0; i < n && status == FMIX_OK; i++) {
        status = plan_rows_images(&m->rows, m->draw, scratch, first + i, 1, FMIX_DTYPE_F64,
                                  m->elements * sizeof *weights, weights);
        if (status == FMIX_OK)
            level(weights, m->elements, levels + i * m->elements);
    }
    free(weights);
    return status;
}

static void destroy(void *self) {
    masks *m = self;
    fmix_plan_free(m->rows.plan);
    free(m);
}

static bool read_recipe(resource_request *request, fmix_recipe *recipe, problem *p) {
    query *q = &request->query;
    if (!q->given[QUERY_SHAPE])
        problem_add(p, 400, "shape",
                    "shape is required: the dimensions of the mask, such as shape=32x32");
    if (q->methods.count > 1 || !fmix_method_masks(q->methods.item[0])) {
        buffer method = buffer_of(128);
        query_print(q, QUERY_METHOD, &method);
        problem_add(p, 400, "method",
                    "method is '%.*s'; masks need one method that has masks: fmix or cutmix",
                    (int)method.length, (const char *)method.bytes);
        buffer_free(&method);
    }
    if (q->output == OUTPUT_GREY && !fmix_method_has_spectrum(q->methods.item[0]))
        problem_add(
            p, 400, "output",
            "output is 'grey', but method '%s' does not threshold grey images; use method=fmix",
            fmix_method_name(q->methods.item[0]));
    if (q->scope == SCOPE_PAIR)
        problem_add(p, 400, "scope",
                    "scope is 'pair', but masks have no partners; use scope=sample or scope=batch, "
                    "or ask for /v1/plans with pairing=flip");
    else
        choice_check(q, p);
    recipe_from_query(q, recipe, p);
    if (p->status)
        return false;
    uint64_t most = request->server->config->elements;
    recipe_shape(q->shape.rank, q->shape.side, most, "shape", &recipe->shape, p);
    recipe_spectrum(q, &recipe->shape, p);
    recipe_address(q, q->n, 1, p);
    return p->status == 0;
}

#define LEVEL_COST 15 /* nanoseconds to round an element to a level */

static bool add_tensors(tensor_source *s, const query *q, const masks *m, tensor_fill *images) {
    double levels = images == fill_levels ? LEVEL_COST * (double)m->elements : 0;
    return mask_tensor_add(s, q, m->dtype, fmix_plan_mask_cost(m->rows.plan) + levels, images, m) &&
           tensor_source_add(s, "lambda", DTYPE_F64, 0, NULL, PLAN_ROWS_COST, plan_rows_lambda,
                             &m->rows) &&
           tensor_source_add(s, "lambda_eff", DTYPE_F64, 0, NULL, PLAN_ROWS_COST,
                             plan_rows_lambda_eff, &m->rows) &&
           tensor_source_add(s, "ones", DTYPE_I64, 0, NULL, PLAN_ROWS_COST, plan_rows_ones,
                             &m->rows);
}

void masks_get(resource_request *request, resource_result *out) {
    problem *p = &out->problem;
    const query *q = &request->query;
    bool as_images = request->format->kind == FORMAT_IMAGES;
    fmix_recipe recipe;
    if (!read_recipe(request, &recipe, p) || (!as_images && !mask_tensor_check(q, p)))
        return;
    tensor_source *s = tensor_source_new(q->n);
    masks *m = calloc(1, sizeof *m);
    fmix_status status = s && m ? fmix_plan_new(request->server->context, &recipe, &m->rows.plan)
                                : FMIX_ERROR_MEMORY;
    if (status != FMIX_OK) {
        problem_add(p, 500, NULL, "%s", fmix_status_text(status));
        tensor_source_free(s);
        free(m);
        return;
    }
    m->rows.index = q->index;
    m->draw = q->output == OUTPUT_GREY ? fmix_plan_greys : fmix_plan_masks;
    m->dtype = as_images ? FMIX_DTYPE_U8 : mask_tensor_dtype(q->dtype);
    m->elements = fmix_shape_elements(&recipe.shape);
    m->bytes = fmix_mask_bytes(m->elements, m->dtype);
    s->self = m;
    s->destroy = destroy;
    tensor_source_set_warm(s, fmix_plan_is_warm(m->rows.plan), m->elements);
    s->working = fmix_plan_memory(m->rows.plan) + (as_images ? 8 * m->elements : 0);
    s->columns = (unsigned)q->columns;
    s->scale = (unsigned)q->scale;
    s->recipe = recipe_text(q, request->groups);
    tensor_source_note(s, "seed", q->seed);
    tensor_source_note(s, "index", q->index);
    if (!s->recipe)
        problem_add(p, 500, NULL, "out of memory");
    else if (!add_tensors(s, q, m, as_images ? fill_levels : fill))
        problem_add_too_long(p, "n", "answer");
    else
        out->source = s;
    if (!out->source)
        tensor_source_free(s);
}
