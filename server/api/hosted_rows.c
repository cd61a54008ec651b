#include "hosted_rows.h"

#include <stdlib.h>

/* The zeros of calloc take no memory until a compute thread, after the answer is admitted, writes
 * the addresses. */
bool hosted_rows_begin(hosted_rows *h, problem *p) {
    if (!preprocessor_is_identity(&h->preprocessor))
        return true;
    h->stored = calloc((size_t)hosted_samples_count(h->samples), sizeof *h->stored);
    if (!h->stored)
        problem_add(p, 500, NULL, "out of memory");
    return h->stored != NULL;
}

void hosted_rows_end(hosted_rows *h) {
    free(h->stored);
}

/* Only x may be ragged; where it is, there are no other arrays. */
static const unsigned char *stored_row(const hosted_rows *h, uint64_t i) {
    const hosted_samples *s = h->samples;
    const dataset_array *a = h->preprocessor.array;
    if (h->views)
        return hosted_views_row(h->views, i);
    return dataset_array_row(a, s->span ? s->span[i].begin : s->number[i]);
}

static fmix_status need(const hosted_rows *h, uint64_t i) {
    const hosted_samples *s = h->samples;
    if (h->views)
        return hosted_views_verify(h->views, i);
    dataset_bytes bytes =
        s->span ? dataset_need_span(s->set, &s->span[i], s->fault)
                : dataset_need_row(s->set, h->preprocessor.array, s->number[i], s->fault);
    return bytes == DATASET_TRUE ? FMIX_OK : FMIX_ERROR_LIBRARY;
}

fmix_status hosted_rows_need(const hosted_rows *h, const int64_t *pairing, uint64_t first,
                             uint64_t n) {
    fmix_status status = FMIX_OK;
    for (uint64_t i = first; i < first + n && status == FMIX_OK; i++) {
        status = need(h, i);
        if (status == FMIX_OK)
            status = need(h, (uint64_t)pairing[i]);
    }
    return status;
}

void hosted_rows_locate(hosted_rows *h) {
    uint64_t count = h->stored ? hosted_samples_count(h->samples) : 0;
    for (uint64_t i = 0; i < count; i++)
        h->stored[i] = stored_row(h, i);
}

/* ---- rows that are preprocessed before they are mixed ---- */

#define PREPROCESSED_BYTES (256u << 10)

static uint64_t rows_at_once(const hosted_rows *h) {
    uint64_t n = PREPROCESSED_BYTES / h->preprocessor.row_bytes;
    return n ? n : 1;
}

/* Room for the preprocessor, then for rows and for their partners. */
static uint64_t room_bytes(const hosted_rows *h) {
    return preprocessor_room(&h->preprocessor) + 2 * rows_at_once(h) * h->preprocessor.row_bytes;
}

/* Preprocesses sample i. */
static fmix_status preprocess(const hosted_rows *h, uint64_t i, unsigned char *room, void *out) {
    const preprocessor_row row = {
        .stored = stored_row(h, i),
        .length = h->preprocessor.longest ? hosted_samples_length(h->samples, i) : 0,
        .t = hosted_samples_t(h->samples, i),
        .neighbour = hosted_samples_is_neighbour(h->samples, i)};
    return preprocessor_run(&h->preprocessor, &row, room, out);
}

/* Preprocesses rows first … first+n-1 of the batch and their partners, then mixes the results. */
static fmix_status preprocess_and_mix(const hosted_rows *h, const mixer_rows *rows,
                                      const fmix_batch *of, fmix_scratch *scratch, uint64_t first,
                                      uint64_t n, unsigned char *room, void *out) {
    size_t bytes = (size_t)h->preprocessor.row_bytes;
    unsigned char *x = room + preprocessor_room(&h->preprocessor), *x2 = x + n * bytes;
    fmix_status status = FMIX_OK;
    for (uint64_t i = 0; i < n && status == FMIX_OK; i++) {
        status = preprocess(h, first + i, room, x + i * bytes);
        if (status == FMIX_OK)
            status = preprocess(h, (uint64_t)of->pairing[first + i], room, x2 + i * bytes);
    }
    fmix_batch batch = *of;
    batch.x = x;
    batch.x2 = x2;
    batch.base = first;
    return status == FMIX_OK
               ? fmix_mixer_mix(rows->mixer, scratch, &rows->rows, &batch, first, n, out)
               : status;
}

