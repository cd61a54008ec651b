#include "reference.h"
#include "params/query_kinds.h"
#include "routes.h"

#include <string.h>

/* ---- routes ---- */

static void write_formats(format_set set, buffer *out) {
    const char *between = "";
    for (unsigned i = 0; format_table[i]; i++)
        if (format_table[i]->kind & set) {
            buffer_print(out, "%s%s", between, format_table[i]->name);
            between = ", ";
        }
}

static void write_routes(buffer *out) {
    const route *r;
    buffer_text(out, "| method | path | answer | |\n|---|---|---|---|\n");
    for (unsigned i = 0; (r = route_row(i)) != NULL; i++) {
        buffer_print(out, "| %s | `%s` | ", r->method, r->path);
        if (r->formats)
            write_formats(r->formats, out);
        else
            buffer_text(out, r->media);
        buffer_print(out, " | %s |\n", r->meaning);
    }
}

/* ---- parameters ---- */

/* The last part of a route's path that is not in braces: "batches". */
static void write_resource(const route *r, buffer *out) {
    const char *begin = strrchr(r->path, '/') + 1, *end = r->path + strlen(r->path);
    if (*begin == '{') {
        end = begin - 1;
        for (begin = end; begin[-1] != '/';)
            begin--;
    }
    buffer_add(out, begin, (size_t)(end - begin));
}

static void write_resources_of(const query_parameter *p, buffer *out) {
    const char *between = "";
    const route *r;
    for (unsigned i = 0; (r = route_row(i)) != NULL; i++)
        if (r->groups & p->group) {
            buffer_text(out, between);
            write_resource(r, out);
            between = ", ";
        }
}

static void write_parameters(buffer *out) {
    char values[400];
    buffer_text(out,
                "| parameter | of | meaning | default | a value is |\n|---|---|---|---|---|\n");
    for (unsigned i = 0; i < QUERY_COUNT; i++) {
        const query_parameter *p = &query_table[i];
        buffer_print(out, "| `%s` | ", p->name);
        write_resources_of(p, out);
        query_kinds[p->kind].expect(p, values, sizeof values);
        buffer_print(out, " | %s | %s | %s |\n", p->meaning, p->fallback ? p->fallback : "",
                     values);
    }
}

/* ---- formats ---- */

static const char *mark(bool yes) {
    return yes ? "✓" : "";
}

static void write_format(const format *f, buffer *out) {
    const route *r;
    buffer_print(out, "| `%s` | `%s` | %s | %s | %s |", f->name, f->media_type,
                 !f->kind ? ""
                 : f->all ? "all"
                          : "one",
                 mark(f->lay_out != NULL), mark(f->read != NULL));
    for (unsigned i = 0; (r = route_row(i)) != NULL; i++)
        if (r->formats)
            buffer_print(out, " %s |", mark(f->kind & r->formats));
    buffer_text(out, "\n");
}

static void write_heads(buffer *out) {
    const route *r;
    buffer_text(out, "| format | media type | tensors | `Range` | upload |");
    for (unsigned i = 0; (r = route_row(i)) != NULL; i++)
        if (r->formats) {
            buffer_text(out, " ");
            write_resource(r, out);
            buffer_text(out, " |");
        }
    buffer_text(out, "\n|---|---|---|---|---|");
    for (unsigned i = 0; (r = route_row(i)) != NULL; i++)
        buffer_text(out, r->formats ? "---|" : "");
    buffer_text(out, "\n");
}

bool reference_write(buffer *out) {
    buffer_text(out, "### Routes\n\n");
    write_routes(out);
    buffer_text(out, "\n### Parameters\n\n");
    write_parameters(out);
    buffer_text(out, "\n### Formats\n\n");
    write_heads(out);
    for (unsigned i = 0; format_table[i]; i++)
        write_format(format_table[i], out);
    return !out->failed;
}
