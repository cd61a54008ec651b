#include "hosted_dense.h"

static fmix_status fill(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                        void *out) {
    const hosted_target *t = self;
    const dense_target *of = t->target;
    return hosted_rows_mix(&t->rows, &of->rows, &of->batch, scratch, first, n, out);
}

/* The geometry of x, with channels where the target keeps its own although x has none. */
static batch_geometry geometry_of(const batch_geometry *g, const dataset_array *stored,
                                  const array *shape) {
    batch_geometry own = *g;
    if (!g->has_channels && shape->rank == g->rank + 2) {
        own.has_channels = true;
        own.layout =
            stored->layout == LAYOUT_CHANNELS_LAST ? FMIX_CHANNELS_LAST : FMIX_CHANNELS_FIRST;
    }
    return own;
}

/* ---- views ---- */

bool hosted_dense_view(hosted_dense *h, const query *q, const hosted_views *like, uint64_t share,
                       problem *p) {
    dataset *set = (dataset *)(uintptr_t)h->samples->set;
    for (unsigned i = 0; i < set->denses; i++) {
        hosted_views *v = &h->targets[i].views;
        *v = (hosted_views){.samples = h->samples,
                            .array = &set->dense[i],
                            .spares = like->spares,
                            .metrics = like->metrics,
                            .unusable = dataset_unusable_of(set, &set->dense[i]),
                            .share = share};
        h->viewed++;
        if (!hosted_views_begin(v, q, p))
            return false;
    }
    return true;
}

fmix_status hosted_dense_find(hosted_dense *h) {
    fmix_status status = FMIX_OK;
    for (unsigned i = 0; i < h->viewed && status == FMIX_OK; i++)
        status = hosted_views_find(&h->targets[i].views);
    return status;
}

bool hosted_dense_failed(hosted_dense *h, char out[HOSTED_VIEWS_REASON]) {
    for (unsigned i = 0; i < h->viewed; i++)
        if (hosted_views_failed(&h->targets[i].views, out))
            return true;
    return false;
}

/* ---- targets ---- */

/* Dense target i, or its views as rows of one shape. */
static const dataset_array *array_of(const hosted_dense *h, unsigned i) {
    return h->viewed ? &h->targets[i].views.rows : &h->samples->set->dense[i];
}

static bool add(hosted_dense *h, const query *q, const batch_geometry *g, const fmix_shape *mask,
                const dataset_array *from, dense *out, problem *p) {
    const dataset *set = h->samples->set;
    array shape = {.type = from->type, .shape = {h->samples->at.rows}};
    if (!preprocessor_dense_shape(q, set, from, &shape, p))
        return false;
    const batch_geometry own = geometry_of(g, from, &shape);
    dense_target *target = dense_append(out, q, &own, &shape, p);
    if (!target)
        return false;
    hosted_target *t = &h->targets[h->count++];
    t->rows = (hosted_rows){.samples = h->samples, .views = h->viewed ? &t->views : NULL};
    t->target = target;
    preprocessor_begin_dense(&t->rows.preprocessor, q, from, target->batch.layout, mask);
    if (h->viewed)
        preprocessor_keep(&t->rows.preprocessor);
    if (!hosted_rows_begin(&t->rows, p))
        return false;
    target->batch.rows = t->rows.stored;
    target->row_cost = hosted_rows_cost(&t->rows);
    target->fill = fill;
    target->fill_self = t;
    return true;
}

bool hosted_dense_begin(hosted_dense *h, const query *q, const batch_geometry *g,
                        const fmix_shape *mask, dense *out, problem *p) {
    const dataset *set = h->samples->set;
    for (unsigned i = 0; i < set->denses; i++)
        if (!add(h, q, g, mask, array_of(h, i), out, p))
            return false;
    return true;
}

void hosted_dense_end(hosted_dense *h) {
    for (unsigned i = 0; i < h->count; i++)
        hosted_rows_end(&h->targets[i].rows);
    for (unsigned i = 0; i < h->viewed; i++)
        hosted_views_end(&h->targets[i].views);
}

fmix_status hosted_dense_locate(hosted_dense *h, uint64_t first, uint64_t n,
                                const int64_t *pairing) {
    fmix_status status = FMIX_OK;
    for (unsigned i = 0; i < h->viewed && status == FMIX_OK; i++)
        status = hosted_views_locate(&h->targets[i].views, first, n, pairing);
    for (unsigned i = 0; i < h->count && status == FMIX_OK; i++)
        hosted_rows_locate(&h->targets[i].rows);
    return status;
}

fmix_status hosted_dense_need(const hosted_dense *h, const int64_t *pairing, uint64_t first,
                              uint64_t n) {
    fmix_status status = FMIX_OK;
    for (unsigned i = 0; i < h->count && status == FMIX_OK; i++)
        status = hosted_rows_need(&h->targets[i].rows, pairing, first, n);
    return status;
}

double hosted_dense_verification(const hosted_dense *h) {
    double cost = 0;
    for (unsigned i = 0; i < h->count; i++)
        cost += hosted_rows_verification(&h->targets[i].rows);
    return cost;
}

uint64_t hosted_dense_memory(const hosted_dense *h) {
    uint64_t bytes = 0;
    for (unsigned i = 0; i < h->count; i++)
        bytes += hosted_rows_memory(&h->targets[i].rows);
    return bytes;
}

/* A thread fills one tensor at a time. */
uint64_t hosted_dense_working(const hosted_dense *h) {
    uint64_t most = 0;
    for (unsigned i = 0; i < h->count; i++) {
        uint64_t bytes = hosted_rows_working(&h->targets[i].rows);
        most = bytes > most ? bytes : most;
    }
    return most;
}
