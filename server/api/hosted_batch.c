#include "hosted_batch.h"
#include "hosted_dense.h"
#include "hosted_labels.h"
#include "hosted_rows.h"
#include "mixed_batch.h"
#include "requested_dataset.h"
#include "sequence_request.h"
#include "view_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WARM_COST 1e5 /* nanoseconds of verifying and gathering that an I/O thread may spend */

typedef struct hosted_batch {
    mixed_batch mixed;
    dataset *set; /* held */
    dataset_fault fault;
    bool mixes;          /* x is a part of the answer */
    atomic_bool touched; /* the files, while rows of them were lent */
    uint64_t reading;    /* since when the rows of the answer are verified: dataset_read_begin */
    hosted_samples samples;
    hosted_views views; /* of an image set */
    hosted_rows rows;
    hosted_dense dense;
    hosted_labels labels;
} hosted_batch;

static void hosted_batch_free(void *self) {
    hosted_batch *h = self;
    mixed_batch_end(&h->mixed);
    hosted_labels_end(&h->labels);
    hosted_dense_end(&h->dense);
    hosted_rows_end(&h->rows);
    hosted_views_end(&h->views);
    hosted_samples_end(&h->samples);
    dataset_release(h->set);
    free(h);
}

/* Copies why a picture or a label map cannot be used. */
static bool views_failed(hosted_batch *h, char out[HOSTED_VIEWS_REASON]) {
    return hosted_views_failed(&h->views, out) || hosted_dense_failed(&h->dense, out);
}

static bool is_lost(const void *self) {
    hosted_batch *h = (void *)(uintptr_t)self;
    char reason[HOSTED_VIEWS_REASON];
    return atomic_load(&h->fault) || atomic_load(&h->touched) || views_failed(h, reason) ||
           dataset_state(h->set) != MAPPED_FILE_WHOLE;
}

static void tell_loss(const void *self, char *out, size_t room) {
    hosted_batch *h = (void *)(uintptr_t)self;
    char reason[HOSTED_VIEWS_REASON];
    requested_dataset_damage(h->set, &h->fault, out, room);
    if (!out[0] && views_failed(h, reason))
        snprintf(out, room, "%s", reason);
}

static fmix_status fill_mixed(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                              void *out) {
    const hosted_batch *h = self;
    return hosted_rows_mix(&h->rows, &h->mixed.rows, &h->mixed.batch, scratch, first, n, out);
}

static const void *lend_mixed(const void *self, uint64_t first, uint64_t n) {
    hosted_batch *h = (void *)(uintptr_t)self;
    const void *rows = hosted_rows_lend(&h->rows, h->mixed.rows.first + first, n, h->reading);
    if (!rows)
        atomic_store(&h->touched, true);
    return rows;
}

static bool lent_well(const void *self) {
    const hosted_batch *h = self;
    return dataset_read_ended(h->set, h->reading);
}

static fmix_status fill_rows(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                             void *out) {
    const hosted_batch *h = self;
    (void)scratch;
    memcpy(out, h->samples.number + h->mixed.rows.first + first,
           (size_t)n * sizeof *h->samples.number);
    return FMIX_OK;
}

static fmix_status fill_lengths(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                                void *out) {
    const hosted_batch *h = self;
    (void)scratch;
    for (uint64_t i = 0; i < n; i++)
        ((uint64_t *)out)[i] = hosted_samples_length(&h->samples, h->mixed.rows.first + first + i);
    return FMIX_OK;
}

#define TRIES 3 /* at files that are touched meanwhile */

/* Finds the samples of a batch or their labels, or verifies its rows. */
typedef fmix_status reader(hosted_batch *h);

/* Reads once more if a file was touched meanwhile, whose pieces have to be verified again. */
static fmix_status read_with(reader *read, hosted_batch *h) {
    for (unsigned tries = 0; tries < TRIES; tries++) {
        h->reading = dataset_read_begin(h->set);
        atomic_store(&h->fault, 0);
        fmix_status status = read(h);
        if (dataset_read_ended(h->set, h->reading))
            return status;
    }
    return FMIX_ERROR_LIBRARY;
}

/* Where rows have sides of their own, the samples are found before the answer is laid out. */
static bool finds_early(const dataset *set) {
    return set->ragged || set->images;
}

static fmix_status find_samples(hosted_batch *h) {
    fmix_status status = hosted_samples_find(&h->samples);
    if (status == FMIX_OK && h->set->images)
        status = hosted_views_find(&h->views);
    return status == FMIX_OK ? hosted_dense_find(&h->dense) : status;
}

