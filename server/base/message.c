#include "message.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Decodes the character at `at`. Returns its length, or 0 if it is not valid (RFC 3629 §4: overlong
 * forms, surrogates and numbers beyond U+10FFFF are not). */
static size_t decode(const unsigned char *at, uint32_t *out) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = at[0] < 0x80                    ? 1
                    : at[0] >= 0xc2 && at[0] < 0xe0 ? 2
                    : at[0] >= 0xe0 && at[0] < 0xf0 ? 3
                    : at[0] >= 0xf0 && at[0] < 0xf5 ? 4
                                                    : 0;
    uint32_t number = length > 1 ? at[0] & (0xffu >> (length + 1)) : at[0];
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0; /* or the text ends */
        number = number << 6 | (at[i] & 0x3fu);
    }
    if (length == 0 || number < least[length] || number > 0x10ffff ||
        (number >= 0xd800 && number < 0xe000))
        return 0;
    *out = number;
    return length;
}

/* Returns true if a terminal shows the character rather than obeys it. */
static bool is_plain(uint32_t c) {
    bool control = c < 0x20 || (c >= 0x7f && c < 0xa0), separator = c == 0x2028 || c == 0x2029;
    bool direction = c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
                     (c >= 0x2066 && c <= 0x2069);
    return !control && !separator && !direction;
}

/* Returns the length. out: room for four times the length of text. */
static size_t escape(const char *text, char *out) {
    const unsigned char *at = (const unsigned char *)text;
    size_t done = 0;
    while (*at) {
        uint32_t number = 0;
        size_t length = decode(at, &number);
        if (length && is_plain(number)) {
            memcpy(out + done, at, length);
            done += length;
            at += length;
            continue;
        }
        for (size_t left = length ? length : 1; left > 0; left--, at++, done += 4)
            snprintf(out + done, 5, "\\x%02x", *at);
    }
    return done;
}

void message_vprint(FILE *to, const char *text, va_list arguments) {
    char plain[MESSAGE_MOST + 1], escaped[4 * MESSAGE_MOST + 2];
    int length = vsnprintf(plain, sizeof plain, text, arguments);
    if (length < 0)
        return;
    size_t end = strlen(text);
    bool line = end > 0 && text[end - 1] == '\n';
    size_t kept = strlen(plain);
    if ((size_t)length > MESSAGE_MOST)
        memcpy(plain + MESSAGE_MOST - 3, "...", 3);
    else if (line)
        plain[kept - 1] = 0;
    size_t done = escape(plain, escaped);
    if (line)
        escaped[done++] = '\n';
    fwrite(escaped, 1, done, to);
}

void message_print(FILE *to, const char *text, ...) {
    va_list arguments;
    va_start(arguments, text);
    message_vprint(to, text, arguments);
    va_end(arguments);
}
