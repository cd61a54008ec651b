/* POST /v1/mix: the uploaded batch, mixed as batch `step`. */
#include "mixed_batch.h"
#include "params/recipe.h"
#include "params/view.h"

#include <stdlib.h>
#include <string.h>

typedef struct mix {
    mixed_batch mixed;
    buffer body, inflated; /* hold the arrays of the batch */
} mix;

static void mix_free(void *self) {
    mix *m = self;
    mixed_batch_end(&m->mixed);
    buffer_free(&m->body);
    buffer_free(&m->inflated);
    free(m);
}

static fmix_status prepare(void *self) {
    mix *m = self;
    return mixed_batch_prepare(&m->mixed);
}

/* The arrays of the body that are mixed. */
typedef struct pair {
    const array *x, *x2; /* x2 NULL: the partner of a row is another row of x */
} pair;

/* The most bytes that a body may inflate to: the limit of a body, and the memory left beside it. */
static uint64_t most_inflated(const resource_request *request) {
    uint64_t most = request->server->config->body;
    uint64_t left = budget_left(&request->server->budget, request->body.room);
    return most < left ? most : left;
}

static upload_body body_of(const resource_request *request) {
    return (upload_body){.bytes = request->body.bytes,
                         .length = request->body.length,
                         .content_type = request->content_type,
                         .query = &request->query,
                         .elements = request->server->config->elements,
                         .cancelled = request->cancelled,
                         .of = request->of};
}

/* Views have a layout of their own, and only they have a size. */
static bool take_layout(query *q, const upload *all, problem *p) {
    static const query_id of_raw[] = {QUERY_X_SHAPE, QUERY_X_DTYPE};
    if (!all->views)
        view_refuse(q, GROUP_VIEW | GROUP_FLIP, "but the body holds arrays", p);
    for (size_t i = 0; all->views && i < sizeof of_raw / sizeof *of_raw; i++)
        if (q->given[of_raw[i]])
            problem_add(p, 400, query_table[of_raw[i]].name,
                        "%s is for raw bodies, but the body holds pictures; leave %s out",
                        query_table[of_raw[i]].name, query_table[of_raw[i]].name);
    if (all->views && !q->given[QUERY_LAYOUT]) {
        q->layout = all->layout;
        q->given[QUERY_LAYOUT] = true;
    }
    return p->status == 0;
}

/* The arrays of `out` point into the body and into all->inflated. */
static bool read_pair(resource_request *request, upload *all, pair *out, problem *p) {
    const upload_body body = body_of(request);
    const format *f = format_of_upload(&body, p);
    if (!f || !f->read(&body, all, p))
        return false;
    upload_swap(all);
    if (!take_layout(&request->query, all, p))
        return false;
    *out = (pair){upload_find(all, "x"), upload_find(all, "x2")};
    if (!out->x)
        problem_add(p, 400, "x", "the body holds no array named x");
    for (unsigned i = 0; i < all->count; i++)
        if (&all->arrays[i] != out->x && &all->arrays[i] != out->x2 &&
            !labels_have_name(all->arrays[i].name) && !dense_has_name(all->arrays[i].name))
            problem_add(p, 400, all->arrays[i].name,
                        "the body holds an array named %s; it may hold x, y, y.NAME, dense and "
                        "dense.NAME, and x2, y2, y2.NAME, dense2 and dense2.NAME",
                        all->arrays[i].name);
    if (out->x && out->x2 && !array_same(out->x, out->x2))
        problem_add(p, 400, "x2", "x2 must have the shape and dtype of x");
    return p->status == 0;
}

/* Takes the body, the inflated bytes and the labels. NULL: explained. */
static mix *mix_new(resource_request *request, upload *all, labels *found,
                    const fmix_recipe *recipe, uint64_t n, problem *p) {
    mix *m = calloc(1, sizeof *m);
    if (!m) {
        labels_free(found);
        problem_add(p, 500, NULL, "out of memory");
        return NULL;
    }
    m->body = request->body;
    m->inflated = all->inflated;
    request->body = all->inflated = buffer_of(0);
    bool good = mixed_batch_begin(&m->mixed, request, recipe, request->query.step, n, p);
    m->mixed.labels = found;
    if (good)
        return m;
    mix_free(m);
    return NULL;
}

static bool read_recipe(resource_request *request, const array *x, batch_geometry *g,
                        fmix_recipe *recipe, problem *p) {
    if (!batch_geometry_find(&request->query, x, g, p))
        return false;
    if (x->shape[0] > FMIX_MAX_BATCH) {
        problem_add(p, 413, "x", "x has more than the %u rows allowed", FMIX_MAX_BATCH);
        return false;
    }
    return mixed_batch_recipe(request, g, recipe, p) &&
           recipe_address(&request->query, x->shape[0], 1, p);
}