static fmix_status find_labels(hosted_batch *h) {
    fmix_status status = finds_early(h->set) ? FMIX_OK : hosted_samples_find(&h->samples);
    if (status != FMIX_OK)
        return status;
    return hosted_labels_gather(&h->labels, h->samples.number, &h->fault) ? FMIX_OK
                                                                          : FMIX_ERROR_LIBRARY;
}

/* All rows of the answer are verified before its status is sent. */
static fmix_status need_rows(hosted_batch *h) {
    const batch_address *at = &h->samples.at;
    const int64_t *pairing = h->mixed.pairing;
    uint64_t n = at->end - at->begin;
    fmix_status status = h->mixes ? hosted_rows_need(&h->rows, pairing, at->begin, n) : FMIX_OK;
    return status == FMIX_OK ? hosted_dense_need(&h->dense, pairing, at->begin, n) : status;
}

static fmix_status prepare(void *self) {
    hosted_batch *h = self;
    fmix_status status = read_with(find_labels, h);
    if (status == FMIX_OK)
        status = mixed_batch_prepare(&h->mixed);
    if (status == FMIX_OK && h->set->images)
        status =
            hosted_views_locate(&h->views, h->mixed.rows.first, h->views.share, h->mixed.pairing);
    if (status != FMIX_OK)
        return status;
    hosted_rows_locate(&h->rows);
    status = hosted_dense_locate(&h->dense, h->samples.at.begin,
                                 h->samples.at.end - h->samples.at.begin, h->mixed.pairing);
    return status == FMIX_OK ? read_with(need_rows, h) : status;
}

/* The array whose rows are preprocessed: pictures are views before. */
static const dataset_array *rows_of(const hosted_batch *h) {
    return h->set->images ? &h->views.rows : &h->set->x;
}

/* The shapes and types of a batch, found before anything is allocated for its rows. */
typedef struct batch_shapes {
    array x; /* without bytes */
    batch_geometry geometry;
    fmix_recipe recipe;
    dtype preprocessed, out;
} batch_shapes;

static bool find_shapes(resource_request *request, const hosted_batch *h, batch_shapes *d,
                        problem *p) {
    query *q = &request->query;
    d->x = (array){.name = "x", .type = h->set->x.type};
    d->x.shape[0] = h->samples.at.rows;
    q->index = h->samples.at.t;
    if (!preprocessor_shape(q, h->set, rows_of(h), &d->x, p))
        return false;
    if (h->set->ragged)
        d->x.shape[1 + (q->layout == LAYOUT_CHANNELS_FIRST)] = hosted_samples_longest(&h->samples);
    return batch_geometry_find(q, &d->x, &d->geometry, p) &&
           mixed_batch_recipe(request, &d->geometry, &d->recipe, p);
}

/* Finds the samples of a set whose lengths decide on the shapes, or whose pictures decide on the
 * memory. */
static bool find_early(hosted_batch *h, problem *p) {
    if (!finds_early(h->set))
        return true;
    fmix_status status = read_with(find_samples, h);
    char reason[HOSTED_VIEWS_REASON];
    if (views_failed(h, reason))
        requested_dataset_refuse(reason, p);
    else if (status != FMIX_OK && is_lost(h))
        requested_dataset_explain(h->set, &h->fault, p);
    else if (status != FMIX_OK)
        problem_add(p, 500, NULL, "%s", fmix_status_text(status));
    return p->status == 0;
}

static bool wants(const query *q, query_part part) {
    return !q->given[QUERY_PARTS] || (q->parts & part);
}

/* Without `parts`, a format of one tensor holds `mixed`; shards hold targets in any case. */
static bool wants_dense(const resource_request *request) {
    const query *q = &request->query;
    bool of_shard = !(request->groups & GROUP_PARTS);
    return q->given[QUERY_PARTS] ? (q->parts & PART_DENSE) != 0 : of_shard || request->format->all;
}

/* Views of the pictures and, if they are wanted, of the label maps. */
static bool begin_views(const query *q, hosted_batch *h, server_state *server, bool maps,
                        problem *p) {
    if (!h->set->images)
        return true;
    const batch_address *at = &h->samples.at;
    if (server->misdecodes) {
        problem_add(p, 503, NULL,
                    "image sets are not served: the JPEG decoder of this machine gives other "
                    "samples than the golden ones of the self-test; install libjpeg-turbo as "
                    "fmixd was built with, and start the daemon again");
        p->retry_after = 60;
        p->reason = REFUSAL_INTERNAL;
        return false;
    }
    h->rows.views = &h->views;
    h->views.samples = &h->samples;
    h->views.array = &h->set->x;
    h->views.unusable = &h->set->unusable;
    h->views.metrics = &server->metrics;
    h->views.spares = &server->buffer_pool;
    h->views.share = wants(q, PART_MIXED) ? at->end - at->begin : 0;
    return hosted_views_begin(&h->views, q, p) &&
           (!maps || hosted_dense_view(&h->dense, q, &h->views, at->end - at->begin, p));
}

