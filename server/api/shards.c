/* GET /v1/shards/NAME and /v1/datasets/NAME/shards: an epoch as WebDataset shards, a shard a batch,
 * whose names say everything that is in them (shard_name.h). */
#include "base/json_build.h"
#include "compute/slicing.h"
#include "hosted_batch.h"
#include "params/choice.h"
#include "preprocessor.h"
#include "requested_dataset.h"
#include "shard_name.h"
#include "shard_record.h"

#include <inttypes.h>
#include <stdlib.h>

/* ---- a shard ---- */

typedef struct shard {
    tensor_source *batch; /* the hosted batch, whose tensors the records hold */
    uint64_t first;       /* the row of the batch that is row 0 of the shard */
    shard_record record;
} shard;

static void shard_free(void *self) {
    shard *h = self;
    shard_record_end(&h->record);
    tensor_source_free(h->batch);
    free(h);
}

static fmix_status prepare(void *self) {
    const tensor_source *batch = ((const shard *)self)->batch;
    return batch->prepare(batch->self);
}

static bool is_lost(const void *self) {
    const tensor_source *batch = ((const shard *)self)->batch;
    return batch->is_lost(batch->self);
}

static void tell_loss(const void *self, char *out, size_t room) {
    const tensor_source *batch = ((const shard *)self)->batch;
    batch->tell_loss(batch->self, out, room);
}

/* Rows of every tensor of the batch, little-endian. */
static fmix_status fill_all(const tensor_source *batch, fmix_scratch *scratch, uint64_t first,
                            uint64_t n, unsigned char *const *data) {
    fmix_status status = FMIX_OK;
    for (unsigned i = 0; i < batch->count && status == FMIX_OK; i++) {
        const tensor *t = &batch->tensors[i];
        status = t->fill(t->self, scratch, first, n, data[i]);
        dtype_swap(t->type, data[i], (size_t)(n * t->row_bytes));
    }
    return status;
}

static fmix_status fill_records(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                                void *out) {
    const shard *h = self;
    unsigned char *data[SOURCE_TENSORS] = {NULL};
    fmix_status status = FMIX_OK;
    for (unsigned i = 0; i < h->batch->count && status == FMIX_OK; i++) {
        data[i] = malloc((size_t)(n * h->batch->tensors[i].row_bytes));
        status = data[i] ? FMIX_OK : FMIX_ERROR_MEMORY;
    }
    if (status == FMIX_OK)
        status = fill_all(h->batch, scratch, first, n, data);
    for (uint64_t i = 0; i < n && status == FMIX_OK; i++)
        if (!shard_record_write(&h->record, i, h->first + first + i, data,
                                (unsigned char *)out + i * shard_record_length(&h->record)))
            status = FMIX_ERROR_MEMORY;
    for (unsigned i = 0; i < SOURCE_TENSORS; i++)
        free(data[i]);
    return status;
}

/* Adds the tensor of records; a slice of it has about half a MiB, or one record. */
static bool add_records(tensor_source *s, const shard *h) {
    const tensor_source *batch = h->batch;
    uint64_t length = shard_record_length(&h->record), at_once = SLICING_BYTES / length + 1;
    uint64_t bytes = 0;
    double cost = 2000;
    for (unsigned i = 0; i < batch->count; i++) {
        cost +=
            batch->tensors[i].row_cost + SLICING_WRITE_COST * (double)batch->tensors[i].row_bytes;
        bytes += batch->tensors[i].row_bytes;
    }
    s->working = batch->working + at_once * (bytes + length);
    return tensor_source_add(s, "shard", DTYPE_U8, 1, &length, cost, fill_records, h);
}

/* Takes the batch. NULL: explained. */
static tensor_source *shard_source(const resource_request *request, tensor_source *batch,
                                   uint64_t first, uint64_t step, problem *p) {
    tensor_source *s = tensor_source_new(batch->rows);
    shard *h = s ? calloc(1, sizeof *h) : NULL;
    if (!h) {
        problem_add(p, 500, NULL, "out of memory");
        tensor_source_free(s);
        tensor_source_free(batch);
        return NULL;
    }
    *h = (shard){
        .batch = batch,
        .first = first,
        .record = {.batch = batch, .step = step, .png = request->query.member == MEMBER_PNG}};
    s->self = h;
    s->destroy = shard_free;
    s->is_lost = is_lost;
    s->tell_loss = tell_loss;
    s->prepare = prepare;
    s->prepare_cost = batch->prepare_cost;
    s->warm = batch->warm;
    s->first_cost = batch->first_cost;
    s->memory = batch->memory;
    if (shard_record_begin(&h->record, p)) {
        if (add_records(s, h))
            return s;
        problem_add_too_long(p, "n", "shard");
    }
    tensor_source_free(s);
    return NULL;
}

/* Samples that are png files have their channels last, unless the name gives another layout. */
static void choose_layout(query *q, const dataset *d) {
    if (q->member != MEMBER_PNG || q->given[QUERY_LAYOUT] || d->x.layout != LAYOUT_CHANNELS_FIRST)
        return;
    q->layout = LAYOUT_CHANNELS_LAST;
    q->given[QUERY_LAYOUT] = true;
}

