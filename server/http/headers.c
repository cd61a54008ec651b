#include "headers.h"
#include "ops/mhd_version.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LIST_BYTES (64u << 10) /* more than libmicrohttpd accepts for all fields together */

const char *headers_find(struct MHD_Connection *connection, const char *name) {
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

typedef struct count {
    const char *name, *value;
    unsigned lines;
} count;

static enum MHD_Result count_line(void *of, enum MHD_ValueKind kind, const char *key,
                                  const char *value) {
    count *c = of;
    (void)kind;
    if (strcasecmp(key, c->name) == 0) {
        c->value = value ? value : "";
        c->lines++;
    }
    return MHD_YES;
}

const char *headers_only(struct MHD_Connection *connection, const char *name, bool *repeated) {
    count c = {.name = name};
    MHD_get_connection_values(connection, MHD_HEADER_KIND, count_line, &c);
    *repeated = c.lines > 1;
    return c.value;
}

typedef struct list {
    const char *name;
    buffer text;
} list;

static enum MHD_Result add_line(void *of, enum MHD_ValueKind kind, const char *key,
                                const char *value) {
    list *l = of;
    (void)kind;
    if (strcasecmp(key, l->name) == 0 && value) {
        if (l->text.length)
            buffer_text(&l->text, ",");
        buffer_text(&l->text, value);
    }
    return MHD_YES;
}

buffer headers_list(struct MHD_Connection *connection, const char *name) {
    list l = {name, buffer_of(LIST_BYTES)};
    MHD_get_connection_values(connection, MHD_HEADER_KIND, add_line, &l);
    if (l.text.bytes)
        buffer_add(&l.text, "", 1);
    if (l.text.failed) {
        buffer_free(&l.text);
        l.text.failed = true;
    }
    return l.text;
}

typedef struct fields {
    guard_field all[GUARD_FIELDS];
    size_t count;
} fields;

static enum MHD_Result add_field(void *of, enum MHD_ValueKind kind, const char *key,
                                 size_t key_size, const char *value, size_t value_size) {
    fields *f = of;
    (void)kind;
    if (f->count < GUARD_FIELDS)
        f->all[f->count] = (guard_field){key, value ? value : "", key_size, value_size};
    f->count++;
    return MHD_YES;
}

/* 0: version 1.0 and later refuse hidden bytes themselves, so the guard need not look for them. */
static size_t size_of_head(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *size =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return size && mhd_version_mends_heads() ? size->header_size : 0;
}

bool headers_check(struct MHD_Connection *connection, const guard_request *line, problem *p) {
    fields f = {.count = 0};
    guard_request r = *line;
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, add_field, &f);
    r.fields = f.all;
    r.count = f.count;
    r.size = size_of_head(connection);
    return guard_check(&r, p);
}

/* The library's strings lie in the buffer into which it has read the request. */
static char *writable(const char *text) {
    return (char *)(uintptr_t)text;
}

static enum MHD_Result trim_field(void *of, enum MHD_ValueKind kind, const char *key,
                                  size_t key_size, const char *value, size_t value_size) {
    (void)of;
    (void)kind;
    (void)key;
    (void)key_size;
    char *end = value ? writable(value) + value_size : NULL;
    while (end && end > value && (end[-1] == ' ' || end[-1] == '\t'))
        *--end = 0;
    return MHD_YES;
}

void headers_trim(struct MHD_Connection *connection) {
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, trim_field, NULL);
}

/* The target's length with everything after a NUL. Version 0.9.75 puts a NUL between target and
 * version, and keeps each NUL of the line. */
static size_t hidden_length(const char *target) {
    size_t length = strlen(target);
    while (mhd_version_mends_heads() && strncmp(target + length + 1, "HTTP/", 5) != 0)
        length += 1 + strlen(target + length + 1);
    return length;
}

void headers_hide_query(const char *target) {
    char *query = memchr(writable(target), '?', hidden_length(target));
    if (query)
        query[1] = 0;
}

bool headers_has_hidden(const char *target) {
    return hidden_length(target) > strlen(target);
}

bool headers_has_body(struct MHD_Connection *connection) {
    const char *length = headers_find(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return headers_find(connection, MHD_HTTP_HEADER_TRANSFER_ENCODING) ||
           (length && strspn(length, "0") < strlen(length));
}

void headers_forget_expectation(struct MHD_Connection *connection) {
    const char *expect = headers_find(connection, MHD_HTTP_HEADER_EXPECT);
    if (expect && *expect && !headers_has_body(connection))
        *writable(expect) = '-'; /* the library does not know this expectation */
}

void headers_trace(struct MHD_Connection *connection, trace *out) {
    trace_take(out, headers_find(connection, "X-Request-ID"),
               headers_find(connection, "traceparent"));
}
