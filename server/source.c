#include "source.h"

#include <stdlib.h>

source *source_new(uint64_t rows) {
    source *s = calloc(1, sizeof *s);
    if (s)
        s->rows = rows;
    return s;
}

void source_free(source *s) {
    if (!s)
        return;
    if (s->destroy)
        s->destroy(s);
    free(s->recipe);
    free(s);
}

bool source_add(source *s, const char *name, dtype type, unsigned sides, const uint64_t *side,
                double row_cost, tensor_fill *fill) {
    if (s->count == SOURCE_TENSORS || sides + 1 > TENSOR_RANK)
        return false;
    tensor *t = &s->tensors[s->count];
    *t =
        (tensor){.name = name, .type = type, .rank = sides + 1, .row_cost = row_cost, .fill = fill};
    t->shape[0] = s->rows;
    t->row_bytes = dtype_table[type].size;
    for (unsigned d = 0; d < sides; d++) {
        t->shape[d + 1] = side[d];
        if (side[d] && t->row_bytes > (uint64_t)INT64_MAX / side[d])
            return false;
        t->row_bytes *= side[d];
    }
    if (s->rows && t->row_bytes > (uint64_t)INT64_MAX / s->rows)
        return false;
    s->count++;
    return true;
}

void source_note(source *s, const char *name, uint64_t value) {
    if (s->metas < SOURCE_METADATA)
        s->meta[s->metas++] = (metadata){name, value};
}

uint64_t tensor_bytes(const tensor *t) {
    return t->shape[0] * t->row_bytes;
}
