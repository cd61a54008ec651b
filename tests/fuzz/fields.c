/* Lines: Range, If-None-Match, Accept, Content-Type, X-Request-ID, traceparent. What is taken from
 * them is within what there is. */
#include "fuzz.h"

#include "formats/format.h"
#include "http/range.h"
#include "ops/trace.h"
#include "params/etag.h"
#include "params/recipe.h"

#include <stdio.h>

enum { RANGE, TAGS, ACCEPT, TYPE, ID, PARENT, LINES };

static void check_range(const char *header) {
    static const uint64_t lengths[] = {0, 1, 1000, INT64_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        uint64_t first = 0, count = 0;
        if (range_parse(header, lengths[i], &first, &count) == RANGE_PART)
            FUZZ_ASSERT(count && first < lengths[i] && count <= lengths[i] - first);
    }
}

static void check_tags(const char *list) {
    static const char tag[] = "\"0123456789abcdef\"";
    if (etag_matches(list, tag))
        FUZZ_ASSERT(strstr(list, tag) || strchr(list, '*'));
    size_t length = strlen(list);
    char *more = malloc(length + sizeof tag + 1);
    FUZZ_ASSERT(more);
    snprintf(more, length + sizeof tag + 1, "%s,%s", tag, list);
    FUZZ_ASSERT(etag_matches(more, tag));
    free(more);
}

static void check_accept(const char *accept) {
    static const format_set sets[] = {FORMAT_ARRAYS, FORMAT_IMAGES, FORMAT_ARRAYS | FORMAT_IMAGES};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        const format *f = format_accepted(accept, sets[i]);
        FUZZ_ASSERT(!f || (f->kind & sets[i]));
        FUZZ_ASSERT(f || strcmp(accept, "*/*") != 0);
    }
    format_by_name(accept, strlen(accept), FORMAT_ARRAYS | FORMAT_IMAGES);
}

static void check_type(const char *type) {
    problem p = {0};
    query q;
    query_init(&q);
    const upload_body body = {.bytes = (const unsigned char *)type,
                              .length = strlen(type),
                              .content_type = type,
                              .query = &q};
    const format *f = format_of_upload(&body, &p);
    FUZZ_ASSERT(f ? f->read && p.status == 0 : p.status == 415);
}

static void check_trace(const char *id, const char *parent) {
    trace t;
    trace_begin(&t);
    trace_take(&t, id, parent);
    FUZZ_ASSERT(*t.id && strlen(t.id) <= TRACE_ID && !strpbrk(t.id, " \t\r\"\\,;:"));
    FUZZ_ASSERT(!*t.parent || (strlen(t.parent) == TRACE_PARENT && strcmp(t.parent, parent) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    const char *line[LINES];
    FUZZ_ASSERT(text);
    memcpy(text, data, size);
    text[size] = 0;
    char *at = text;
    for (unsigned i = 0; i < LINES; i++) {
        line[i] = at;
        at += strcspn(at, "\n");
        if (*at)
            *at++ = 0;
    }
    check_range(line[RANGE]);
    check_tags(line[TAGS]);
    check_accept(line[ACCEPT]);
    check_type(line[TYPE]);
    check_trace(line[ID], line[PARENT]);
    free(text);
    return 0;
}
