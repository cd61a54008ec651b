#include "range.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* False: no digit. A number past 64 bits becomes UINT64_MAX. */
static bool take_number(const char **at, uint64_t *out) {
    const char *start = *at;
    uint64_t value = 0;
    for (; **at >= '0' && **at <= '9'; ++*at) {
        uint64_t digit = (uint64_t)(**at - '0');
        value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : 10 * value + digit;
    }
    *out = value;
    return *at > start;
}

/* The last `wanted` bytes. */
static range_kind suffix(uint64_t wanted, uint64_t length, uint64_t *first, uint64_t *count) {
    if (wanted == 0 || length == 0)
        return RANGE_BEYOND;
    *count = wanted < length ? wanted : length;
    *first = length - *count;
    return RANGE_PART;
}

static range_kind span(uint64_t from, uint64_t to, uint64_t length, uint64_t *first,
                       uint64_t *count) {
    if (from >= length)
        return RANGE_BEYOND;
    *first = from;
    *count = (to < length ? to + 1 : length) - from;
    return RANGE_PART;
}

range_kind range_parse(const char *header, uint64_t length, uint64_t *first, uint64_t *count) {
    static const char unit[] = "bytes=";
    uint64_t from, to = UINT64_MAX;
    if (!header || strncasecmp(header, unit, sizeof unit - 1) != 0)
        return RANGE_ALL;
    const char *at = header + sizeof unit - 1;
    at += strspn(at, " \t,"); /* a list may have empty elements */
    bool has_from = take_number(&at, &from);
    if (*at++ != '-')
        return RANGE_ALL;
    bool has_to = take_number(&at, &to);
    at += strspn(at, " \t,");
    if (*at || (!has_from && !has_to) || (has_from && has_to && to < from))
        return RANGE_ALL;
    if (!has_from)
        return suffix(to, length, first, count);
    return span(from, has_to ? to : UINT64_MAX, length, first, count);
}
