#include "repeats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A name's strings are neighbours in order, so the last string says all of the earlier ones. */
typedef struct last_string {
    unsigned char *bytes;
    size_t length;
    bool again, differs; /* its name was given before; and with other bytes behind it */
} last_string;

static void count_name(const last_string *l, repeats *out) {
    bool first = l->differs ? out->differ == 0 : l->again && out->names == 0;
    if (first)
        snprintf(out->first, sizeof out->first, "%s", (const char *)l->bytes);
    out->names += l->again;
    out->differ += l->differs;
}

static void take(last_string *l, const unsigned char *bytes, size_t length, repeats *out) {
    bool same_name = l->length > 0 && strcmp((const char *)l->bytes, (const char *)bytes) == 0;
    bool same = same_name && l->length == length && memcmp(l->bytes, bytes, length) == 0;
    if (!same_name)
        count_name(l, out);
    l->again = same_name;
    l->differs = same_name && (l->differs || !same);
    memcpy(l->bytes, bytes, length);
    l->length = length;
}

bool repeats_count(sorter *strings, repeats *out) {
    const unsigned char *bytes;
    size_t length;
    last_string last = {.bytes = malloc(SORTER_LENGTH)};
    sorter_result next = SORTER_FAILED;
    *out = (repeats){0};
    if (last.bytes && sorter_rewind(strings))
        while ((next = sorter_next(strings, &bytes, &length)) == SORTER_STRING)
            take(&last, bytes, length, out);
    if (next == SORTER_END)
        count_name(&last, out);
    int why = errno;
    free(last.bytes);
    errno = why;
    return next == SORTER_END;
}
