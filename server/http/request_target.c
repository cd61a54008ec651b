#include "request_target.h"

#include <stdio.h>
#include <string.h>

static bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* The first percent sign that is not followed by two hexadecimal digits (RFC 3986 §2.1), or NULL.
 */
static const char *find_bad_escape(const char *target) {
    const char *at = strchr(target, '%');
    while (at && is_hex(at[1]) && is_hex(at[2]))
        at = strchr(at + 3, '%');
    return at;
}

static size_t count_parameters(const char *target) {
    const char *query = strchr(target, '?');
    size_t count = query && query[1];
    while (query && (query = strchr(query + 1, '&')) != NULL)
        count++;
    return count;
}

/* The name of the query parameter that contains the byte at `at`; empty if `at` is in the path. */
static void name_parameter(const char *target, const char *at, char *out, size_t room) {
    const char *query = strchr(target, '?');
    const char *start = query && query < at ? query + 1 : NULL;
    for (const char *c = start; c && c < at; c++)
        if (*c == '&')
            start = c + 1;
    snprintf(out, room, "%.*s", start ? (int)strcspn(start, "=&%") : 0, start ? start : "");
}

request_target_fault request_target_check(const char *target) {
    request_target_fault f = {0};
    size_t length = strlen(target), parameters = count_parameters(target);
    const char *escape = find_bad_escape(target);
    if (length > REQUEST_TARGET_BYTES) {
        f.status = 414;
        snprintf(f.detail, sizeof f.detail, "the request target has %zu bytes; the limit is %u",
                 length, REQUEST_TARGET_BYTES);
    } else if (parameters > REQUEST_TARGET_PARAMETERS) {
        f.status = 400;
        snprintf(f.detail, sizeof f.detail, "the query has %zu parameters; the limit is %u",
                 parameters, REQUEST_TARGET_PARAMETERS);
    } else if (escape) {
        f.status = 400;
        name_parameter(target, escape, f.parameter, sizeof f.parameter);
        snprintf(f.detail, sizeof f.detail,
                 "the request target contains '%.3s'; two hexadecimal digits must follow a percent "
                 "sign, and a percent sign itself is written %%25",
                 escape);
    }
    return f;
}

bool request_target_is_too_much(const char *target) {
    return strlen(target) > REQUEST_TARGET_BYTES ||
           count_parameters(target) > REQUEST_TARGET_PARAMETERS;
}
