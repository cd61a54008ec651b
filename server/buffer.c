#include "buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buffer_free(buffer *b) {
    free(b->bytes);
    budget_give(b->payer, b->room);
    *b = buffer_paid(b->cap, b->payer);
}

bool buffer_reserve(buffer *b, size_t length) {
    if (b->failed || length > b->cap) {
        b->failed = true;
        return false;
    }
    if (length <= b->room)
        return true;
    size_t more = length - b->room;
    b->starved = !budget_take(b->payer, more);
    unsigned char *bytes = b->starved ? NULL : realloc(b->bytes, length);
    if (!bytes) {
        if (!b->starved)
            budget_give(b->payer, more);
        b->failed = true;
        return false;
    }
    b->bytes = bytes;
    b->room = length;
    return true;
}

bool buffer_add(buffer *b, const void *bytes, size_t length) {
    if (b->failed || length > b->cap - b->length) {
        b->failed = true;
        return false;
    }
    size_t needed = b->length + length;
    if (needed > b->room) {
        size_t doubled = b->room > b->cap / 2 ? b->cap : 2 * b->room;
        if (!buffer_reserve(b, doubled > needed ? doubled : needed))
            return false;
    }
    if (length)
        memcpy(b->bytes + b->length, bytes, length);
    b->length += length;
    return true;
}

bool buffer_text(buffer *b, const char *text) {
    return buffer_add(b, text, strlen(text));
}

bool buffer_print(buffer *b, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof text) {
        b->failed = true;
        return false;
    }
    return buffer_add(b, text, (size_t)length);
}
