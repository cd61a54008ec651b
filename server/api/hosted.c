#include "hosted.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

bool hosted_is_pinned(const query *q, const dataset *d, problem *p) {
    if (!q->given[QUERY_DIGEST] || strcmp(q->digest, d->digest) == 0)
        return true;
    problem_add(p, 409, "digest", "the data set %s has digest %s now, not the one asked for",
                d->name, d->digest);
    return false;
}

/* ---- where a batch lies ---- */

bool hosted_step(const char *text, uint64_t *out, problem *p) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    *out = value;
    if (text[0] >= '0' && text[0] <= '9' && !*end && errno == 0)
        return true;
    problem_add(p, 404, NULL, "there is no batch '%.40s'; batches are numbered from 0", text);
    return false;
}
static uint64_t batches_of(const query *q, uint64_t samples) {
    uint64_t whole = samples / q->n, rest = samples % q->n;
    return whole + (rest && !q->drop_last);
}

/* Numbers of t and of batches, of all of an epoch, that 64 bits hold. */
static bool fits(const query *q, const dataset *d, problem *p) {
    uint64_t last = UINT64_MAX / d->count;
    if (q->epoch < last)
        return true;
    problem_add(p, 400, "epoch",
                "epoch is %" PRIu64 ", whose last sample number would pass 2^64-1; with %" PRIu64
                " samples it can be %" PRIu64 " at most",
                q->epoch, d->count, last - 1);
    return false;
}

bool hosted_address(const query *q, const dataset *d, uint64_t step, hosted_place *out,
                    problem *p) {
    if (q->rank >= q->world)
        problem_add(p, 400, "rank", "rank is %" PRIu64 " of world %" PRIu64 "; it counts from 0",
                    q->rank, q->world);
    if (p->status || !fits(q, d, p))
        return false;
    *out = (hosted_place){.batches = batches_of(q, d->count)};
    if (step >= out->batches) {
        problem_add(p, 404, NULL,
                    "there is no batch %" PRIu64 "; an epoch of %s has %" PRIu64 " of %" PRIu64
                    " rows, counted from 0",
                    step, d->name, out->batches, q->n);
        return false;
    }
    uint64_t all = d->count / q->n + (d->count % q->n != 0); /* whatever drop_last */
    out->first = step * q->n;
    out->rows = d->count - out->first < q->n ? d->count - out->first : q->n;
    out->t = q->epoch * d->count + out->first;
    out->number = q->epoch * all + step;
    out->begin = q->rank * out->rows / q->world;
    out->end = (q->rank + 1) * out->rows / q->world;
    return true;
}

/* ---- rows before they are mixed ---- */

/* One row of the batch as mixing takes it. */
static fmix_status prepare_row(const hosted *h, uint64_t row, unsigned char *room, void *out) {
    return preparer_take(&h->preparer, dataset_row(h->set, h->samples[row]), h->place.t + row, room,
                         out);
}

/* Rows first … first+n-1 of the batch and their partners, then mixed from there. */
static fmix_status mix_prepared(const hosted *h, fmix_scratch *scratch, uint64_t first, uint64_t n,
                                unsigned char *room, void *out) {
    size_t bytes = (size_t)h->preparer.row_bytes;
    unsigned char *x = room + preparer_room(&h->preparer), *x2 = x + n * bytes;
    fmix_status status = FMIX_OK;
    for (uint64_t i = 0; i < n && status == FMIX_OK; i++) {
        uint64_t partner = (uint64_t)h->mixing.pairing[first + i];
        status = prepare_row(h, first + i, room, x + i * bytes);
        if (status == FMIX_OK)
            status = prepare_row(h, partner, room, x2 + i * bytes);
    }
    fmix_batch batch = h->mixing.batch;
    batch.x = x;
    batch.x2 = x2;
    return status == FMIX_OK
               ? fmix_plan_mix(h->mixing.rows.plan, scratch, &batch,
                               fmix_plan_sample(h->mixing.rows.plan, h->place.t, first), 0, n, out)
               : status;
}

#define PREPARED_BYTES (256u << 10)

static uint64_t rows_at_once(const hosted *h) {
    uint64_t n = PREPARED_BYTES / h->preparer.row_bytes;
    return n ? n : 1;
}

static uint64_t prepared_room(const hosted *h) {
    return preparer_room(&h->preparer) + 2 * rows_at_once(h) * h->preparer.row_bytes;
}

static fmix_status fill_prepared(const hosted *h, fmix_scratch *scratch, uint64_t first, uint64_t n,
                                 uint64_t out_bytes, unsigned char *out) {
    uint64_t most = rows_at_once(h), begin = h->mixing.rows.first + first;
    unsigned char *room = malloc((size_t)prepared_room(h));
    fmix_status status = room ? FMIX_OK : FMIX_ERROR_MEMORY;
    for (uint64_t i = 0; i < n && status == FMIX_OK; i += most) {
        uint64_t count = n - i < most ? n - i : most;
        status = mix_prepared(h, scratch, begin + i, count, room, out + i * out_bytes);
    }
    free(room);
    return status;
}

