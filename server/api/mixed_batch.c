#include "mixed_batch.h"
#include "base/large_memory.h"
#include "params/choice.h"
#include "params/recipe.h"

#include <stdlib.h>
#include <string.h>

fmix_status mixed_batch_fill(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                             void *out) {
    const mixed_batch *m = self;
    return fmix_mixer_mix(m->rows.mixer, scratch, &m->rows.rows, &m->batch, m->rows.first + first,
                          n, out);
}

static fmix_status fill_pairing(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                                void *out) {
    const mixed_batch *m = self;
    (void)scratch;
    const void *from = m->partners ? (const void *)(m->partners + m->rows.first + first)
                                   : m->pairing + m->rows.first + first;
    memcpy(out, from, (size_t)n * sizeof *m->pairing);
    return FMIX_OK;
}

static bool pairs_by_class(fmix_pairing_kind kind) {
    return kind == FMIX_PAIRING_OTHER_CLASS || kind == FMIX_PAIRING_SAME_CLASS;
}

/* The partner of row i is row i of those that follow the batch. */
static fmix_status pair_neighbours(mixed_batch *m) {
    for (uint64_t i = 0; i < m->total; i++)
        m->pairing[i] = (int64_t)(m->total + i);
    return FMIX_OK;
}

fmix_status mixed_batch_prepare(mixed_batch *m) {
    if (m->kind == FMIX_PAIRING_NEIGHBOUR)
        return pair_neighbours(m);
    const fmix_labels *y = pairs_by_class(m->kind) ? labels_numbers(m->labels) : NULL;
    if (y)
        return fmix_pairing_by_class(m->kind, m->seed, &m->rows.rows, y->dtype, y->y, y->classes,
                                     m->pairing);
    return fmix_pairing(m->kind, m->seed, m->rows.rows.batch, (uint32_t)m->total, m->pairing);
}

bool mixed_batch_out_type(const query *q, dtype x, dtype *out, problem *p) {
    *out = q->given[QUERY_OUT_DTYPE] ? (dtype)q->out_dtype : x;
    for (unsigned i = 0; i < q->methods.count; i++) {
        fmix_method method = q->methods.item[i];
        const char *reason = fmix_method_refuses(method, q->soft > 0, dtype_table[x].library,
                                                 dtype_table[*out].library);
        if (!reason)
            continue;
        problem_add(p, 400, "method", "method is '%s' and x has dtype %s: %s %s",
                    fmix_method_name(method), dtype_table[x].name, fmix_method_name(method),
                    reason);
        return false;
    }
    return true;
}

bool mixed_batch_pairing(const query *q, const labels *l, const char *missing, problem *p) {
    if (!pairs_by_class((fmix_pairing_kind)q->pairing) || labels_numbers(l))
        return true;
    problem_add(p, 400, "pairing", "pairing is '%s', which needs class numbers: %s",
                query_table[QUERY_PAIRING].choices[q->pairing], missing);
    return false;
}

bool mixed_batch_parts(const resource_request *request, bool hosted, problem *p) {
    const query *q = &request->query;
    if (q->given[QUERY_PARTS] && (q->parts & PART_ROWS) && !hosted)
        problem_add(p, 400, "parts", "rows is a part of batches of a data set only");
    if (q->given[QUERY_PARTS] && (q->parts & PART_LENGTHS) && !hosted)
        problem_add(p, 400, "parts", "lengths is a part of batches of hosted sequences only");
    return p->status == 0 && format_holds_parts(request->format, q, p);
}

bool mixed_batch_dense(const query *q, const dense *d, const char *missing, problem *p) {
    if (d->count || !q->given[QUERY_PARTS] || !(q->parts & PART_DENSE))
        return true;
    problem_add(p, 400, "parts", "parts names dense, but %s", missing);
    return false;
}

bool mixed_batch_recipe(resource_request *request, const batch_geometry *g, fmix_recipe *recipe,
                        problem *p) {
    const query *q = &request->query;
    if (!recipe_from_query(q, recipe, p) || !choice_check(q, p))
        return false;
    return recipe_shape(g->rank, g->sides, request->server->config->elements, "x", &recipe->shape,
                        p) &&
           recipe_spectrum(q, &recipe->shape, p);
}

bool mixed_batch_begin(mixed_batch *m, const resource_request *request, const fmix_recipe *recipe,
                       uint64_t number, uint64_t total, problem *p) {
    const query *q = &request->query;
    fmix_choice choice;
    *m = (mixed_batch){.rows.alike = !choice_varies(q),
                       .rows.rows = {.batch = number, .count = total, .index = q->index},
                       .fill = mixed_batch_fill,
                       .fill_self = m,
                       .seed = q->seed,
                       .total = total,
                       .kind = (fmix_pairing_kind)q->pairing,
                       .elements = fmix_shape_elements(&recipe->shape),
                       .pairing = malloc((size_t)total * sizeof *m->pairing)};
    large_memory_ask_huge(m->pairing, (size_t)total * sizeof *m->pairing);
    fmix_status status = !m->pairing                            ? FMIX_ERROR_MEMORY
                         : !choice_of_batch(q, number, &choice) ? FMIX_ERROR_RANGE
                                                                : FMIX_OK;
    if (status == FMIX_OK)
        status = fmix_mixer_new(request->server->context, recipe, &choice, &m->rows.mixer);
    m->interpolates = status == FMIX_OK && !fmix_mixer_has_masks(m->rows.mixer);
    if (status == FMIX_OK)
        return true;
    problem_add(p, 500, NULL, "%s", fmix_status_text(status));
    return false;
}

