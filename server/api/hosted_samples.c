#include "hosted_samples.h"

#include <stdlib.h>

/* The zeros of calloc take no memory until a compute thread, after the answer is admitted, writes
 * the numbers. */
bool hosted_samples_begin(hosted_samples *h, problem *p) {
    h->number = calloc((size_t)hosted_samples_count(h), sizeof *h->number);
    if (!h->number)
        problem_add(p, 500, NULL, "out of memory");
    return h->number != NULL;
}

void hosted_samples_end(hosted_samples *h) {
    free(h->number);
}

static fmix_status find_neighbours(hosted_samples *h) {
    uint64_t rows = h->at.rows, j = 0;
    fmix_status status = FMIX_OK;
    for (uint64_t i = 0; i < rows && status == FMIX_OK; i++) {
        status = fmix_neighbour(h->seed, hosted_samples_t(h, i), h->set->neighbours.k, &j);
        h->number[rows + i] = dataset_neighbour(h->set, h->number[i], j);
    }
    return status;
}

fmix_status hosted_samples_find(hosted_samples *h) {
    const batch_address *at = &h->at;
    fmix_status status = FMIX_OK;
    for (uint64_t i = 0; i < at->rows; i++)
        h->number[i] = at->first + i;
    if (h->shuffles)
        status = fmix_shuffle(h->seed, h->epoch, h->set->count, at->first, at->rows, h->number);
    return status == FMIX_OK && h->neighbours ? find_neighbours(h) : status;
}

uint64_t hosted_samples_count(const hosted_samples *h) {
    return h->neighbours ? 2 * h->at.rows : h->at.rows;
}

bool hosted_samples_is_neighbour(const hosted_samples *h, uint64_t i) {
    return i >= h->at.rows;
}

uint64_t hosted_samples_t(const hosted_samples *h, uint64_t i) {
    uint64_t row = hosted_samples_is_neighbour(h, i) ? i - h->at.rows : i;
    return h->t ? h->t[row] : h->at.t + row;
}

uint64_t hosted_samples_memory(const hosted_samples *h) {
    return sizeof *h->number * hosted_samples_count(h);
}

double hosted_samples_cost(const hosted_samples *h) {
    double row = (h->shuffles ? 150 : 10) + (h->neighbours ? 500 : 0);
    return row * (double)h->at.rows;
}
