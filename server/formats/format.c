#include "format.h"
#include "accept.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define FORMAT_ENTER(name) &format_##name,
const format *const format_table[] = {FORMAT_TABLE(FORMAT_ENTER) NULL};
#undef FORMAT_ENTER

unsigned format_number(const format *f) {
    unsigned number = f ? FORMAT_COUNT : 0;
    while (number && format_table[number - 1] != f)
        number--;
    return number;
}

const char *format_name(unsigned number) {
    return number && number <= FORMAT_COUNT ? format_table[number - 1]->name : "none";
}

static bool in_set(unsigned i, format_set set) {
    return set & format_table[i]->kind;
}

const format *format_by_name(const char *name, size_t length, format_set set) {
    for (unsigned i = 0; format_table[i]; i++)
        if (in_set(i, set) && strlen(format_table[i]->name) == length &&
            memcmp(format_table[i]->name, name, length) == 0)
            return format_table[i];
    return NULL;
}

void format_list(format_set set, char *out, size_t room) {
    size_t used = 0;
    out[0] = 0;
    for (unsigned i = 0; format_table[i] && used < room; i++)
        if (in_set(i, set))
            used += (size_t)snprintf(out + used, room - used, "%s%s (%s)", used ? ", " : "",
                                     format_table[i]->name, format_table[i]->media_type);
}

const format *format_accepted(const char *accept, format_set set) {
    const format *best = NULL;
    unsigned most = 0;
    if (!accept)
        accept = "*/*";
    for (unsigned i = 0; format_table[i]; i++) {
        unsigned q = in_set(i, set) ? accept_quality(accept, format_table[i]->media_type) : 0;
        if (q > most) {
            most = q;
            best = format_table[i];
        }
    }
    return best;
}

/* curl sends the second type by default, whatever the body is. */
static bool is_unspecific(const char *type, size_t length) {
    static const char *const empty[] = {"application/octet-stream",
                                        "application/x-www-form-urlencoded"};
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++)
        if (strlen(empty[i]) == length && strncasecmp(empty[i], type, length) == 0)
            return true;
    return length == 0;
}

/* With both parameters the bytes are elements, even if they begin as a picture does. */
static bool is_raw(const query *q) {
    return q->given[QUERY_X_SHAPE] && q->given[QUERY_X_DTYPE];
}

const format *format_of_upload(const upload_body *body, problem *p) {
    const char *type = body->content_type ? body->content_type : "";
    size_t n = strcspn(type, "; \t");
    if (is_unspecific(type, n)) {
        for (unsigned i = 0; format_table[i]; i++)
            if (format_table[i]->begins && format_table[i]->begins(body->bytes, body->length) &&
                !(format_table[i]->pictures && is_raw(body->query)))
                return format_table[i];
        return &format_raw;
    }
    for (unsigned i = 0; format_table[i]; i++)
        if (format_table[i]->read && strlen(format_table[i]->media_type) == n &&
            strncasecmp(format_table[i]->media_type, type, n) == 0)
            return format_table[i];
    problem_add(p, 415, "Content-Type",
                "unsupported Content-Type '%.60s'; send image/png, "
                "image/jpeg, multipart/form-data, application/x-npy, application/x-npz, "
                "application/x-safetensors, or application/octet-stream with x_shape and x_dtype",
                type);
    return NULL;
}

bool format_holds_parts(const format *f, const query *q, problem *p) {
    if (f->all || !q->given[QUERY_PARTS] || (q->parts & (q->parts - 1)) == 0)
        return true;
    problem_add(p, 400, "parts", "%s holds one tensor; name one part, or ask for json", f->name);
    return false;
}

bool format_holds_tensors(const format *f, const query *q, const tensor_source *s, problem *p) {
    if (f->all || !q->given[QUERY_PARTS] || s->count == 1)
        return true;
    problem_add(p, 400, "parts",
                "%s holds one tensor, but this part has %u, from %s to %s; ask for json, npz or "
                "safetensors",
                f->name, s->count, s->tensors[0].name, s->tensors[s->count - 1].name);
    return false;
}