/* What cannot be read reads as zeros, and what is altered may have been read: such an answer is
 * none. */
static fmix_status fill_mixed(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                              void *out) {
    const hosted *h = self;
    const preparer *r = &h->preparer;
    uint64_t out_bytes = r->elements * r->channels * fmix_dtype_bytes(h->mixing.batch.out_dtype);
    fmix_status status = h->rows ? mixing_fill(&h->mixing, scratch, first, n, out)
                                 : fill_prepared(h, scratch, first, n, out_bytes, out);
    return dataset_is_whole(h->set) ? status : FMIX_ERROR_LIBRARY;
}

static fmix_status fill_rows(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                             void *out) {
    const hosted *h = self;
    (void)scratch;
    memcpy(out, h->samples + h->mixing.rows.first + first, (size_t)n * sizeof *h->samples);
    return FMIX_OK;
}

/* ---- the source ---- */

static void hosted_free(void *self) {
    hosted *h = self;
    mixing_end(&h->mixing);
    for (unsigned i = 0; i < DATASET_HEADS; i++)
        free(h->labels[i]);
    free(h->rows);
    free(h->samples);
    dataset_release(h->set);
    free(h);
}

static bool is_lost(const void *self) {
    return dataset_state(((const hosted *)self)->set) != MAPPED_FILE_WHOLE;
}

static bool no_memory(problem *p) {
    problem_add(p, 500, NULL, "out of memory");
    return false;
}

static size_t label_bytes(const dataset_head *head) {
    return 4 * (size_t)(head->numbers ? 1 : head->classes);
}

/* Zeros, which no memory stands behind yet: what they become is found by a compute thread, once the
 * answer is admitted. */
static bool make_room(hosted *h, problem *p) {
    size_t n = (size_t)h->place.rows;
    bool good = (h->samples = calloc(n, sizeof *h->samples)) != NULL;
    for (unsigned i = 0; i < h->set->heads; i++)
        good = good && (h->labels[i] = calloc(n, label_bytes(&h->set->head[i])));
    return good || no_memory(p);
}

/* How many classes a head's numbers have, by the request or by the set. */
static bool find_classes(hosted *h, query *q, problem *p) {
    query_list own = {0};
    for (unsigned i = 0; i < h->set->heads; i++) {
        const dataset_head *head = &h->set->head[i];
        if (!head->numbers)
            continue;
        unsigned which = q->classes.count == 1 ? 0 : own.count; /* one stands for all heads */
        uint32_t asked = q->classes.item[which];
        if (q->given[QUERY_CLASSES] && which < q->classes.count && asked < head->classes) {
            problem_add(p, 400, "classes", "classes is %" PRIu32 ", but %s of %s has %" PRIu64,
                        asked, head->name, h->set->name, head->classes);
            return false;
        }
        own.item[own.count++] = (uint32_t)head->classes;
    }
    if (!q->given[QUERY_CLASSES] && own.count) {
        q->classes = own;
        q->given[QUERY_CLASSES] = true;
    }
    return true;
}

/* As the upload of a batch would hold them. */
static bool find_labels(hosted *h, query *q, labels **out, problem *p) {
    upload all = {.count = 0};
    if (h->set->heads == 0 && q->given[QUERY_PARTS] && (q->parts & PART_LABELS)) {
        problem_add(p, 400, "parts", "labels are asked for, but the data set %s has none",
                    h->set->name);
        return false;
    }
    for (unsigned i = 0; i < h->set->heads; i++) {
        const dataset_head *head = &h->set->head[i];
        array *y = &all.arrays[all.count++];
        *y = (array){.bytes = h->labels[i],
                     .type = head->numbers ? DTYPE_I32 : DTYPE_F32,
                     .rank = head->numbers ? 1 : 2,
                     .shape = {h->place.rows, head->classes}};
        snprintf(y->name, sizeof y->name, "%s", head->name);
    }
    return find_classes(h, q, p) && labels_take(q, &all, h->place.rows, out, p);
}

static void gather_labels(hosted *h) {
    for (unsigned i = 0; i < h->set->heads; i++) {
        const dataset_head *head = &h->set->head[i];
        size_t bytes = label_bytes(head);
        for (uint64_t r = 0; r < h->place.rows; r++)
            memcpy(h->labels[i] + r * bytes, head->file.bytes + h->samples[r] * bytes, bytes);
        dtype_swap(head->numbers ? DTYPE_I32 : DTYPE_F32, h->labels[i],
                   (size_t)h->place.rows * bytes);
    }
}

