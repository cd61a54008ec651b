#include "whole.h"

#define ENCODED_MOST (256u << 20)

void whole_init(whole *w, budget *payer, buffer_pool *spares) {
    *w = (whole){.encoded = {.cap = ENCODED_MOST, .payer = payer, .spares = spares}};
}

void whole_free(whole *w) {
    buffer_pool_give(w->encoded.spares, w->collected);
    w->collected = (pooled_buffer){0};
    buffer_free(&w->encoded);
}

bool whole_plan(const tensor_source *s, const format *f, slicing *out, double *cost, problem *p) {
    uint64_t elements = 0, bytes = 0;
    for (unsigned i = 0; i < s->count; i++) {
        const tensor *t = &s->tensors[i];
        if (f->all || i == s->main) {
            elements += tensor_nodes(t);
            slicing_add(out, t, 0, t->rows)->offset = bytes;
            bytes += (tensor_bytes(t) + 7) / 8 * 8;
        }
    }
    *cost = f->cost * (double)elements;
    if (elements <= f->most)
        return true;
    problem_add(p, 413, NULL,
                "%s is built whole and holds at most %llu elements and lists; this answer has "
                "%llu: ask for fewer, for some parts, or for npy or raw, which have no limit",
                f->name, (unsigned long long)f->most, (unsigned long long)elements);
    return false;
}

bool whole_begin(whole *w, const slicing *all) {
    const slicing_part *last = &all->each[all->count - 1];
    uint64_t bytes = last->offset + tensor_bytes(last->from) + 1;
    w->collected = buffer_pool_take(w->encoded.spares, (size_t)bytes);
    return w->collected.bytes != NULL;
}

unsigned char *whole_room(const whole *w, const slicing_part *c, uint64_t first) {
    return w->collected.bytes + c->offset + first * c->from->row_bytes;
}

bool whole_encode(whole *w, const tensor_source *s, const format *f, const slicing *all) {
    const unsigned char *data[SOURCE_TENSORS] = {0};
    for (unsigned i = 0; i < all->count; i++) {
        const slicing_part *c = &all->each[i];
        data[c->from - s->tensors] = w->collected.bytes + c->offset;
    }
    bool good = f->encode(s, data, &w->encoded) && !w->encoded.failed;
    buffer_pool_give(w->encoded.spares, w->collected);
    w->collected = (pooled_buffer){0};
    return good;
}

uint64_t whole_least(const tensor_source *s, const format *f) {
    return f->least ? f->least(s) : 0;
}
