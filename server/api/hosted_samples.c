#include "hosted_samples.h"
#include "datasets/dataset_part.h"

#include <stdlib.h>

/* The zeros of calloc take no memory until a compute thread, after the answer is admitted, writes
 * the numbers. */
bool hosted_samples_begin(hosted_samples *h, problem *p) {
    bool ragged = h->set->ragged;
    h->number = calloc((size_t)hosted_samples_count(h), sizeof *h->number);
    h->t = ragged ? calloc((size_t)h->at.rows, sizeof *h->t) : NULL;
    h->span = ragged ? calloc((size_t)hosted_samples_count(h), sizeof *h->span) : NULL;
    bool good = h->number && ((h->t && h->span) || !ragged);
    if (!good)
        problem_add(p, 500, NULL, "out of memory");
    return good;
}

void hosted_samples_end(hosted_samples *h) {
    free(h->number);
    free(h->t);
    free(h->span);
}

static fmix_status status_of(dataset_bytes bytes) {
    return bytes == DATASET_TRUE ? FMIX_OK : FMIX_ERROR_LIBRARY;
}

static fmix_status find_neighbours(hosted_samples *h) {
    uint64_t rows = h->at.rows, j = 0;
    fmix_status status = FMIX_OK;
    for (uint64_t i = 0; i < rows && status == FMIX_OK; i++) {
        status = fmix_neighbour(h->seed, hosted_samples_t(h, i), h->set->neighbours.k, &j);
        if (status == FMIX_OK)
            status = status_of(
                dataset_neighbour(h->set, h->number[i], j, h->fault, &h->number[rows + i]));
    }
    return status;
}

static fmix_status find_length(const void *self, uint64_t sample, uint64_t *length) {
    const hosted_samples *h = self;
    dataset_span span = {0};
    fmix_status status = status_of(dataset_find_span(h->set, sample, h->fault, &span));
    *length = span.length;
    return status;
}

/* The samples of a batch of sequences, in order of length. */
static fmix_status find_sequences(hosted_samples *h) {
    const fmix_bucket bucket = {.seed = h->seed,
                                .epoch = h->epoch,
                                .samples = h->set->count,
                                .batch = h->size,
                                .windows = h->bucket,
                                .shuffles = h->shuffles,
                                .length = find_length,
                                .self = h};
    uint64_t rows;
    fmix_status status = fmix_bucket_batch(&bucket, h->at.first / h->size, &rows, h->number, h->t);
    if (status == FMIX_OK)
        h->at.t = h->t[0];
    return status;
}

/* From here on spans are those that were checked, whatever becomes of the file. */
static fmix_status find_spans(hosted_samples *h) {
    fmix_status status = FMIX_OK;
    for (uint64_t i = 0; i < hosted_samples_count(h) && status == FMIX_OK; i++)
        status = status_of(dataset_find_span(h->set, h->number[i], h->fault, &h->span[i]));
    return status;
}

static fmix_status find_places(hosted_samples *h) {
    const batch_address *at = &h->at;
    fmix_status status = FMIX_OK;
    for (uint64_t i = 0; i < at->rows; i++)
        h->number[i] = at->first + i;
    if (h->shuffles)
        status = fmix_shuffle(h->seed, h->epoch, h->set->count, at->first, at->rows, h->number);
    return status;
}

fmix_status hosted_samples_find(hosted_samples *h) {
    fmix_status status = (h->set->ragged ? find_sequences : find_places)(h);
    if (status == FMIX_OK && h->neighbours)
        status = find_neighbours(h);
    return status == FMIX_OK && h->set->ragged ? find_spans(h) : status;
}

uint64_t hosted_samples_count(const hosted_samples *h) {
    return h->neighbours ? 2 * h->at.rows : h->at.rows;
}

bool hosted_samples_is_neighbour(const hosted_samples *h, uint64_t i) {
    return i >= h->at.rows;
}

uint64_t hosted_samples_length(const hosted_samples *h, uint64_t i) {
    return h->span[i].length;
}

uint64_t hosted_samples_longest(const hosted_samples *h) {
    uint64_t longest = 0;
    for (uint64_t i = 0; i < hosted_samples_count(h); i++) {
        uint64_t length = hosted_samples_length(h, i);
        longest = length > longest ? length : longest;
    }
    return longest;
}

uint64_t hosted_samples_t(const hosted_samples *h, uint64_t i) {
    uint64_t row = hosted_samples_is_neighbour(h, i) ? i - h->at.rows : i;
    return h->t ? h->t[row] : h->at.t + row;
}

uint64_t hosted_samples_memory(const hosted_samples *h) {
    uint64_t count = hosted_samples_count(h);
    return sizeof *h->number * count + (h->t ? sizeof *h->t * h->at.rows : 0) +
           (h->span ? sizeof *h->span * count : 0);
}

bool hosted_samples_scatter(const hosted_samples *h) {
    return h->shuffles || h->neighbours || (h->span && h->bucket > 1);
}

double hosted_samples_cost(const hosted_samples *h) {
    double row = (h->shuffles ? 150 : 10) + (h->neighbours ? 500 : 0);
    double cost = row * (double)h->at.rows;
    if (h->neighbours)
        cost += dataset_read_cost(h->set, dataset_part_number(h->set, DATASET_PART_NEIGHBOURS, 0),
                                  h->at.rows, 8 * h->set->neighbours.k, h->shuffles);
    return cost;
}