void mixed_batch_end(mixed_batch *m) {
    fmix_mixer_free(m->rows.mixer);
    large_memory_free(m->pairing, (size_t)m->total * sizeof *m->pairing);
    labels_free(m->labels);
}

static bool add_drawn(tensor_source *s, const char *name, dtype type, unsigned sides,
                      const uint64_t *side, channels_place channels, double cost, tensor_fill *fill,
                      const void *self) {
    if (!tensor_source_add(s, name, type, sides, side, cost, fill, self))
        return false;
    tensor_source_draw(s, channels);
    return true;
}

#define NARROW_COST 4 /* nanoseconds to round to a type of 16 bits; bytes are looked up */

static bool narrows(const mixed_batch *m, dtype type, dtype out_type) {
    return dtype_floats(out_type) && dtype_table[out_type].size == 2 &&
           (m->interpolates || (out_type != type && type != DTYPE_U8));
}

static bool add_tensors(mixed_batch *m, tensor_source *s, const query *q, const array *u,
                        dtype out_type, const batch_geometry *g) {
    unsigned wanted = q->given[QUERY_PARTS] ? q->parts : ~0u;
    channels_place place = !g->has_channels                  ? CHANNELS_NOWHERE
                           : g->layout == FMIX_CHANNELS_LAST ? CHANNELS_BEHIND
                                                             : CHANNELS_BEFORE;
    double mask_cost = fmix_mixer_cost(m->rows.mixer);
    double elements = (double)m->elements * (double)g->channels;
    double bytes = elements * (double)dtype_table[u->type].size;
    double mixing = bytes * (m->interpolates ? 0.2 : 0.1) +
                    elements * (narrows(m, u->type, out_type) ? NARROW_COST : 0);
    bool good = true;
    if (wanted & PART_MIXED)
        good = good && add_drawn(s, "mixed", out_type, u->rank - 1, u->shape + 1, place,
                                 mask_cost + mixing + m->row_cost, m->fill, m->fill_self);
    if (wanted & PART_LABELS)
        good = good && labels_add(m->labels, s, &m->rows, m->pairing);
    if (wanted & PART_DENSE)
        good = good && dense_add(&m->dense, s, &m->rows, m->pairing, mask_cost);
    if (wanted & PART_PAIRING)
        good = good && tensor_source_add(s, "pairing", DTYPE_I64, 0, NULL, 1, fill_pairing, m);
    if (wanted & PART_LAMBDA)
        good = good && tensor_source_add(s, "lambda", DTYPE_F64, 0, NULL, MIXER_ROWS_COST,
                                         mixer_rows_lambda, &m->rows);
    if (wanted & PART_LAMBDA_EFF)
        good = good && tensor_source_add(s, "lambda_eff", DTYPE_F64, 0, NULL, MIXER_ROWS_COST,
                                         mixer_rows_lambda_eff, &m->rows);
    if (wanted & PART_MASKS)
        good = good && add_drawn(s, "masks", DTYPE_F32, g->rank, g->sides, CHANNELS_NOWHERE,
                                 mask_cost, mixer_rows_masks, &m->rows);
    if (wanted & (q->given[QUERY_PARTS] || choice_varies(q) ? PART_METHOD : 0))
        good = good && tensor_source_add(s, "method", DTYPE_U8, 0, NULL, MIXER_ROWS_COST,
                                         mixer_rows_method, &m->rows);
    return good;
}

/* Bytes of a row between mixing and conversion to another type. */
static uint64_t converted_row(const mixed_batch *m) {
    const fmix_batch *batch = &m->batch;
    return batch->dtype == batch->out_dtype
               ? 0
               : m->elements * batch->channels * fmix_dtype_bytes(batch->dtype);
}

bool mixed_batch_source(mixed_batch *m, tensor_source *s, const query *q, const array *x,
                        dtype out_type, const batch_geometry *g) {
    bool sorts = pairs_by_class(m->kind);
    s->prepare_cost = (sorts ? 150 : 15) * (double)m->total;
    tensor_source_set_warm(s, fmix_mixer_is_warm(m->rows.mixer), m->elements);
    s->working = fmix_mixer_memory(m->rows.mixer) + converted_row(m);
    s->memory = (sorts ? 16 : 8) * m->total; /* of the pairing, and of rows in order of class */
    s->columns = (unsigned)q->columns;
    s->scale = (unsigned)q->scale;
    return add_tensors(m, s, q, x, out_type, g);
}
