/* An epoch as WebDataset shards, a batch each, which are named by all that is in them
 * (shard_name.h). */
#include "base/json_build.h"
#include "shard_name.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- a shard ---- */

/* A member of one size: where it begins in a record, and where what it holds does. */
typedef struct member {
    uint64_t start, length;
} member;

typedef struct shard {
    tensor_source *batch; /* of the hosted batch, whose tensors the members are made of */
    uint64_t first, step;
    member sample, facts;
    bool png;
    uint64_t width, height;
    unsigned channels;
    buffer head; /* of an npy file, which all samples share */
} shard;

#define PNG_SIDE 1000000 /* what libpng reads unless told otherwise */
#define NUMBER   32      /* bytes that a number takes in JSON, with its comma */

/* Of one row: every small tensor under its name. */
static uint64_t facts_length(const tensor_source *batch) {
    uint64_t length = 64;
    for (unsigned i = 1; i < batch->count; i++) {
        const tensor *t = &batch->tensors[i];
        length += strlen(t->name) + 8 + NUMBER * (t->row_bytes / dtype_table[t->type].size);
    }
    return length;
}

/* JSON has no NaN and no infinity: null. */
static void print_number(const tensor *t, const unsigned char *at, buffer *out) {
    if (!dtype_floats(t->type))
        buffer_print(out, "%" PRId64, dtype_integer(t->type, at));
    else if (isfinite(dtype_real(t->type, at)))
        buffer_real(out, dtype_real(t->type, at));
    else
        buffer_text(out, "null");
}

/* {"rows":5,"pairing":2,"labels":[0.25,0.75]} and spaces. */
static bool write_facts(const shard *h, uint64_t row, unsigned char *const *data,
                        unsigned char *out) {
    buffer text = buffer_of((size_t)h->facts.length);
    const tensor_source *batch = h->batch;
    buffer_text(&text, "{");
    for (unsigned i = 1; i < batch->count; i++) {
        const tensor *t = &batch->tensors[i];
        size_t size = dtype_table[t->type].size;
        uint64_t values = t->row_bytes / size;
        buffer_print(&text, "%s\"%s\":%s", i > 1 ? "," : "", t->name, t->rank > 1 ? "[" : "");
        for (uint64_t v = 0; v < values; v++) {
            buffer_text(&text, v ? "," : "");
            print_number(t, data[i] + row * t->row_bytes + v * size, &text);
        }
        buffer_text(&text, t->rank > 1 ? "]" : "");
    }
    buffer_text(&text, "}");
    bool good = !text.failed;
    if (good)
        memcpy(out, text.bytes, text.length);
    memset(out + (good ? text.length : 0), ' ', h->facts.length - (good ? text.length : 0));
    buffer_free(&text);
    return good;
}

static void write_sample(const shard *h, const unsigned char *row, unsigned char *out) {
    if (h->png) {
        png_plain(h->width, h->height, h->channels, row, out);
        return;
    }
    memcpy(out, h->head.bytes, h->head.length);
    memcpy(out + h->head.length, row, (size_t)h->batch->tensors[0].row_bytes);
}

static uint64_t record_length(const shard *h) {
    return h->facts.start + tar_padded(h->facts.length);
}

static bool write_record(const shard *h, uint64_t row, uint64_t number, unsigned char *const *data,
                         unsigned char *out) {
    char name[100];
    const tensor *mixed = &h->batch->tensors[0];
    memset(out, 0, (size_t)record_length(h));
    snprintf(name, sizeof name, "%06" PRIu64 "-%06" PRIu64 ".%s", h->step, number,
             h->png ? "png" : "npy");
    tar_header(name, h->sample.length, out + h->sample.start - TAR_BLOCK);
    snprintf(name, sizeof name, "%06" PRIu64 "-%06" PRIu64 ".json", h->step, number);
    tar_header(name, h->facts.length, out + h->facts.start - TAR_BLOCK);
    write_sample(h, data[0] + row * mixed->row_bytes, out + h->sample.start);
    return write_facts(h, row, data, out + h->facts.start);
}

