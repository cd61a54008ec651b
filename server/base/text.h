/*
 * text.h - short texts in arrays, without printf
 */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define TEXT_DIGITS 20 /* of the largest number */

/* Copies as much of a text as fits, and ends it. Returns the bytes copied, without the NUL. */
static inline size_t text_copy(char *out, size_t room, const char *text) {
    size_t length = strnlen(text, room - 1);
    memcpy(out, text, length);
    out[length] = 0;
    return length;
}

/* Writes a number in decimal, with zeros before it up to `least` digits, so that it ends before
 * `end`. Returns its first digit. */
static inline char *text_number(uint64_t number, unsigned least, char *end) {
    for (char *at = end;; number /= 10) {
        if (number == 0 && end - at >= (ptrdiff_t)least)
            return at;
        *--at = (char)('0' + number % 10);
    }
}

#endif