static fmix_status mix_preprocessed(const hosted_rows *h, const mixer_rows *rows,
                                    const fmix_batch *batch, fmix_scratch *scratch, uint64_t first,
                                    uint64_t n, unsigned char *out) {
    const preprocessor *r = &h->preprocessor;
    uint64_t out_bytes = r->elements * r->channels * fmix_dtype_bytes(batch->out_dtype);
    uint64_t most = rows_at_once(h);
    unsigned char *room = malloc((size_t)room_bytes(h));
    fmix_status status = room ? FMIX_OK : FMIX_ERROR_MEMORY;
    for (uint64_t i = 0; i < n && status == FMIX_OK; i += most) {
        uint64_t count = n - i < most ? n - i : most;
        status = preprocess_and_mix(h, rows, batch, scratch, first + i, count, room,
                                    out + i * out_bytes);
    }
    free(room);
    return status;
}

/* ---- */

#define TRIES 3 /* at rows of files that are touched meanwhile */

static fmix_status mix(const hosted_rows *h, const mixer_rows *rows, const fmix_batch *batch,
                       fmix_scratch *scratch, uint64_t begin, uint64_t n, void *out) {
    fmix_status status = h->views ? hosted_views_need(h->views, scratch, begin, n, batch->pairing)
                                  : hosted_rows_need(h, batch->pairing, begin, n);
    if (status != FMIX_OK)
        return status;
    return h->stored ? fmix_mixer_mix(rows->mixer, scratch, &rows->rows, batch, begin, n, out)
                     : mix_preprocessed(h, rows, batch, scratch, begin, n, out);
}

/* Pages of a file that cannot be read are zeros, and a file may be altered after its bytes were
 * verified. */
fmix_status hosted_rows_mix(const hosted_rows *h, const mixer_rows *rows, const fmix_batch *batch,
                            fmix_scratch *scratch, uint64_t first, uint64_t n, void *out) {
    const dataset *set = h->samples->set;
    for (unsigned tries = 0; tries < TRIES; tries++) {
        uint64_t reading = dataset_read_begin(set);
        fmix_status status = mix(h, rows, batch, scratch, rows->first + first, n, out);
        if (dataset_read_ended(set, reading))
            return status;
    }
    return FMIX_ERROR_LIBRARY;
}

bool hosted_rows_lie(const hosted_rows *h) {
    const hosted_samples *s = h->samples;
    return h->stored && !h->views && !s->span && !s->shuffles && !s->neighbours;
}

const void *hosted_rows_lend(const hosted_rows *h, uint64_t first, uint64_t n, uint64_t begun) {
    const hosted_samples *s = h->samples;
    const dataset_array *a = h->preprocessor.array;
    const unsigned char *bytes = dataset_array_row(a, s->number[first]);
    for (uint64_t i = first; i < first + n; i++)
        if (need(h, i) != FMIX_OK)
            return NULL;
    mapped_file_load(&a->file, (size_t)(bytes - a->file.bytes), (size_t)(n * a->row_bytes));
    return dataset_read_ended(s->set, begun) ? bytes : NULL;
}

uint64_t hosted_rows_memory(const hosted_rows *h) {
    uint64_t of_views = h->views ? hosted_views_memory(h->views) : 0;
    return of_views + (h->stored ? sizeof *h->stored * hosted_samples_count(h->samples) : 0);
}

uint64_t hosted_rows_working(const hosted_rows *h) {
    uint64_t of_views = h->views ? h->views->working : 0;
    return of_views + (h->stored ? 0 : room_bytes(h));
}

double hosted_rows_verification(const hosted_rows *h) {
    const hosted_samples *s = h->samples;
    const dataset *set = s->set;
    const dataset_array *a = h->views ? h->views->array : h->preprocessor.array;
    uint64_t bytes = h->views      ? a->file.length / set->count + 1
                     : set->ragged ? a->row_bytes * (set->steps / set->count + 1)
                                   : a->row_bytes;
    return dataset_read_cost(set, dataset_array_number(set, a), hosted_samples_count(s), bytes,
                             hosted_samples_scatter(s));
}

/* Nanoseconds to preprocess an element of a row and the same element of its partner. Bytes are
 * looked up. Other types are computed, and rounding to 16 bits takes as long again. */
static double element_cost(const preprocessor *r) {
    bool narrow = r->normalises && fmix_dtype_bytes(r->normal.out_dtype) == 2;
    return r->array->type == DTYPE_U8 ? 2 : narrow ? 12 : 6;
}

double hosted_rows_cost(const hosted_rows *h) {
    const preprocessor *r = &h->preprocessor;
    double of_views = h->views ? hosted_views_cost(h->views) : 0;
    return of_views + (h->stored ? 0 : element_cost(r) * (double)r->elements * (double)r->channels);
}
