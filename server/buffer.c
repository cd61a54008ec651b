#include "buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAST 128 /* that a buffer grows to, so that a line of pieces is not copied for each */

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
        size_t grown = b->room > b->cap / 2 ? b->cap : 2 * b->room;
        grown = grown < LEAST ? LEAST : grown;
        grown = grown > b->cap ? b->cap : grown;
        if (!buffer_reserve(b, grown > needed ? grown : needed))
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
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    return buffer_add(b, digits + at, sizeof digits - at);
}

/* Whole numbers up to here print the same either way, and are most of what is asked for. */
#define WHOLE 1e15

bool buffer_real(buffer *b, double number) {
    if (number > 0 && number < WHOLE && (double)(uint64_t)number == number)
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