/* Which samples, where they lie, and their labels. */
static fmix_status prepare(void *self) {
    hosted *h = self;
    const hosted_place *at = &h->place;
    fmix_status status = FMIX_OK;
    for (uint64_t i = 0; i < at->rows; i++)
        h->samples[i] = at->first + i;
    if (h->shuffles)
        status =
            fmix_shuffle(h->mixing.seed, h->epoch, h->set->count, at->first, at->rows, h->samples);
    for (uint64_t i = 0; h->rows && i < at->rows; i++)
        h->rows[i] = dataset_row(h->set, h->samples[i]);
    gather_labels(h);
    if (status == FMIX_OK)
        status = mixing_prepare(&h->mixing);
    return dataset_is_whole(h->set) ? status : FMIX_ERROR_LIBRARY;
}

/* Where rows lie, if they are mixed as they are. */
static bool find_rows(hosted *h, problem *p) {
    if (!preparer_is_idle(&h->preparer))
        return true;
    h->rows = calloc((size_t)h->place.rows, sizeof *h->rows);
    h->mixing.batch.rows = h->rows;
    return h->rows || no_memory(p);
}

/* What is known of a batch before anything is allocated for its rows. */
typedef struct draft {
    array x;
    geometry g;
    fmix_recipe recipe;
    dtype prepared, out;
} draft;

static bool sketch(resource_request *c, const dataset *set, const hosted_place *place, draft *d,
                   problem *p) {
    query *q = &c->query;
    d->x = (array){.name = "x", .type = set->type};
    d->x.shape[0] = place->rows;
    q->index = place->t;
    return preparer_shape(q, set, &d->x, p) && mixing_geometry(q, &d->x, &d->g, p) &&
           mixing_recipe(c, &d->g, place->number, &d->recipe, p);
}

static bool begin(resource_request *c, hosted *h, draft *d, problem *p) {
    query *q = &c->query;
    if (!sketch(c, h->set, &h->place, d, p))
        return false;
    if (!mixing_begin(&h->mixing, c, &d->recipe, h->place.number, h->place.rows, p))
        return false;
    h->epoch = q->epoch;
    h->shuffles = q->shuffle != 0;
    h->mixing.rows.first = h->place.begin;
    h->mixing.batch.layout = d->g.layout;
    if (!preparer_begin(&h->preparer, q, h->set, &d->g, &d->recipe.shape, &d->prepared, p) ||
        !make_room(h, p) || !find_labels(h, q, &h->mixing.labels, p) ||
        !mixing_out_type(q, d->prepared, &d->out, p))
        return false;
    if (h->preparer.normalises)
        d->out = d->prepared;
    h->mixing.batch.dtype = rows_type(d->prepared);
    h->mixing.batch.out_dtype = rows_type(d->out);
    h->mixing.batch.channels = d->g.channels;
    h->mixing.batch.pairing = h->mixing.pairing;
    return find_rows(h, p);
}

static uint64_t memory_of(const hosted *h) {
    uint64_t row = sizeof *h->samples + (h->rows ? sizeof *h->rows : 0);
    for (unsigned i = 0; i < h->set->heads; i++)
        row += label_bytes(&h->set->head[i]);
    return row * h->place.rows;
}

static bool finish(const resource_request *c, hosted *h, const draft *d, tensor_source *s,
                   problem *p) {
    const query *q = &c->query;
    bool good = mixing_source(&h->mixing, s, q, &d->x, d->out, &d->g, fill_mixed, h);
    if (!q->given[QUERY_PARTS] || (q->parts & PART_ROWS))
        good = good && tensor_source_add(s, "rows", DTYPE_I64, 0, NULL, 1, fill_rows, h);
    s->memory += memory_of(h);
    s->prepare = prepare;
    s->prepare_cost += (h->shuffles ? 150 : 10) * (double)h->place.rows;
    if (!h->rows) {
        s->working += prepared_room(h);
        if (s->count && s->tensors[0].fill == fill_mixed)
            s->tensors[0].row_cost += 4 * (double)(h->preparer.elements * h->preparer.channels);
    }
    tensor_source_note(s, "seed", q->seed);
    tensor_source_note(s, "index", h->place.t);
    tensor_source_note(s, "step", h->place.number);
    s->passing = !q->given[QUERY_DIGEST];
    if (!good)
        problem_add(p, 413, "n", "the answer would have more bytes than can be counted");
    return good;
}

tensor_source *hosted_source(resource_request *c, dataset *set, const hosted_place *place,
                             problem *p) {
    draft d;
    hosted *h = calloc(1, sizeof *h);
    tensor_source *s = h ? tensor_source_new(place->end - place->begin) : NULL;
    if (!s) {
        free(h);
        dataset_release(set);
        no_memory(p);
        return NULL;
    }
    h->set = set;
    h->place = *place;
    s->self = h;
    s->destroy = hosted_free;
    s->is_lost = is_lost;
    if (begin(c, h, &d, p) && finish(c, h, &d, s, p))
        return s;
    tensor_source_free(s);
    return NULL;
}