/* All parts but masks. */
static void choose_parts(query *q, const dataset *d) {
    q->given[QUERY_PARTS] = true;
    q->parts = PART_MIXED | PART_PAIRING | PART_LAMBDA | PART_LAMBDA_EFF | PART_ROWS |
               (d->heads ? PART_LABELS : 0) | (d->denses ? PART_DENSE : 0) |
               (choice_varies(q) ? PART_METHOD : 0) | (d->ragged ? PART_LENGTHS : 0);
}

/* The canonical text: the name, and the layout of the set, which the name lacks. NULL: no memory.
 */
static char *recipe_of(const char *name, const query *q, const dataset *d) {
    buffer text = buffer_of(ROUTE_CAPTURE + 64);
    buffer_text(&text, name);
    preprocessor_note(q, d, &text);
    buffer_add(&text, "", 1);
    if (text.failed)
        buffer_free(&text);
    return (char *)text.bytes;
}

/* The source of the shard that a name stands for. NULL: explained. */
static tensor_source *named_source(resource_request *request, problem *p) {
    batch_address at;
    uint64_t step;
    dataset *d = shard_name_read(request, &step, p);
    char *recipe = d ? recipe_of(request->captured[0], &request->query, d) : NULL;
    if (d)
        choose_layout(&request->query, d);
    if (d && (!recipe || !batch_address_find(&request->query, d, step, &at, p))) {
        dataset_release(d);
        d = NULL;
    }
    if (d)
        choose_parts(&request->query, d);
    tensor_source *batch = d ? hosted_batch_source(request, d, &at, p) : NULL;
    tensor_source *s = batch ? shard_source(request, batch, at.begin, step, p) : NULL;
    if (s)
        s->recipe = recipe;
    else
        free(recipe);
    if (!s && p->status == 0)
        problem_add(p, 500, NULL, "out of memory");
    return s;
}

weight shard_weight(const resource_request *request) {
    resource_request trial = *request; /* whose query the name fills in */
    problem p = {0};
    uint64_t step;
    dataset *d = shard_name_read(&trial, &step, &p);
    weight w = d ? requested_rows_weight(&trial.query, d) : (weight){0};
    dataset_release(d);
    return w;
}

void shard_get(resource_request *request, resource_result *out) {
    out->source = named_source(request, &out->problem);
}

/* ---- the list ---- */

/* Of all shards: those before the last have as many rows as the first. */
static uint64_t rows_of_all(const query *q, const dataset *d, const batch_address *first) {
    batch_address last = {0};
    problem none = {0}; /* the first batch was found, and the last is in the epoch, too */
    batch_address_find(q, d, first->batches - 1, &last, &none);
    return (first->batches - 1) * (first->end - first->begin) + last.end - last.begin;
}

static void list(const query *q, const dataset *d, const char *name, const batch_address *at,
                 resource_result *out) {
    char url[ROUTE_CAPTURE + 100];
    snprintf(url, sizeof url, "/v1/shards/%s" SHARD_SEPARATOR "{000000..%06" PRIu64 "}.tar", name,
             at->batches - 1);
    json_t *root = json_pack("{ss sI sI sI ss}", "urls", url, "shards", (json_int_t)at->batches,
                             "samples", (json_int_t)rows_of_all(q, d, at), "samples_per_shard",
                             (json_int_t)(at->end - at->begin), "digest", d->digest);
    out->status = 200;
    out->text = buffer_of(8192);
    json_print_line(root, &out->text);
}

/* Returns true if a request for this shard would be answered: makes the source and frees it. */
static bool would_answer(const resource_request *request, const char *name, uint64_t number,
                         problem *p) {
    char whole[ROUTE_CAPTURE + 24];
    int length = snprintf(whole, sizeof whole, "%s" SHARD_SEPARATOR "%06" PRIu64, name, number);
    if (length > ROUTE_CAPTURE) {
        shard_name_refuse(&request->query, p);
        return false;
    }
    resource_request trial = {
        .server = request->server, .captured = {whole}, .format = &format_tar};
    tensor_source *s = named_source(&trial, p);
    tensor_source_free(s);
    return s != NULL;
}

/* The common name of the shards of a set. False, explained: the first or the last of them would be
 * refused. */
static bool find_name(const resource_request *request, const dataset *d, const batch_address *at,
                      char name[ROUTE_CAPTURE], problem *p) {
    fmix_status status = shard_name_of(&request->query, d, name, ROUTE_CAPTURE);
    if (status == FMIX_ERROR_RANGE)
        shard_name_refuse(&request->query, p);
    else if (status != FMIX_OK)
        problem_add(p, 500, NULL, "%s", fmix_status_text(status));
    return status == FMIX_OK && would_answer(request, name, 0, p) &&
           would_answer(request, name, at->batches - 1, p);
}

/* Two shards are tried, one after the other. */
weight shards_weight(const resource_request *request) {
    weight w = requested_dataset_weight(request);
    w.cost *= 2;
    return w;
}

void shards_get(resource_request *request, resource_result *out) {
    problem *p = &out->problem;
    batch_address at;
    char name[ROUTE_CAPTURE];
    dataset *d = requested_dataset_find(request, p);
    if (!d)
        return;
    if (requested_dataset_is_pinned(&request->query, d, p) &&
        batch_address_find(&request->query, d, 0, &at, p) && find_name(request, d, &at, name, p))
        list(&request->query, d, name, &at, out);
    dataset_release(d);
}
