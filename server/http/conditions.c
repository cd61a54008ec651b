#include "conditions.h"
#include "headers.h"
#include "range.h"

#include <inttypes.h>
#include <string.h>

/* RFC 9110 §13.1.1. If-Match fails if the resource does not exist; an answer without an ETag meets
 * only `*`. */
static bool fails_if_match(const conditions *c, struct MHD_Connection *connection, bool exists,
                           problem *p) {
    if (!headers_find(connection, "If-Match"))
        return false;
    buffer tags = headers_list(connection, "If-Match");
    bool named = exists && etag_is_named((const char *)tags.bytes, c->etag);
    if (tags.failed)
        problem_add(p, 500, NULL, "out of memory");
    buffer_free(&tags);
    return !named;
}

/* If-Match takes precedence over If-None-Match (RFC 9110 §13.2.2). */
void conditions_check(conditions *c, struct MHD_Connection *connection, const tensor_source *s,
                      const char *path, const format *f, bool exists, problem *p) {
    if (s && s->recipe) {
        c->fresh = s->fresh;
        etag_make(s->recipe, path, f->name, f->version, c->etag);
    }
    c->failed = fails_if_match(c, connection, exists, p);
    if (!c->etag[0] || c->failed)
        return;
    buffer tags = headers_list(connection, "If-None-Match");
    c->not_modified = etag_matches((const char *)tags.bytes, c->etag);
    buffer_free(&tags);
}

/* Without If-Range, or if If-Range is this answer's ETag (RFC 9110 §13.1.5). Weak tags and dates
 * never match. */
static bool wants_range(const conditions *c, struct MHD_Connection *connection, const answer *a) {
    const char *tag = headers_find(connection, "If-Range");
    return c->etag[0] && !c->failed && !c->not_modified && answer_format(a)->lay_out &&
           (!tag || strcmp(tag, c->etag) == 0);
}

void conditions_cut(conditions *c, struct MHD_Connection *connection, answer *a, problem *p) {
    uint64_t total = answer_length(a), count;
    if (!wants_range(c, connection, a))
        return;
    buffer text = headers_list(connection, "Range");
    range_kind kind = range_parse((const char *)text.bytes, total, &c->first, &count);
    buffer_free(&text);
    if (kind == RANGE_ALL)
        return;
    c->total = total;
    if (kind == RANGE_PART)
        answer_range(a, c->first, count);
    else
        problem_add(p, 416, "Range", "the range is outside the answer, which has %" PRIu64 " bytes",
                    total);
}
