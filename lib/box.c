#include "box.h"

#include <string.h>

/* 128 bits hold n^3 * 2^32, with n up to 2^24 */
typedef struct wide {
    uint64_t high, low;
} wide;

static wide wide_times(wide a, uint32_t b) {
    uint64_t p0 = (a.low & UINT32_MAX) * b;
    uint64_t p1 = (a.low >> 32) * b + (p0 >> 32);
    return (wide){a.high * b + (p1 >> 32), p1 << 32 | (p0 & UINT32_MAX)};
}

/* a * 2^32 for a below 2^96 */
static wide wide_shift(wide a) {
    return (wide){a.high << 32 | a.low >> 32, a.low << 32};
}

static bool wide_at_most(wide a, wide b) {
    return a.high != b.high ? a.high < b.high : a.low <= b.low;
}

static wide power(uint32_t n, unsigned rank) {
    wide p = {0, 1};
    for (unsigned i = 0; i < rank; i++)
        p = wide_times(p, n);
    return p;
}

uint32_t fmix_box_side(uint32_t n, unsigned rank, uint64_t lambda) {
    uint64_t cut = FMIX_LAMBDA_ONE - lambda;
    if (cut == FMIX_LAMBDA_ONE)
        return n;
    wide limit = wide_times(power(n, rank), (uint32_t)cut);
    uint32_t low = 0, high = n; /* low fits, high does not */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (wide_at_most(wide_shift(power(middle, rank)), limit))
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Along one side of n elements: r elements from a start, or clipped around a centre. */
static void place(fmix_box kind, uint32_t n, uint32_t r, uint32_t word, uint32_t *start,
                  uint32_t *size) {
    if (kind == FMIX_BOX_INSIDE) {
        *start = (uint32_t)((uint64_t)word * (n - r + 1) >> 32);
        *size = r;
        return;
    }
    uint32_t centre = (uint32_t)((uint64_t)word * n >> 32);
    uint32_t before = r / 2, after = r - before; /* elements from the centre on */
    uint32_t end = n - centre < after ? n : centre + after;
    *start = centre > before ? centre - before : 0;
    *size = r ? end - *start : 0;
}

void fmix_box_place(const fmix_plan *plan, uint64_t t, fmix_row *row) {
    const fmix_recipe *recipe = &plan->recipe;
    uint32_t w[4];
    uint64_t area = 1;
    fmix_words_block(&plan->box_key, t, 0, w);
    for (unsigned d = 0; d < recipe->shape.rank; d++) {
        uint32_t n = recipe->shape.side[d];
        uint32_t r = fmix_box_side(n, recipe->shape.rank, row->lambda);
        place(recipe->box, n, r, w[d], &row->box_start[d], &row->box_size[d]);
        area *= row->box_size[d];
    }
    row->ones = plan->elements - area;
}

void fmix_box_draw(const fmix_shape *shape, const fmix_row *row, unsigned char *mask) {
    fmix_sides sides = fmix_shape_sides(shape);
    uint32_t start[3] = {0, 0, 0}, size[3] = {1, 1, 1};
    for (unsigned d = 0; d < shape->rank; d++) {
        start[3 - shape->rank + d] = row->box_start[d];
        size[3 - shape->rank + d] = row->box_size[d];
    }
    memset(mask, 1, (size_t)sides.n[0] * sides.n[1] * sides.n[2]);
    for (uint32_t i = start[0]; i < start[0] + size[0]; i++)
        for (uint32_t j = start[1]; j < start[1] + size[1]; j++)
            memset(mask + ((size_t)i * sides.n[1] + j) * sides.n[2] + start[2], 0, size[2]);
}
