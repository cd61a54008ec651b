/* POST /v1/mix: the uploaded batch, mixed as batch `step`. */
#include "../call.h"
#include "../recipe.h"
#include "labels.h"
#include "rows.h"

#include <stdlib.h>
#include <string.h>

typedef struct mix {
    rows rows;             /* first */
    buffer body, inflated; /* what the batch is a view of */
    fmix_batch batch;
    int64_t *pairing;
    uint64_t seed, step, elements;
    fmix_pairing_kind kind;
    labels *labels; /* NULL: none */
    bool interpolates;
} mix;

static fmix_status fill_mixed(const source *from, fmix_scratch *scratch, uint64_t first, uint64_t n,
                              void *out) {
    const mix *m = from->self;
    return fmix_plan_mix(m->rows.plan, scratch, &m->batch, m->rows.index, first, n, out);
}

static fmix_status fill_pairing(const source *from, fmix_scratch *scratch, uint64_t first,
                                uint64_t n, void *out) {
    const mix *m = from->self;
    (void)scratch;
    memcpy(out, m->pairing + first, (size_t)n * sizeof *m->pairing);
    return FMIX_OK;
}

static fmix_status fill_masks(const source *from, fmix_scratch *scratch, uint64_t first, uint64_t n,
                              void *out) {
    const mix *m = from->self;
    if (m->interpolates)
        return fmix_plan_weights(m->rows.plan, m->rows.index, first, n, FMIX_DTYPE_F32, out);
    return rows_images(&m->rows, fmix_plan_masks, scratch, first, n, FMIX_DTYPE_F32,
                       4 * m->elements, out);
}

static fmix_status prepare(source *s) {
    mix *m = s->self;
    return fmix_pairing(m->kind, m->seed, m->step, (uint32_t)s->rows, m->pairing);
}

static void mix_free(mix *m) {
    fmix_plan_free(m->rows.plan);
    buffer_free(&m->body);
    buffer_free(&m->inflated);
    free(m->pairing);
    labels_free(m->labels);
    free(m);
}

static void destroy(source *s) {
    mix_free(s->self);
}

/* Which sides of x are the mask's. */
typedef struct geometry {
    unsigned rank;
    const uint64_t *sides;
    uint64_t channels;
    bool has_channels; /* a side of their own */
    fmix_layout layout;
} geometry;

static bool find_geometry(const query *q, const array *u, geometry *g, problem *p) {
    bool given = q->given[QUERY_LAYOUT];
    if (u->rank < 2) {
        problem_add(p, 400, "x", "x has %u sides; it needs rows and at least one side more",
                    u->rank);
        return false;
    }
    if (!given && u->rank >= 3) {
        problem_add(p, 400, "layout",
                    "x has %u sides, so layout is required: channels_first, channels_last or none",
                    u->rank);
        return false;
    }
    unsigned layout = given ? q->layout : LAYOUT_NONE;
    unsigned channels = layout != LAYOUT_NONE;
    g->rank = u->rank - 1 - channels;
    if (g->rank < 1 || g->rank > 3) {
        problem_add(p, 400, "layout",
                    "with this layout x has %u spatial sides; it must have one, two or three",
                    g->rank);
        return false;
    }
    bool last = layout == LAYOUT_CHANNELS_LAST;
    g->sides = u->shape + 1 + (channels && !last);
    g->has_channels = channels != 0;
    g->channels = !channels ? 1 : u->shape[last ? u->rank - 1 : 1];
    /* One channel that comes first is the simple case of both. */
    g->layout = last ? FMIX_CHANNELS_LAST : FMIX_CHANNELS_FIRST;
    return true;
}

/* What the body holds that is mixed. */
typedef struct pair {
    const array *x, *x2; /* x2 NULL: rows of x are mixed with each other */
} pair;

static bool same_array(const array *a, const array *b) {
    return a->type == b->type && a->rank == b->rank &&
           memcmp(a->shape, b->shape, a->rank * sizeof *a->shape) == 0;
}

