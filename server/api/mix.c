/* POST /v1/mix: the uploaded batch, mixed as batch `step`. */
#include "mixing.h"

#include <stdlib.h>
#include <string.h>

typedef struct mix {
    mixing mixing;
    buffer body, inflated; /* what the batch is a view of */
} mix;

static void mix_free(void *self) {
    mix *m = self;
    mixing_end(&m->mixing);
    buffer_free(&m->body);
    buffer_free(&m->inflated);
    free(m);
}

static fmix_status prepare(void *self) {
    mix *m = self;
    return mixing_prepare(&m->mixing);
}

/* What the body holds that is mixed. */
typedef struct pair {
    const array *x, *x2; /* x2 NULL: rows of x are mixed with each other */
} pair;

static bool same_array(const array *a, const array *b) {
    return a->type == b->type && a->rank == b->rank &&
           memcmp(a->shape, b->shape, a->rank * sizeof *a->shape) == 0;
}

/* What a body may unpack to: as much as is taken, and as there is memory for beside it. */
static uint64_t most_inflated(const resource_request *c) {
    uint64_t most = c->server->config->body;
    uint64_t left = budget_left(&c->server->budget, c->body.room);
    return most < left ? most : left;
}

/* `all` keeps what the arrays are views of. */
static bool read_pair(resource_request *c, upload *all, pair *out, problem *p) {
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

/* Takes the body and what was inflated from it. NULL: explained. */
static mix *mix_new(resource_request *c, upload *all, const fmix_recipe *recipe, uint64_t n,
                    problem *p) {
    mix *m = calloc(1, sizeof *m);
    if (!m) {
        problem_add(p, 500, NULL, "out of memory");
        return NULL;
    }
    m->body = c->body;
    m->inflated = all->inflated;
    c->body = all->inflated = buffer_of(0);
    if (mixing_begin(&m->mixing, c, recipe, c->query.step, n, p))
        return m;
    mix_free(m);
    return NULL;
}

static bool read_recipe(resource_request *c, const array *x, geometry *g, fmix_recipe *recipe,
                        problem *p) {
    if (!mixing_geometry(&c->query, x, g, p))
        return false;
    if (x->shape[0] > FMIX_MAX_BATCH) {
        problem_add(p, 413, "x", "x has more than the %u rows allowed", FMIX_MAX_BATCH);
        return false;
    }
    return mixing_recipe(c, g, c->query.step, recipe, p) &&
           recipe_address(&c->query, x->shape[0], 1, p);
}

static void make_source(resource_request *c, upload *all, const pair *of, resource_result *out) {
    problem *p = &out->problem;
    const query *q = &c->query;
    const array *x = of->x;
    geometry g;
    fmix_recipe recipe;
    dtype out_type;
    if (!read_recipe(c, x, &g, &recipe, p) || !mixing_out_type(q, x->type, &out_type, p))
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
    m->mixing.labels = found;
    tensor_source *s = tensor_source_new(x->shape[0]);
    if (!s) {
        mix_free(m);
        problem_add(p, 500, NULL, "out of memory");
        return;
    }
    if (of->x2)
        m->mixing.kind = FMIX_PAIRING_NONE; /* nobody of the batch is anybody's partner */
    m->mixing.batch = (fmix_batch){.x = x->bytes,
                                   .x2 = of->x2 ? of->x2->bytes : NULL,
                                   .dtype = rows_type(x->type),
                                   .out_dtype = rows_type(out_type),
                                   .layout = g.layout,
                                   .channels = g.channels,
                                   .pairing = m->mixing.pairing};
    s->self = m;
    s->destroy = mix_free;
    s->prepare = prepare;
    s->held = m->body.room + m->inflated.room + labels_held(found);
    tensor_source_note(s, "seed", q->seed);
    tensor_source_note(s, "step", q->step);
    tensor_source_note(s, "index", q->index);
    if (!mixing_source(&m->mixing, s, q, x, out_type, &g, mixing_fill, &m->mixing)) {
        problem_add(p, 413, "x", "the answer would have more bytes than can be counted");
        tensor_source_free(s);
        return;
    }
    if (format_holds_tensors(c->format, q, s, p))
        out->source = s;
    else
        tensor_source_free(s);
}

#define LABEL_COST 0.25 /* nanoseconds a byte: a label is looked at, and the body may hold them */

weight mix_weight(const resource_request *c) {
    problem p = {0};
    const buffer *body = &c->body;
    const format *f = format_of_upload(c->content_type, body->bytes, body->length, &p);
    weight w = {0};
    if (f && f->weigh)
        w = f->weigh(body->bytes, body->length, most_inflated(c));
    if (f && f->several)
        w.cost += LABEL_COST * (double)body->length;
    return w;
}

void mix_post(resource_request *c, resource_result *out) {
    upload all = {.inflated = {.cap = (size_t)most_inflated(c),
                               .payer = &c->server->budget,
                               .spares = &c->server->buffer_pool},
                  .held = c->body.room};
    pair of;
    if (mixing_parts(c, false, &out->problem) && read_pair(c, &all, &of, &out->problem))
        make_source(c, &all, &of, out);
    out->starved |= all.inflated.starved;
    buffer_free(&all.inflated);
}