static bool find_labels(const query *q, upload *all, const pair *of, labels **out, problem *p) {
    if (!labels_of_upload(q, all, of->x->shape[0], of->x2 != NULL, out, p))
        return false;
    if (!*out && q->given[QUERY_PARTS] && (q->parts & PART_LABELS))
        problem_add(p, 400, "parts", "parts names labels, but the body holds no y");
    mixed_batch_pairing(q, *out, "send them as y, integers from 0 on, and give classes", p);
    if (p->status == 0)
        return true;
    labels_free(*out);
    return false;
}

/* Refuses pairings that the arrays of this body do not allow. */
static bool check_pairing(const query *q, const pair *of, problem *p) {
    const char *kind = query_table[QUERY_PAIRING].choices[q->pairing];
    if (q->pairing == FMIX_PAIRING_NEIGHBOUR)
        problem_add(p, 400, "pairing",
                    "pairing is 'neighbour', but only a hosted data set has lists of neighbours "
                    "(fmixd import --neighbours); use another pairing");
    else if (q->pairing > FMIX_PAIRING_NONE && of->x2)
        problem_add(p, 400, "pairing",
                    "pairing is '%s', but with x2 row i is mixed with row i of x2; leave out x2 or "
                    "pairing",
                    kind);
    return p->status == 0;
}

/* Takes m. NULL: explained. */
static tensor_source *source_of(mix *m, const query *q, const array *x, dtype out_type,
                                const batch_geometry *g, problem *p) {
    tensor_source *s = tensor_source_new(x->shape[0]);
    if (!s) {
        mix_free(m);
        problem_add(p, 500, NULL, "out of memory");
        return NULL;
    }
    s->self = m;
    s->destroy = mix_free;
    s->prepare = prepare;
    s->held = m->body.room + m->inflated.room + labels_held(m->mixed.labels);
    tensor_source_note(s, "seed", q->seed);
    tensor_source_note(s, "step", q->step);
    tensor_source_note(s, "index", q->index);
    if (mixed_batch_source(&m->mixed, s, q, x, out_type, g))
        return s;
    problem_add_too_long(p, "x", "answer");
    tensor_source_free(s);
    return NULL;
}

static void make_source(resource_request *request, upload *all, const pair *of,
                        resource_result *out) {
    problem *p = &out->problem;
    const query *q = &request->query;
    const array *x = of->x;
    batch_geometry g;
    fmix_recipe recipe;
    dtype out_type;
    labels *found;
    if (!read_recipe(request, x, &g, &recipe, p) ||
        !mixed_batch_out_type(q, x->type, &out_type, p) || !check_pairing(q, of, p) ||
        !find_labels(q, all, of, &found, p))
        return;
    mix *m = mix_new(request, all, found, &recipe, x->shape[0], p);
    if (!m)
        return;
    if (!dense_of_upload(q, all, x, &g, of->x2 != NULL, &m->mixed.dense, p) ||
        !mixed_batch_dense(q, &m->mixed.dense, "the body holds no dense targets", p)) {
        mix_free(m);
        return;
    }
    if (of->x2)
        m->mixed.kind = FMIX_PAIRING_NONE; /* row i is mixed with row i of x2 */
    m->mixed.batch = (fmix_batch){.x = x->bytes,
                                  .x2 = of->x2 ? of->x2->bytes : NULL,
                                  .dtype = dtype_table[x->type].library,
                                  .out_dtype = dtype_table[out_type].library,
                                  .layout = g.layout,
                                  .channels = g.channels,
                                  .pairing = m->mixed.pairing};
    tensor_source *s = source_of(m, q, x, out_type, &g, p);
    if (s && format_holds_tensors(request->format, q, s, p))
        out->source = s;
    else
        tensor_source_free(s);
}

#define LABEL_COST 0.25 /* nanoseconds to check a byte of labels; all bytes may be labels */

weight mix_weight(const resource_request *request) {
    problem p = {0};
    const upload_body body = body_of(request);
    const format *f = format_of_upload(&body, &p);
    weight w = {0};
    if (f && f->weigh)
        w = f->weigh(&body, most_inflated(request));
    if (f && f->several)
        w.cost += LABEL_COST * (double)body.length;
    return w;
}

void mix_post(resource_request *request, resource_result *out) {
    upload all = {.inflated = {.cap = (size_t)most_inflated(request),
                               .payer = request->body.payer,
                               .spares = &request->server->buffer_pool},
                  .held = request->body.room};
    pair of;
    if (mixed_batch_parts(request, false, &out->problem) &&
        read_pair(request, &all, &of, &out->problem))
        make_source(request, &all, &of, out);
    out->starved |= all.inflated.starved;
    buffer_free(&all.inflated);
}
