#include "slicing.h"

#define SLICE_COST 1e6 /* estimated nanoseconds */

static double row_cost_of(const tensor *t, bool lent) {
    double bytes = (double)t->row_bytes;
    return lent ? SLICING_LEND_COST * bytes : t->row_cost + SLICING_WRITE_COST * bytes;
}

static uint64_t rows_of_slice(const tensor *t, double row_cost, uint64_t bytes, uint64_t most) {
    uint64_t by_bytes = t->row_bytes ? bytes / t->row_bytes : bytes;
    uint64_t by_cost = row_cost > 0 ? (uint64_t)(SLICE_COST / row_cost) : by_bytes;
    uint64_t rows = by_bytes < by_cost ? by_bytes : by_cost;
    rows = rows < most ? rows : most;
    return rows < 1 ? 1 : rows;
}

static slicing_part *add(slicing *all, const tensor *t, uint64_t begin, uint64_t end, bool lent) {
    slicing_part *part = &all->each[all->count++];
    *part =
        (slicing_part){.from = t, .begin = begin, .end = end, .first = all->slices, .lent = lent};
    part->row_cost = row_cost_of(t, lent);
    part->rows = rows_of_slice(t, part->row_cost, lent ? SLICING_LENT : SLICING_BYTES, end - begin);
    part->slices = (end - begin + part->rows - 1) / part->rows;
    all->slices += part->slices;
    return part;
}

void slicing_init(slicing *all) {
    all->count = 0;
    all->slices = 0;
}

slicing_part *slicing_add(slicing *all, const tensor *t, uint64_t begin, uint64_t end) {
    return add(all, t, begin, end, false);
}

slicing_part *slicing_add_bytes(slicing *all, const tensor *t, uint64_t from, uint64_t to) {
    if (from >= to)
        return add(all, t, 0, 0, t->lend != NULL);
    return add(all, t, from / t->row_bytes, (to - 1) / t->row_bytes + 1, t->lend != NULL);
}

const slicing_part *slicing_find(const slicing *all, uint64_t slice) {
    unsigned i = 0;
    while (slice >= all->each[i].first + all->each[i].slices)
        i++;
    return &all->each[i];
}

uint64_t slicing_part_rows(const slicing_part *part, uint64_t slice, uint64_t *first) {
    *first = part->begin + (slice - part->first) * part->rows;
    uint64_t left = part->end - *first;
    return left < part->rows ? left : part->rows;
}

uint64_t slicing_slice_bytes(const slicing *all) {
    uint64_t largest = 0;
    for (unsigned i = 0; i < all->count; i++) {
        const slicing_part *part = &all->each[i];
        uint64_t bytes = part->lent || part->slices == 0 ? 0 : part->rows * part->from->row_bytes;
        largest = bytes > largest ? bytes : largest;
    }
    return largest;
}

uint64_t slicing_tensor_bytes(const slicing *all) {
    uint64_t bytes = 0;
    for (unsigned i = 0; i < all->count; i++)
        bytes += tensor_bytes(all->each[i].from);
    return bytes;
}

bool slicing_lends(const slicing *all) {
    bool lends = false;
    for (unsigned i = 0; i < all->count; i++)
        lends = lends || (all->each[i].lent && all->each[i].slices);
    return lends;
}

double slicing_slice_cost(const slicing *all, uint64_t slice) {
    uint64_t first;
    const slicing_part *part = slicing_find(all, slice);
    return part->row_cost * (double)slicing_part_rows(part, slice, &first);
}

double slicing_longest(const slicing *all) {
    double longest = 0;
    for (unsigned i = 0; i < all->count; i++) {
        const slicing_part *part = &all->each[i];
        double cost = part->slices ? part->row_cost * (double)part->rows : 0;
        longest = cost > longest ? cost : longest;
    }
    return longest;
}

double slicing_cost(const slicing *all) {
    double cost = 0;
    for (unsigned i = 0; i < all->count; i++)
        cost += all->each[i].row_cost * (double)(all->each[i].end - all->each[i].begin);
    return cost;
}