/* Refuses neighbours as partners where the set has none. */
static bool check_neighbours(const query *q, const dataset *set, problem *p) {
    if (q->pairing == FMIX_PAIRING_NEIGHBOUR && !set->neighbours.k)
        problem_add(
            p, 400, "pairing",
            "pairing is 'neighbour', but the data set %s has no lists of neighbours; import "
            "it with --neighbours",
            set->name);
    return p->status == 0;
}

/* Refuses pairings that the labels of the set do not allow. */
static bool check_pairing(const query *q, const dataset *set, const labels *l, problem *p) {
    char missing[160];
    snprintf(missing, sizeof missing, "the data set %s has none; use another pairing", set->name);
    return mixed_batch_pairing(q, l, missing, p) && p->status == 0;
}

/* Refuses parts that the set does not have. */
static bool check_parts(const query *q, const hosted_batch *h, problem *p) {
    char missing[160];
    snprintf(missing, sizeof missing, "the data set %s has no dense targets", h->set->name);
    if (q->given[QUERY_PARTS] && (q->parts & PART_LENGTHS) && !h->set->ragged)
        problem_add(p, 400, "parts", "parts names lengths, but the data set %s has no sequences",
                    h->set->name);
    return mixed_batch_dense(q, &h->mixed.dense, missing, p) && p->status == 0;
}

/* Rows of lengths of their own become as long as the longest of the batch. */
static bool begin_preprocessor(const query *q, hosted_batch *h, batch_shapes *d, problem *p) {
    preprocessor *r = &h->rows.preprocessor;
    if (!preprocessor_begin(r, q, rows_of(h), &d->geometry, &d->recipe.shape, &d->preprocessed, p))
        return false;
    if (h->set->images)
        preprocessor_keep(r);
    return !h->set->ragged ||
           preprocessor_pad(&h->rows.preprocessor, q, hosted_samples_longest(&h->samples),
                            d->preprocessed, p);
}

/* Finds which samples the batch has, and its shapes. */
static bool begin_samples(resource_request *request, hosted_batch *h, batch_shapes *d, problem *p) {
    query *q = &request->query;
    const uint64_t most = request->server->config->elements;
    return sequence_request_check(q, h->set, most, p) && view_request_check(q, h->set, most, p) &&
           check_neighbours(q, h->set, p) && hosted_samples_begin(&h->samples, p) &&
           begin_views(q, h, request->server, wants_dense(request), p) && find_early(h, p) &&
           find_shapes(request, h, d, p);
}

static bool begin_labels(query *q, hosted_batch *h, problem *p) {
    mixed_batch *m = &h->mixed;
    return hosted_labels_begin(&h->labels, p) &&
           hosted_labels_describe(&h->labels, q, &m->labels, p) &&
           check_pairing(q, h->set, m->labels, p);
}

static bool begin_dense(const resource_request *request, hosted_batch *h, const batch_shapes *d,
                        problem *p) {
    const query *q = &request->query;
    dense *targets = &h->mixed.dense;
    if (request->groups & GROUP_PARTS)
        targets->otherwise = q->given[QUERY_PARTS]
                                 ? "; or leave dense out of parts"
                                 : "; or name parts without dense, as parts=mixed";
    return (!wants_dense(request) ||
            hosted_dense_begin(&h->dense, q, &d->geometry, &d->recipe.shape, targets, p)) &&
           check_parts(q, h, p);
}

/* Says how rows are mixed, once all is known that they depend on. */
static void begin_mixing(const query *q, hosted_batch *h, const batch_shapes *d) {
    mixed_batch *m = &h->mixed;
    const batch_address *at = &h->samples.at;
    m->rows.rows.t = h->samples.t;
    m->rows.first = at->begin;
    m->partners = h->samples.neighbours ? h->samples.number + at->rows : NULL;
    m->batch = (fmix_batch){.rows = h->rows.stored,
                            .dtype = dtype_table[d->preprocessed].library,
                            .out_dtype = dtype_table[d->out].library,
                            .layout = d->geometry.layout,
                            .channels = d->geometry.channels,
                            .pairing = m->pairing};
    h->mixes = wants(q, PART_MIXED);
    m->fill = fill_mixed;
    m->fill_self = h;
    m->row_cost = hosted_rows_cost(&h->rows);
}