/* `all` keeps what the arrays are views of. */
static bool read_pair(call *c, upload *all, pair *out, problem *p) {
    const format *f = format_of_upload(c->content_type, c->body.bytes, c->body.length, p);
    if (!f || !f->read(c->body.bytes, c->body.length, &c->query, all, p))
        return false;
    upload_swap(all);
    *out = (pair){upload_find(all, "x"), upload_find(all, "x2")};
    if (!out->x)
        problem_add(p, 400, "x", "the body holds no array named x");
    for (unsigned i = 0; i < all->count; i++)
        if (&all->arrays[i] != out->x && &all->arrays[i] != out->x2 &&
            !labels_are(all->arrays[i].name))
            problem_add(p, 400, all->arrays[i].name,
                        "the body holds an array named %s; x, y, x2, y2, y.NAME and y2.NAME are "
                        "taken",
                        all->arrays[i].name);
    if (out->x && out->x2 && !same_array(out->x, out->x2))
        problem_add(p, 400, "x2", "x2 must have the shape and dtype of x");
    return p->status == 0;
}

/* The type of the answer, if every method of the list can make it: no batch shall be refused later.
 */
static bool find_out_type(const query *q, const array *x, dtype *out, problem *p) {
    *out = q->given[QUERY_OUT_DTYPE] ? (dtype)q->out_dtype : x->type;
    for (unsigned i = 0; i < q->methods.count; i++) {
        fmix_method method = q->methods.item[i];
        const char *reason =
            fmix_method_refuses(method, q->soft > 0, rows_type(x->type), rows_type(*out));
        if (!reason)
            continue;
        problem_add(p, 400, "method", "method is '%s' and x has dtype %s: %s %s",
                    fmix_method_name(method), dtype_table[x->type].name, fmix_method_name(method),
                    reason);
        return false;
    }
    return true;
}

static bool add_tensors(source *s, const query *q, const array *u, dtype out_type,
                        const geometry *g, mix *m) {
    unsigned wanted = q->given[QUERY_PARTS] ? q->parts : ~0u;
    double mask_cost =
        fmix_plan_mask_cost(m->rows.plan) + (m->interpolates ? 0.25 * (double)m->elements : 0);
    double bytes = (double)m->elements * (double)g->channels * (double)dtype_table[u->type].size;
    bool good = true;
    if (wanted & PART_MIXED)
        good = good && source_add(s, "mixed", out_type, u->rank - 1, u->shape + 1,
                                  mask_cost + bytes * (m->interpolates ? 0.5 : 0.2), fill_mixed);
    if (wanted & PART_LABELS)
        good = good && labels_add(m->labels, s, &m->rows, m->pairing);
    if (wanted & PART_PAIRING)
        good = good && source_add(s, "pairing", DTYPE_I64, 0, NULL, 1, fill_pairing);
    if (wanted & PART_LAMBDA)
        good = good && source_add(s, "lambda", DTYPE_F64, 0, NULL, ROWS_COST, rows_lambda);
    if (wanted & PART_LAMBDA_EFF)
        good = good && source_add(s, "lambda_eff", DTYPE_F64, 0, NULL, ROWS_COST, rows_lambda_eff);
    if (wanted & PART_MASKS)
        good = good && source_add(s, "masks", DTYPE_F32, g->rank, g->sides, mask_cost, fill_masks);
    return good;
}

static bool check_parts(const call *c, problem *p) {
    const query *q = &c->query;
    if (q->given[QUERY_PARTS] && (q->parts & PART_METHOD)) {
        problem_add(p, 400, "parts", "method is a part of plans, not of a mixed batch");
        return false;
    }
    return format_holds_parts(c->format, q, p);
}

static bool read_recipe(call *c, const array *u, const geometry *g, fmix_recipe *recipe,
                        problem *p) {
    query *q = &c->query;
    if (u->shape[0] > FMIX_MAX_BATCH) {
        problem_add(p, 413, "x", "x has more than the %u rows allowed", FMIX_MAX_BATCH);
        return false;
    }
    if (!recipe_law(q, recipe, p) || !recipe_method(q, q->step, &recipe->method, p))
        return false;
    return recipe_shape(g->rank, g->sides, c->service->config->elements, "x", &recipe->shape, p) &&
           recipe_spectrum(q, &recipe->shape, p) && recipe_address(q, u->shape[0], 1, p);
}

