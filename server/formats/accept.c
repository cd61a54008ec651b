#include "accept.h"

#include <string.h>
#include <strings.h>

/* One element of Accept: how well a range fits a type (0 not, 1 all, 2 type, 3 exactly). */
static int specificity(const char *range, size_t length, const char *type) {
    const char *slash = strchr(type, '/');
    size_t kind = (size_t)(slash - type) + 1;
    if (length == 3 && memcmp(range, "*/*", 3) == 0)
        return 1;
    if (length == kind + 1 && strncasecmp(range, type, kind) == 0 && range[kind] == '*')
        return 2;
    return length == strlen(type) && strncasecmp(range, type, length) == 0 ? 3 : 0;
}

/* RFC 9110 12.4.2, in thousandths: 0 or 1, then perhaps a point and digits; 0 if malformed. */
static unsigned qvalue(const char *text, size_t length) {
    if (length == 0 || (text[0] != '0' && text[0] != '1') || (length > 1 && text[1] != '.'))
        return 0;
    unsigned value = (unsigned)(text[0] - '0') * 1000, scale = 100;
    for (size_t i = 2; i < length; i++, scale /= 10) {
        if (text[i] < '0' || text[i] > '9')
            return 0;
        value += (unsigned)(text[i] - '0') * scale;
    }
    return value > 1000 ? 0 : value;
}

/* The q of one element, in thousandths; 1000 where there is none, 0 where it is malformed. */
static unsigned quality(const char *parameters, size_t length) {
    for (size_t i = 0; i + 2 < length; i++) {
        if (parameters[i] != ';')
            continue;
        size_t at = i + 1;
        while (at < length && (parameters[at] == ' ' || parameters[at] == '\t'))
            at++;
        if (at + 2 > length || (parameters[at] | 32) != 'q' || parameters[at + 1] != '=')
            continue;
        size_t end = at += 2;
        while (end < length && !strchr("; \t", parameters[end]))
            end++;
        return qvalue(parameters + at, end - at);
    }
    return 1000;
}

unsigned accept_quality(const char *accept, const char *type) {
    int best = 0;
    unsigned result = 0;
    while (*accept) {
        accept += strspn(accept, " \t,");
        size_t length = strcspn(accept, ",");
        size_t range = strcspn(accept, ";,");
        size_t trimmed = range;
        while (trimmed && (accept[trimmed - 1] == ' ' || accept[trimmed - 1] == '\t'))
            trimmed--;
        int fit = specificity(accept, trimmed, type);
        if (fit > best) {
            best = fit;
            result = quality(accept + range, length - range);
        }
        accept += length;
    }
    return result;
}
