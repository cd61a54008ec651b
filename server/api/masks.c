/* GET /v1/masks: masks of samples index … index+n-1. */
#include "../call.h"
#include "../recipe.h"
#include "rows.h"

#include <stdlib.h>

typedef struct masks {
    rows rows; /* first */
    fmix_dtype dtype;
    uint64_t bytes; /* of one mask */
} masks;

static fmix_status fill(const source *from, fmix_scratch *scratch, uint64_t first, uint64_t n,
                        void *out) {
    const masks *m = from->self;
    return rows_masks(&m->rows, scratch, first, n, m->dtype, m->bytes, out);
}

static void destroy(source *s) {
    masks *m = s->self;
    fmix_plan_free(m->rows.plan);
    free(m);
}

static bool read_recipe(call *c, fmix_recipe *recipe, problem *p) {
    query *q = &c->query;
    if (!q->given[QUERY_SHAPE])
        problem_add(p, 400, "shape", "shape is required: the mask's sides, as shape=32x32");
    if (q->methods.count > 1 || !fmix_method_masks((fmix_method)q->methods.item[0])) {
        buffer method = buffer_of(128);
        query_print(q, QUERY_METHOD, &method);
        problem_add(p, 400, "method",
                    "method is '%.*s'; masks are of one method that has them: fmix, cutmix",
                    (int)method.length, (const char *)method.bytes);
        buffer_free(&method);
    }
    recipe_law(q, recipe, p);
    if (p->status)
        return false;
    uint64_t most = c->service->config->elements;
    recipe_shape(q->shape.rank, q->shape.side, most, "shape", &recipe->shape, p);
    recipe_address(q, q->n, 1, p);
    return p->status == 0;
}

static bool add_tensors(source *s, const query *q, const fmix_plan *plan, fmix_dtype type) {
    return rows_add_masks(s, q, type, fmix_plan_mask_cost(plan), fill) &&
           source_add(s, "lambda", DTYPE_F64, 0, NULL, ROWS_COST, rows_lambda) &&
           source_add(s, "lambda_eff", DTYPE_F64, 0, NULL, ROWS_COST, rows_lambda_eff) &&
           source_add(s, "ones", DTYPE_I64, 0, NULL, ROWS_COST, rows_ones);
}

void masks_get(call *c, outcome *out) {
    problem *p = &out->problem;
    const query *q = &c->query;
    fmix_recipe recipe;
    if (!read_recipe(c, &recipe, p))
        return;
    source *s = source_new(q->n);
    masks *m = calloc(1, sizeof *m);
    fmix_status status =
        s && m ? fmix_plan_new(c->service->context, &recipe, &m->rows.plan) : FMIX_ERROR_MEMORY;
    if (status != FMIX_OK) {
        problem_add(p, 500, NULL, "%s", fmix_status_text(status));
        source_free(s);
        free(m);
        return;
    }
    m->rows.index = q->index;
    m->dtype = c->format->masks == DTYPE_U8 ? FMIX_DTYPE_U8 : rows_mask_type(q->dtype);
    m->bytes = fmix_mask_bytes(fmix_shape_elements(&recipe.shape), m->dtype);
    s->self = m;
    s->destroy = destroy;
    s->warm = fmix_plan_is_warm(m->rows.plan);
    s->columns = (unsigned)q->columns;
    s->scale = (unsigned)q->scale;
    s->recipe = recipe_text(q, c->groups);
    source_note(s, "seed", q->seed);
    source_note(s, "index", q->index);
    if (!add_tensors(s, q, m->rows.plan, m->dtype) || !s->recipe) {
        problem_add(p, 413, "n", "the answer would have more bytes than can be counted");
        source_free(s);
        return;
    }
    out->source = s;
}
