#include "buffer.h"
#include "large_memory.h"
#include "text.h"

#include <math.h> /* signbit */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAST 128 /* bytes that a buffer grows to */

void buffer_free(buffer *b) {
    buffer_pool_give(b->spares, (pooled_buffer){.bytes = b->bytes, .room = b->room});
    budget_give(b->payer, b->room);
    *b = (buffer){.cap = b->cap, .payer = b->payer, .spares = b->spares};
}

bool buffer_expect(buffer *b, size_t length) {
    pooled_buffer one = buffer_pool_find(b->spares, length);
    bool good = one.bytes && !b->bytes && length <= b->cap && budget_take(b->payer, one.room);
    if (good) {
        b->bytes = one.bytes;
        b->room = one.room;
    } else {
        buffer_pool_give(b->spares, one);
    }
    return good;
}

/* False: there is not enough memory, and the buffer is unchanged. */
static bool grow(buffer *b, size_t length) {
    size_t more = length - b->room;
    b->starved = !budget_take(b->payer, more);
    b->wanted = length;
    unsigned char *bytes = b->starved ? NULL : realloc(b->bytes, length);
    if (!bytes) {
        if (!b->starved)
            budget_give(b->payer, more);
        return false;
    }
    b->bytes = bytes;
    b->room = length;
    return true;
}

bool buffer_reserve(buffer *b, size_t length) {
    bool grows = length > b->room;
    b->failed = b->failed || length > b->cap || (grows && !grow(b, length));
    if (grows && !b->failed)
        large_memory_ask_huge(b->bytes, length);
    return !b->failed;
}

/* Doubles the room, so that many small additions copy little. Where memory is short, it tries less,
 * down to what is needed. */
static bool grow_ahead(buffer *b, size_t needed) {
    size_t ahead = b->room > b->cap / 2 ? b->cap : 2 * b->room;
    ahead = ahead < LEAST ? LEAST : ahead;
    ahead = ahead > b->cap ? b->cap : ahead;
    size_t extra = ahead > needed ? ahead - needed : 0;
    while (!grow(b, needed + extra)) {
        if (extra == 0)
            return false;
        extra /= 4;
    }
    return true;
}

bool buffer_add(buffer *b, const void *bytes, size_t length) {
    if (b->failed || length > b->cap - b->length) {
        b->failed = true;
        return false;
    }
    size_t needed = b->length + length;
    if (needed > b->room && !grow_ahead(b, needed)) {
        b->failed = true;
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

bool buffer_number(buffer *b, uint64_t number) {
    char digits[TEXT_DIGITS], *end = digits + sizeof digits;
    const char *first = text_number(number, 1, end);
    return buffer_add(b, first, (size_t)(end - first));
}

/* Whole numbers below this print the same either way, and most numbers are whole. */
#define WHOLE 1e15

bool buffer_real(buffer *b, double number) {
    if (number >= 0 && !signbit(number) && number < WHOLE && (double)(uint64_t)number == number)
        return buffer_number(b, (uint64_t)number);
    return buffer_print(b, "%.17g", number);
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