static bool begin(resource_request *request, hosted_batch *h, batch_shapes *d, problem *p) {
    query *q = &request->query;
    const batch_address *at = &h->samples.at;
    if (!begin_samples(request, h, d, p) ||
        !mixed_batch_begin(&h->mixed, request, &d->recipe, at->number, at->rows, p) ||
        !begin_preprocessor(q, h, d, p) || !hosted_rows_begin(&h->rows, p) ||
        !begin_labels(q, h, p) || !begin_dense(request, h, d, p) ||
        !mixed_batch_out_type(q, d->preprocessed, &d->out, p))
        return false;
    begin_mixing(q, h, d);
    return true;
}

/* Rows that stay what they are in the file are lent. */
static bool lends(const hosted_batch *h, const query *q, const batch_shapes *d) {
    const char *method = fmix_method_name(q->methods.item[0]);
    bool mixes = q->methods.count != 1 || strcmp(method, "none") != 0;
    bool swaps = __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__;
    return h->mixes && !mixes && !swaps && d->out == h->set->x.type && hosted_rows_lie(&h->rows);
}

static bool finish(const resource_request *request, hosted_batch *h, const batch_shapes *d,
                   tensor_source *s, problem *p) {
    const query *q = &request->query;
    const batch_address *at = &h->samples.at;
    bool good = mixed_batch_source(&h->mixed, s, q, &d->x, d->out, &d->geometry);
    if (good && lends(h, q, d)) {
        s->tensors[0].lend = lend_mixed;
        s->lent_well = lent_well;
    }
    if (wants(q, PART_ROWS))
        good = good && tensor_source_add(s, "rows", DTYPE_I64, 0, NULL, 1, fill_rows, h);
    if (h->set->ragged && wants(q, PART_LENGTHS))
        good = good && tensor_source_add(s, "lengths", DTYPE_I64, 0, NULL, 1, fill_lengths, h);
    s->memory += hosted_samples_memory(&h->samples) + hosted_rows_memory(&h->rows) +
                 hosted_dense_memory(&h->dense) + hosted_labels_memory(&h->labels);
    s->prepare = prepare;
    double reading = hosted_labels_cost(&h->labels, hosted_samples_scatter(&h->samples)) +
                     (h->mixes ? hosted_rows_verification(&h->rows) : 0) +
                     hosted_dense_verification(&h->dense);
    s->prepare_cost += reading + (finds_early(h->set) ? 0 : hosted_samples_cost(&h->samples));
    s->warm = s->warm && reading < WARM_COST && !h->set->images; /* no I/O thread decodes */
    uint64_t of_x = hosted_rows_working(&h->rows), of_dense = hosted_dense_working(&h->dense);
    s->working += of_x > of_dense ? of_x : of_dense;
    tensor_source_note(s, "seed", q->seed);
    tensor_source_note(s, "index", at->t);
    tensor_source_note(s, "step", at->number);
    s->fresh = q->given[QUERY_DIGEST] ? FRESH_FOR_EVER : FRESH_UNTIL_REPLACED;
    if (!good)
        problem_add_too_long(p, "n", "answer");
    return good;
}

tensor_source *hosted_batch_source(resource_request *request, dataset *set, const batch_address *at,
                                   problem *p) {
    batch_shapes d;
    hosted_batch *h = calloc(1, sizeof *h);
    tensor_source *s = h ? tensor_source_new(at->end - at->begin) : NULL;
    if (!s) {
        free(h);
        dataset_release(set);
        problem_add(p, 500, NULL, "out of memory");
        return NULL;
    }
    h->set = set;
    h->samples = (hosted_samples){.set = set,
                                  .at = *at,
                                  .seed = request->query.seed,
                                  .epoch = request->query.epoch,
                                  .size = request->query.n,
                                  .bucket = request->query.bucket,
                                  .shuffles = request->query.shuffle != 0,
                                  .neighbours = request->query.pairing == FMIX_PAIRING_NEIGHBOUR,
                                  .fault = &h->fault};
    h->rows.samples = h->dense.samples = &h->samples;
    h->labels = (hosted_labels){.set = set, .rows = hosted_samples_count(&h->samples)};
    s->self = h;
    s->destroy = hosted_batch_free;
    s->is_lost = is_lost;
    s->tell_loss = tell_loss;
    if (begin(request, h, &d, p) && finish(request, h, &d, s, p))
        return s;
    tensor_source_free(s);
    return NULL;
}
