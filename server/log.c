#include "log.h"

#include "buffer.h"

#include <inttypes.h>

#define LINE_BYTES 2048

/* What is not plain ASCII is escaped, so that no request can forge a line. */
static void add_escaped(buffer *b, const char *text) {
    for (const char *c = text; *c; c++) {
        unsigned char byte = (unsigned char)*c;
        if (byte < ' ' || byte >= 0x7f || byte == '"' || byte == '\\')
            buffer_print(b, "\\u%04x", byte);
        else
            buffer_add(b, c, 1);
    }
}

static void add_pair(buffer *b, const char *name, const char *value) {
    buffer_print(b, ",\"%s\":\"", name);
    add_escaped(b, value);
    buffer_text(b, "\"");
}

static void add_time(buffer *b) {
    struct timespec now;
    struct tm parts;
    char text[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    buffer_print(b, "%s.%03ldZ", text, now.tv_nsec / 1000000);
}

static void render_json(const log_entry *e, buffer *b) {
    buffer_text(b, "{\"time\":\"");
    add_time(b);
    buffer_text(b, "\"");
    add_pair(b, "id", e->trace->id);
    if (e->trace->parent[0])
        add_pair(b, "traceparent", e->trace->parent);
    add_pair(b, "peer", e->peer);
    add_pair(b, "method", e->method);
    add_pair(b, "target", e->target);
    add_pair(b, "route", e->route);
    add_pair(b, "format", e->format);
    if (e->reason)
        add_pair(b, "reason", e->reason);
    buffer_print(b, ",\"status\":%d,\"bytes\":%" PRIu64 ",\"ms\":%.3f}\n", e->status, e->bytes,
                 trace_age(e->trace));
}

static void render_text(const log_entry *e, buffer *b) {
    add_time(b);
    buffer_print(b, " %s %s ", e->peer, e->trace->id);
    add_escaped(b, e->method);
    buffer_text(b, " ");
    add_escaped(b, e->target);
    buffer_print(b, " %d %" PRIu64 " bytes %.3f ms\n", e->status, e->bytes, trace_age(e->trace));
}

void log_request(FILE *out, log_kind kind, const log_entry *e) {
    buffer b = buffer_of(LINE_BYTES);
    if (kind == LOG_JSON)
        render_json(e, &b);
    else if (kind == LOG_TEXT)
        render_text(e, &b);
    if (!b.failed && b.length)
        fwrite(b.bytes, 1, b.length, out); /* locks; an unbuffered stream writes it in one piece */
    buffer_free(&b);
}