/* Rows of every tensor of the batch, little-endian. */
static fmix_status fill_all(const shard *h, fmix_scratch *scratch, uint64_t first, uint64_t n,
                            unsigned char *const *data) {
    fmix_status status = FMIX_OK;
    for (unsigned i = 0; i < h->batch->count && status == FMIX_OK; i++) {
        const tensor *t = &h->batch->tensors[i];
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
        status = fill_all(h, scratch, first, n, data);
    for (uint64_t i = 0; i < n && status == FMIX_OK; i++)
        if (!write_record(h, i, h->first + first + i, data,
                          (unsigned char *)out + i * record_length(h)))
            status = FMIX_ERROR_MEMORY;
    for (unsigned i = 0; i < SOURCE_TENSORS; i++)
        free(data[i]);
    return status;
}

static fmix_status prepare(void *self) {
    tensor_source *batch = ((shard *)self)->batch;
    return batch->prepare(batch->self);
}

static bool is_lost(const void *self) {
    const tensor_source *batch = ((const shard *)self)->batch;
    return batch->is_lost(batch->self);
}

static void destroy(void *self) {
    shard *h = self;
    tensor_source_free(h->batch);
    buffer_free(&h->head);
    free(h);
}

/* Planes of one picture: one or two spatial sides, channels last. */
static bool fit_picture(shard *h, problem *p) {
    const tensor *t = &h->batch->tensors[0];
    const image_shape *of = &t->image;
    if (t->type != DTYPE_U8 || of->sides == 0 || of->sides > 2 || of->channels == 2 ||
        of->channels > 4 || (of->channels > 1 && of->apart)) {
        problem_add(p, 400, "member",
                    "member is 'png', which holds u8 of two sides, with 1, 3 or 4 channels last");
        return false;
    }
    h->channels = (unsigned)of->channels;
    h->width = of->width;
    h->height = of->height;
    if (h->width <= PNG_SIDE && h->height <= PNG_SIDE)
        return true;
    problem_add(p, 400, "member", "member is 'png', of which readers take %d pixels a side at most",
                PNG_SIDE);
    return false;
}

static bool measure_png(shard *h, problem *p) {
    if (!fit_picture(h, p))
        return false;
    h->sample.length = png_plain_length(h->width, h->height, h->channels);
    return true;
}

static bool measure_npy(shard *h, problem *p) {
    tensor row = h->batch->tensors[0];
    if (!npy_holds(&row, "npy", p))
        return false;
    row.rank--;
    memmove(row.shape, row.shape + 1, row.rank * sizeof *row.shape);
    h->head = buffer_of(512);
    if (!npy_header(&row, &h->head)) {
        problem_add(p, 500, NULL, "out of memory");
        return false;
    }
    h->sample.length = h->head.length + row.row_bytes;
    return true;
}

static bool measure(shard *h, problem *p) {
    if (!(h->png ? measure_png : measure_npy)(h, p))
        return false;
    h->sample.start = TAR_BLOCK;
    h->facts.length = facts_length(h->batch);
    h->facts.start = h->sample.start + tar_padded(h->sample.length) + TAR_BLOCK;
    return true;
}

/* Takes the batch. NULL: explained. */
static tensor_source *make(const resource_request *c, tensor_source *batch,
                           const hosted_place *place, uint64_t step, problem *p) {
    tensor_source *s = tensor_source_new(batch->rows);
    shard *h = s ? calloc(1, sizeof *h) : NULL;
    if (!h) {
        problem_add(p, 500, NULL, "out of memory");
        tensor_source_free(s);
        tensor_source_free(batch);
        return NULL;
    }
    *h = (shard){
        .batch = batch, .first = place->begin, .step = step, .png = c->query.member == MEMBER_PNG};
    s->self = h;
    s->destroy = destroy;
    s->is_lost = is_lost;
    s->prepare = prepare;
    s->prepare_cost = batch->prepare_cost;
    s->warm = batch->warm;
    s->memory = batch->memory;
    double cost = 2000;
    uint64_t bytes = 0;
    for (unsigned i = 0; i < batch->count; i++) {
        cost += batch->tensors[i].row_cost;
        bytes += batch->tensors[i].row_bytes;
    }
    bool good = measure(h, p);
    uint64_t length = good ? record_length(h) : 0;
    if (good && !tensor_source_add(s, "shard", DTYPE_U8, 1, &length, cost + 0.3 * (double)length,
                                   fill_records, h)) {
        problem_add(p, 413, "n", "the shard would have more bytes than can be counted");
        good = false;
    }
    /* A slice has about half a MiB, or a row. */
    uint64_t at_once = length ? (512u << 10) / length + 1 : 1;
    s->working = batch->working + at_once * (bytes + length);
    if (good)
        return s;
    tensor_source_free(s);
    return NULL;
}

/* Pictures have their channels last, whatever the set has, unless the name says otherwise. */
static void choose_layout(query *q, const dataset *d) {
    if (q->member != MEMBER_PNG || q->given[QUERY_LAYOUT] || d->layout != LAYOUT_CHANNELS_FIRST)
        return;
    q->layout = LAYOUT_CHANNELS_LAST;
    q->given[QUERY_LAYOUT] = true;
}

/* The name, which says all, and what it does not say of the set. NULL: no memory. */
static char *recipe_of(const char *name, const query *q, const dataset *d) {
    buffer text = buffer_of(ROUTE_CAPTURE + 64);
    buffer_text(&text, name);
    preparer_note(q, d, &text);
    buffer_add(&text, "", 1);
    if (text.failed)
        buffer_free(&text);
    return (char *)text.bytes;
}

/* What a shard's name stands for. NULL: explained. */
static tensor_source *tensor_source_of(resource_request *c, problem *p) {
    hosted_place place;
    uint64_t step;
    dataset *d = shard_name_read(c, &step, p);
    char *recipe = d ? recipe_of(c->captured[0], &c->query, d) : NULL;
    if (d)
        choose_layout(&c->query, d);
    if (d && (!recipe || !hosted_address(&c->query, d, step, &place, p))) {
        dataset_release(d);
        d = NULL;
    }
    c->query.given[QUERY_PARTS] = true;
    c->query.parts = PART_MIXED | PART_PAIRING | PART_LAMBDA | PART_LAMBDA_EFF | PART_ROWS |
                     (d && d->heads ? PART_LABELS : 0);
    tensor_source *batch = d ? hosted_source(c, d, &place, p) : NULL;
    tensor_source *s = batch ? make(c, batch, &place, step, p) : NULL;
    if (s)
        s->recipe = recipe;
    else
        free(recipe);
    if (!s && p->status == 0)
        problem_add(p, 500, NULL, "out of memory");
    return s;
}

void shard_get(resource_request *c, resource_result *out) {
    out->source = tensor_source_of(c, &out->problem);
}

/* ---- the list ---- */

static void list(const dataset *d, const char *name, const hosted_place *place, uint64_t n,
                 resource_result *out) {
    char url[ROUTE_CAPTURE + 100];
    snprintf(url, sizeof url, "/v1/shards/%s" SHARD_SEPARATOR "{%06d..%06" PRIu64 "}.tar", name, 0,
             place->batches - 1);
    json_t *root =
        json_pack("{ss sI sI sI ss}", "urls", url, "shards", (json_int_t)place->batches, "samples",
                  (json_int_t)d->count, "samples_per_shard", (json_int_t)n, "digest", d->digest);
    out->status = 200;
    out->text = buffer_of(8192);
    json_print_line(root, &out->text);
}

/* Whether a request for this shard would be answered: its source is made and thrown away. */
static bool would_answer(const resource_request *c, const char *name, uint64_t number, problem *p) {
    char whole[ROUTE_CAPTURE + 24];
    int length = snprintf(whole, sizeof whole, "%s" SHARD_SEPARATOR "%06" PRIu64, name, number);
    if (length > ROUTE_CAPTURE) {
        shard_name_refuse(&c->query, p);
        return false;
    }
    resource_request trial = {.server = c->server, .captured = {whole}, .format = &format_tar};
    tensor_source *s = tensor_source_of(&trial, p);
    tensor_source_free(s);
    return s != NULL;
}

/* The name of the shards of a set, once the first and the last of them are known to be had. */
static bool find_name(const resource_request *c, const dataset *d, const hosted_place *place,
                      char name[ROUTE_CAPTURE], problem *p) {
    fmix_status status = shard_name_of(&c->query, d, name, ROUTE_CAPTURE);
    if (status == FMIX_ERROR_RANGE)
        shard_name_refuse(&c->query, p);
    else if (status != FMIX_OK)
        problem_add(p, 500, NULL, "%s", fmix_status_text(status));
    return status == FMIX_OK && would_answer(c, name, 0, p) &&
           would_answer(c, name, place->batches - 1, p);
}

void shards_get(resource_request *c, resource_result *out) {
    problem *p = &out->problem;
    hosted_place place;
    char name[ROUTE_CAPTURE];
    dataset *d = hosted_find(c, p);
    if (!d)
        return;
    if (hosted_is_pinned(&c->query, d, p) && hosted_address(&c->query, d, 0, &place, p) &&
        find_name(c, d, &place, name, p))
        list(d, name, &place, c->query.n, out);
    dataset_release(d);
}
