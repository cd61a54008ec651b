#include "body_window.h"

#include <stdint.h>

void body_window_fill(body_window *w, const char *block, size_t length) {
    w->block = block;
    w->length = length;
    w->bytes = NULL;
}

void body_window_open(body_window *w, const char *block, const void *bytes, size_t length) {
    w->block = block;
    w->length = length;
    w->bytes = bytes;
}

const void *body_window_find(body_window *w, const void *sent, size_t length) {
    uintptr_t block = (uintptr_t)w->block, at = (uintptr_t)sent;
    if (!w->block || length == 0 || at < block || at - block > w->length ||
        length > w->length - (at - block))
        return NULL;
    w->seen = true;
    return w->bytes ? w->bytes + (at - block) : NULL;
}
