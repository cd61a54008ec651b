#include "tensor_source.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

tensor_source *tensor_source_new(uint64_t rows) {
    tensor_source *s = malloc(sizeof *s);
    if (!s)
        return NULL;
    memset(s, 0, offsetof(tensor_source, meta));
    s->rows = rows;
    return s;
}

void tensor_source_free(tensor_source *s) {
    if (!s)
        return;
    if (s->destroy)
        s->destroy(s->self);
    free(s->recipe);
    free(s);
}

static bool multiply_capped(uint64_t *product, uint64_t factor) {
    if (factor && *product > (uint64_t)INT64_MAX / factor)
        return false;
    *product *= factor;
    return true;
}

/* Nanoseconds to plan a transform, with the pages that its first run touches. Measured: 1024
 * elements 2.4 ms, 224x224 1.7, 512x512 8, 524288 60. */
#define PLANNING_COST    1.5e6
#define PLANNING_ELEMENT 30

void tensor_source_set_warm(tensor_source *s, bool made, uint64_t elements) {
    s->warm = made;
    s->first_cost = made ? 0 : PLANNING_COST + PLANNING_ELEMENT * (double)elements;
}

/* The sides before the sides of a sample: [rows], or [batches, rows of one batch]. */
static unsigned leading(const tensor_source *s, uint64_t *shape) {
    if (!s->batches) {
        shape[0] = s->rows;
        return 1;
    }
    shape[0] = s->batches;
    shape[1] = s->rows / s->batches;
    return 2;
}

bool tensor_source_add(tensor_source *s, const char *name, dtype type, unsigned sides,
                       const uint64_t *side, double row_cost, tensor_fill *fill, const void *self) {
    if (s->count == SOURCE_TENSORS || sides + 1 + (s->batches > 0) > TENSOR_RANK)
        return false;
    tensor *t = &s->tensors[s->count];
    *t = (tensor){.name = name, .type = type, .row_cost = row_cost, .fill = fill, .self = self};
    t->rows = s->rows;
    t->rank = leading(s, t->shape);
    t->row_bytes = dtype_table[type].size;
    for (unsigned d = 0; d < sides; d++) {
        t->shape[t->rank++] = side[d];
        if (!multiply_capped(&t->row_bytes, side[d]))
            return false;
    }
    uint64_t bytes = t->row_bytes;
    if (!multiply_capped(&bytes, t->rows))
        return false;
    s->count++;
    return true;
}

bool tensor_source_add_batches(tensor_source *s, const char *name, dtype type, uint64_t samples,
                               double batch_cost, tensor_fill *fill, const void *self) {
    if (!tensor_source_add(s, name, type, 0, NULL, batch_cost, fill, self))
        return false;
    tensor *t = &s->tensors[s->count - 1];
    t->rows = s->rows / samples;
    t->row_bytes *= samples;
    return true;
}

void tensor_source_note(tensor_source *s, const char *name, uint64_t value) {
    if (s->metas < SOURCE_METADATA)
        s->meta[s->metas++] = (metadata){name, value};
}

void tensor_source_draw(tensor_source *s, channels_place channels) {
    tensor *t = &s->tensors[s->count - 1];
    unsigned own = channels != CHANNELS_NOWHERE, rank = t->rank;
    const uint64_t *side = t->shape + 1 + (channels == CHANNELS_BEFORE);
    if (rank < 2 + own || rank > 4 + own)
        return;
    unsigned sides = rank - 1 - own;
    t->image = (image_shape){.sides = sides,
                             .slices = sides > 2 ? side[0] : 1,
                             .height = sides > 1 ? side[sides - 2] : 1,
                             .width = side[sides - 1],
                             .channels = 1,
                             .apart = channels == CHANNELS_BEFORE};
    if (own)
        t->image.channels = t->image.apart ? t->shape[1] : t->shape[rank - 1];
}

uint64_t tensor_bytes(const tensor *t) {
    return t->rows * t->row_bytes;
}

uint64_t tensor_nodes(const tensor *t) {
    uint64_t nodes = 1, lists = 1;
    for (unsigned d = 0; d < t->rank; d++) {
        lists *= t->shape[d];
        nodes = nodes > UINT64_MAX - lists ? UINT64_MAX : nodes + lists;
    }
    return nodes;
}