/* Takes the body and what was inflated from it. NULL: explained. */
static mix *mix_new(call *c, upload *all, const fmix_recipe *recipe, uint64_t n, problem *p) {
    const query *q = &c->query;
    mix *m = calloc(1, sizeof *m);
    if (!m) {
        problem_add(p, 500, NULL, "out of memory");
        return NULL;
    }
    m->body = c->body;
    m->inflated = all->inflated;
    c->body = all->inflated = buffer_of(0);
    m->rows.index = q->index;
    m->seed = q->seed;
    m->step = q->step;
    m->kind = (fmix_pairing_kind)q->pairing;
    m->interpolates = !fmix_method_masks(recipe->method);
    m->elements = fmix_shape_elements(&recipe->shape);
    m->pairing = malloc((size_t)n * sizeof *m->pairing);
    fmix_status status =
        m->pairing ? fmix_plan_new(c->service->context, recipe, &m->rows.plan) : FMIX_ERROR_MEMORY;
    if (status == FMIX_OK)
        return m;
    problem_add(p, 500, NULL, "%s", fmix_status_text(status));
    mix_free(m);
    return NULL;
}

/* A row that is chosen and then converted is held in between. */
static uint64_t converted_row(const fmix_batch *batch, uint64_t elements) {
    return batch->dtype == batch->out_dtype
               ? 0
               : elements * batch->channels * fmix_dtype_bytes(batch->dtype);
}

static void make_source(call *c, upload *all, const pair *of, outcome *out) {
    problem *p = &out->problem;
    const query *q = &c->query;
    const array *x = of->x;
    geometry g;
    fmix_recipe recipe;
    dtype out_type;
    if (!find_geometry(q, x, &g, p) || !read_recipe(c, x, &g, &recipe, p) ||
        !find_out_type(q, x, &out_type, p))
        return;
    labels *found;
    if (!labels_read(q, all, x->shape[0], of->x2 != NULL, &found, p))
        return;
    if (!found && q->given[QUERY_PARTS] && (q->parts & PART_LABELS)) {
        problem_add(p, 400, "parts", "labels are asked for, but the body holds no y");
        return;
    }
    mix *m = mix_new(c, all, &recipe, x->shape[0], p);
    if (!m) {
        labels_free(found);
        return;
    }
    m->labels = found;
    source *s = source_new(x->shape[0]);
    if (!s) {
        mix_free(m);
        problem_add(p, 500, NULL, "out of memory");
        return;
    }
    if (of->x2)
        m->kind = FMIX_PAIRING_NONE; /* nobody of the batch is anybody's partner */
    m->batch = (fmix_batch){.x = x->bytes,
                            .x2 = of->x2 ? of->x2->bytes : NULL,
                            .dtype = rows_type(x->type),
                            .out_dtype = rows_type(out_type),
                            .layout = g.layout,
                            .channels = g.channels,
                            .pairing = m->pairing};
    s->self = m;
    s->destroy = destroy;
    s->prepare = prepare;
    s->prepare_cost = 15 * (double)s->rows;
    s->warm = fmix_plan_is_warm(m->rows.plan);
    s->working = fmix_plan_memory(m->rows.plan) + converted_row(&m->batch, m->elements);
    s->memory = 8 * s->rows; /* the pairing */
    s->columns = (unsigned)q->columns;
    s->scale = (unsigned)q->scale;
    s->channels = g.has_channels ? (unsigned)g.channels : 0;
    s->channels_last = g.layout == FMIX_CHANNELS_LAST;
    source_note(s, "seed", q->seed);
    source_note(s, "step", q->step);
    source_note(s, "index", q->index);
    if (!add_tensors(s, q, x, out_type, &g, m)) {
        problem_add(p, 413, "x", "the answer would have more bytes than can be counted");
        source_free(s);
        return;
    }
    out->source = s;
}

void mix_post(call *c, outcome *out) {
    upload all = {.inflated = buffer_paid((size_t)c->service->config->body, &c->service->budget)};
    pair of;
    if (check_parts(c, &out->problem) && read_pair(c, &all, &of, &out->problem))
        make_source(c, &all, &of, out);
    out->starved |= all.inflated.starved;
    buffer_free(&all.inflated);
}
