#include "outline.h"

void outline_init(outline *l) {
    l->count = 0;
    l->length = 0;
}

void outline_free(outline *l) {
    for (unsigned i = 0; i < l->count; i++)
        buffer_free(&l->segments[i].literal);
    outline_init(l);
}

static segment *append(outline *l, uint64_t length) {
    if (l->count == OUTLINE_SEGMENTS || length > (uint64_t)INT64_MAX - l->length)
        return NULL;
    segment *s = &l->segments[l->count++];
    *s = (segment){.length = length};
    l->length += length;
    return s;
}

bool outline_literal(outline *l, buffer *bytes) {
    segment *s = bytes->failed ? NULL : append(l, bytes->length);
    if (!s) {
        buffer_free(bytes);
        return false;
    }
    s->literal = *bytes;
    return true;
}

bool outline_tensor(outline *l, const tensor *t) {
    segment *s = append(l, tensor_bytes(t));
    if (s)
        s->from = t;
    return s != NULL;
}
