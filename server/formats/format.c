#include "format.h"
#include "label_array.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
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

void outline_free(outline *l) {
    for (unsigned i = 0; i < l->count; i++)
        buffer_free(&l->segments[i].literal);
    *l = (outline){0};
}

static segment *append(outline *l, uint64_t length) {
    if (l->count == FORMAT_SEGMENTS || length > (uint64_t)INT64_MAX - l->length)
        return NULL;
    segment *s = &l->segments[l->count++];
    *s = (segment){.length = length};
    l->length += length;
    return s;
}

bool outline_literal(outline *l, buffer *bytes) {
    segment *s = bytes->failed ? NULL : append(l, bytes->length);
    if (!s) {
        buffer_free(bytes);
        return false;
    }
    s->literal = *bytes;
    return true;
}

bool outline_tensor(outline *l, const tensor *t) {
    segment *s = append(l, tensor_bytes(t));
    if (s)
        s->from = t;
    return s != NULL;
}

const array *upload_find(const upload *u, const char *name) {
    for (unsigned i = 0; i < u->count; i++)
        if (strcmp(u->arrays[i].name, name) == 0)
            return &u->arrays[i];
    return NULL;
}

/* A piece of a name between . and -: at least one letter, digit or _. */
static size_t word(const char *text, size_t length) {
    size_t n = 0;
    while (n < length &&
           ((text[n] >= 'a' && text[n] <= 'z') || (text[n] >= 'A' && text[n] <= 'Z') ||
            (text[n] >= '0' && text[n] <= '9') || text[n] == '_'))
        n++;
    return n;
}

static bool is_name(const char *text, size_t length) {
    size_t at = word(text, length);
    bool good = at > 0 && length < ARRAY_NAME;
    while (good && at < length) {
        size_t n = word(text + at + 1, length - at - 1);
        good = (text[at] == '.' || text[at] == '-') && n > 0;
        at += 1 + n;
    }
    return good;
}

array *upload_add(upload *u, const char *name, size_t length, problem *p) {
    array a = {.name = ""};
    if (!is_name(name, length)) {
        problem_add(p, 400, "body",
                    "the body holds an array named '%.*s'; a name has at most %d letters, digits "
                    "and _, with . and - between them",
                    length < 40 ? (int)length : 40, name, ARRAY_NAME - 1);
        return NULL;
    }
    memcpy(a.name, name, length);
    if (upload_find(u, a.name)) {
        problem_add(p, 400, a.name, "the body holds two arrays named %s", a.name);
        return NULL;
    }
    if (u->count == UPLOAD_ARRAYS) {
        problem_add(p, 400, "body", "the body holds more than %d arrays", UPLOAD_ARRAYS);
        return NULL;
    }
    u->arrays[u->count] = a;
    return &u->arrays[u->count++];
}

void upload_swap(upload *u) {
    for (unsigned i = 0; i < u->count; i++) {
        const array *a = &u->arrays[i];
        size_t length = dtype_table[a->type].size;
        for (unsigned d = 0; d < a->rank; d++)
            length *= (size_t)a->shape[d]; /* array_check was content with it */
        dtype_swap(a->type, (unsigned char *)a->bytes, length);
    }
}

bool array_check(const array *a, uint64_t bytes, problem *p) {
    uint64_t needed = dtype_table[a->type].size;
    if (a->type >= DTYPE_COUNT && !label_named(a->name)) {
        problem_add(p, 400, a->name,
                    "%s has type %s, which only labels (y, y.NAME) may have; u8, i8 to i64, f16, "
                    "bf16, f32, f64 and bool are read",
                    a->name, dtype_table[a->type].name);
        return false;
    }
    for (unsigned d = 0; d < a->rank; d++) {
        if (a->shape[d] == 0) {
            problem_add(p, 400, a->name, "side %u of %s is 0; every side must be at least 1", d,
                        a->name);
            return false;
        }
        if (needed > UINT64_MAX / a->shape[d]) {
            problem_add(p, 413, a->name, "the shape of %s has more elements than any machine holds",
                        a->name);
            return false;
        }
        needed *= a->shape[d];
    }
    if (needed != bytes) {
        problem_add(p, 400, a->name,
                    "%s takes %" PRIu64 " bytes by its shape and type, but there are %" PRIu64,
                    a->name, needed, bytes);
        return false;
    }
    return true;
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

/* RFC 9110 §12.5.1: the most specific range that fits a type gives its quality. */
static unsigned quality_of(const char *accept, const char *type) {
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

const format *format_accepted(const char *accept, format_set set) {
    const format *best = NULL;
    unsigned most = 0;
    if (!accept)
        accept = "*/*";
    for (unsigned i = 0; format_table[i]; i++) {
        unsigned q = in_set(i, set) ? quality_of(accept, format_table[i]->media_type) : 0;
        if (q > most) {
            most = q;
            best = format_table[i];
        }
    }
    return best;
}

/* curl's default says nothing about a body. */
static bool says_nothing(const char *type, size_t length) {
    static const char *const empty[] = {"application/octet-stream",
                                        "application/x-www-form-urlencoded"};
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++)
        if (strlen(empty[i]) == length && strncasecmp(empty[i], type, length) == 0)
            return true;
    return length == 0;
}

const format *format_of_upload(const char *content_type, const unsigned char *body, size_t length,
                               problem *p) {
    const char *type = content_type ? content_type : "";
    size_t n = strcspn(type, "; \t");
    if (says_nothing(type, n)) {
        for (unsigned i = 0; format_table[i]; i++)
            if (format_table[i]->begins && format_table[i]->begins(body, length))
                return format_table[i];
        return &format_raw;
    }
    for (unsigned i = 0; format_table[i]; i++)
        if (format_table[i]->read && strlen(format_table[i]->media_type) == n &&
            strncasecmp(format_table[i]->media_type, type, n) == 0)
            return format_table[i];
    problem_add(p, 415, "Content-Type",
                "a body of type '%.60s' is not read here; send application/x-npy, "
                "application/x-npz, application/x-safetensors, or application/octet-stream with "
                "x_shape and x_dtype",
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
                "%s holds one tensor, and this part is %u, from %s to %s: ask for json, npz or "
                "safetensors",
                f->name, s->count, s->tensors[0].name, s->tensors[s->count - 1].name);
    return false;
}
