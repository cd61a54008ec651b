#include "buffered_body.h"

void buffered_body_init(buffered_body *b, budget_payer payer, buffer_pool *pool) {
    *b = (buffered_body){.encoded = {.cap = FORMAT_BUILT_MOST, .payer = payer, .spares = pool}};
}

static void free_rows(buffered_body *b) {
    buffer_pool_give(b->encoded.spares, b->rows);
    b->rows = (pooled_buffer){0};
}

void buffered_body_free(buffered_body *b) {
    free_rows(b);
    buffer_free(&b->encoded);
}

bool buffered_body_plan(const tensor_source *s, const format *f, slicing *out, double *cost,
                        problem *p) {
    uint64_t elements = 0, bytes = 0;
    for (unsigned i = 0; i < s->count; i++) {
        const tensor *t = &s->tensors[i];
        if (f->all || i == s->main) {
            uint64_t nodes = tensor_nodes(t);
            elements = nodes > UINT64_MAX - elements ? UINT64_MAX : elements + nodes;
            slicing_add(out, t, 0, t->rows)->offset = bytes;
            bytes += (tensor_bytes(t) + 7) / 8 * 8;
        }
    }
    *cost = f->cost(s, elements);
    if (elements <= f->most)
        return true;
    problem_add(p, 413, NULL,
                "%s holds at most %llu elements and lists, and this answer has %llu: ask for fewer "
                "samples, for some of the parts, or for npy or raw, which have no limit",
                f->name, (unsigned long long)f->most, (unsigned long long)elements);
    return false;
}

uint64_t buffered_body_memory(const tensor_source *s, const format *f, const slicing *all) {
    return slicing_tensor_bytes(all) + (f->working ? f->working(s) : 0);
}

uint64_t buffered_body_least(const tensor_source *s, const format *f) {
    return f->least ? f->least(s) : 0;
}

bool buffered_body_begin(buffered_body *b, const slicing *all) {
    const slicing_part *last = &all->each[all->count - 1];
    uint64_t bytes = last->offset + tensor_bytes(last->from) + 1;
    b->rows = buffer_pool_take(b->encoded.spares, (size_t)bytes);
    return b->rows.bytes != NULL;
}

unsigned char *buffered_body_room(const buffered_body *b, const slicing_part *part,
                                  uint64_t first) {
    return b->rows.bytes + part->offset + first * part->from->row_bytes;
}

bool buffered_body_encode(buffered_body *b, const tensor_source *s, const format *f,
                          const slicing *all) {
    const unsigned char *data[SOURCE_TENSORS] = {0};
    for (unsigned i = 0; i < all->count; i++) {
        const slicing_part *part = &all->each[i];
        data[part->from - s->tensors] = b->rows.bytes + part->offset;
    }
    bool good = f->encode(s, data, &b->encoded) && !b->encoded.failed;
    free_rows(b);
    return good;
}

int64_t buffered_body_peek(const buffered_body *b, uint64_t offset, size_t room, const void **out) {
    if (offset >= b->encoded.length)
        return -1;
    uint64_t left = b->encoded.length - offset;
    *out = b->encoded.bytes + offset;
    return (int64_t)(left < room ? left : room);
}
