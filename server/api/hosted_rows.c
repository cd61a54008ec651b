#include "hosted_rows.h"

#include <stdlib.h>

/* The zeros of calloc take no memory until a compute thread, after the answer is admitted, writes
 * the sample numbers and the addresses. */
bool hosted_rows_begin(hosted_rows *h, problem *p) {
    bool is_identity = preprocessor_is_identity(&h->preprocessor);
    size_t n = (size_t)h->at.rows;
    h->samples = calloc(n, sizeof *h->samples);
    h->stored = is_identity ? calloc(n, sizeof *h->stored) : NULL;
    if (h->samples && (h->stored || !is_identity))
        return true;
    problem_add(p, 500, NULL, "out of memory");
    return false;
}

void hosted_rows_end(hosted_rows *h) {
    free(h->stored);
    free(h->samples);
}

fmix_status hosted_rows_locate(hosted_rows *h, bool shuffles, uint64_t seed, uint64_t epoch) {
    const batch_address *at = &h->at;
    fmix_status status = FMIX_OK;
    for (uint64_t i = 0; i < at->rows; i++)
        h->samples[i] = at->first + i;
    if (shuffles)
        status = fmix_shuffle(seed, epoch, h->set->count, at->first, at->rows, h->samples);
    for (uint64_t i = 0; h->stored && i < at->rows; i++)
        h->stored[i] = dataset_row(h->set, h->samples[i]);
    return status;
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

static fmix_status preprocess(const hosted_rows *h, uint64_t row, unsigned char *room, void *out) {
    return preprocessor_run(&h->preprocessor, dataset_row(h->set, h->samples[row]), h->at.t + row,
                            room, out);
}

/* Preprocesses rows first … first+n-1 of the batch and their partners, then mixes the results. */
static fmix_status preprocess_and_mix(const hosted_rows *h, const mixed_batch *m,
                                      fmix_scratch *scratch, uint64_t first, uint64_t n,
                                      unsigned char *room, void *out) {
    size_t bytes = (size_t)h->preprocessor.row_bytes;
    unsigned char *x = room + preprocessor_room(&h->preprocessor), *x2 = x + n * bytes;
    fmix_status status = FMIX_OK;
    for (uint64_t i = 0; i < n && status == FMIX_OK; i++) {
        status = preprocess(h, first + i, room, x + i * bytes);
        if (status == FMIX_OK)
            status = preprocess(h, (uint64_t)m->pairing[first + i], room, x2 + i * bytes);
    }
    fmix_batch batch = m->batch;
    batch.x = x;
    batch.x2 = x2;
    batch.base = first;
    return status == FMIX_OK
               ? fmix_mixer_mix(m->rows.mixer, scratch, &m->rows.rows, &batch, first, n, out)
               : status;
}

static fmix_status mix_preprocessed(const hosted_rows *h, const mixed_batch *m,
                                    fmix_scratch *scratch, uint64_t first, uint64_t n,
                                    unsigned char *out) {
    const preprocessor *r = &h->preprocessor;
    uint64_t out_bytes = r->elements * r->channels * fmix_dtype_bytes(m->batch.out_dtype);
    uint64_t most = rows_at_once(h), begin = m->rows.first + first;
    unsigned char *room = malloc((size_t)room_bytes(h));
    fmix_status status = room ? FMIX_OK : FMIX_ERROR_MEMORY;
    for (uint64_t i = 0; i < n && status == FMIX_OK; i += most) {
        uint64_t count = n - i < most ? n - i : most;
        status = preprocess_and_mix(h, m, scratch, begin + i, count, room, out + i * out_bytes);
    }
    free(room);
    return status;
}

/* ---- */

fmix_status hosted_rows_mix(const hosted_rows *h, const mixed_batch *m, fmix_scratch *scratch,
                            uint64_t first, uint64_t n, void *out) {
    return h->stored ? mixed_batch_fill(m, scratch, first, n, out)
                     : mix_preprocessed(h, m, scratch, first, n, out);
}

uint64_t hosted_rows_memory(const hosted_rows *h) {
    return (sizeof *h->samples + (h->stored ? sizeof *h->stored : 0)) * h->at.rows;
}

uint64_t hosted_rows_working(const hosted_rows *h) {
    return h->stored ? 0 : room_bytes(h);
}

double hosted_rows_cost(const hosted_rows *h) {
    return h->stored ? 0 : 4 * (double)(h->preprocessor.elements * h->preprocessor.channels);
}
