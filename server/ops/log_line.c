#include "log_line.h"
#include "base/text.h"

#include <stdbool.h>
#include <string.h>

typedef struct line {
    char *bytes; /* room for LOG_LINE bytes */
    size_t length;
    bool failed; /* the line is longer than LOG_LINE */
} line;

static void add_bytes(line *l, const char *bytes, size_t length) {
    l->failed |= length > LOG_LINE - l->length;
    if (l->failed)
        return;
    memcpy(l->bytes + l->length, bytes, length);
    l->length += length;
}

static void add_text(line *l, const char *text) {
    add_bytes(l, text, strlen(text));
}

/* Everything but plain ASCII is escaped, so that a request cannot forge a line. */
static bool is_plain(char c) {
    unsigned char byte = (unsigned char)c;
    return byte >= ' ' && byte < 0x7f && byte != '"' && byte != '\\';
}

/* "\u001b" */
static void add_escape(line *l, unsigned char byte) {
    static const char digits[] = "0123456789abcdef";
    const char escape[] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
    add_bytes(l, escape, sizeof escape);
}

static void add_escaped(line *l, const char *text) {
    while (*text) {
        size_t plain = 0;
        while (is_plain(text[plain]))
            plain++;
        add_bytes(l, text, plain);
        text += plain;
        if (*text)
            add_escape(l, (unsigned char)*text++);
    }
}

static void add_pair(line *l, const char *name, const char *value) {
    add_text(l, ",\"");
    add_text(l, name);
    add_text(l, "\":\"");
    add_escaped(l, value);
    add_text(l, "\"");
}

/* A number with at least `least` digits, and the text after it. */
static void add_number(line *l, uint64_t number, unsigned least, const char *after) {
    char digits[TEXT_DIGITS], *end = digits + sizeof digits;
    const char *first = text_number(number, least, end);
    add_bytes(l, first, (size_t)(end - first));
    add_text(l, after);
}

/* "2026-11-30T14:05:09." */
static void add_date(line *l, time_t seconds) {
    struct tm t;
    gmtime_r(&seconds, &t);
    add_number(l, (uint64_t)t.tm_year + 1900, 4, "-");
    add_number(l, (uint64_t)t.tm_mon + 1, 2, "-");
    add_number(l, (uint64_t)t.tm_mday, 2, "T");
    add_number(l, (uint64_t)t.tm_hour, 2, ":");
    add_number(l, (uint64_t)t.tm_min, 2, ":");
    add_number(l, (uint64_t)t.tm_sec, 2, ".");
}

/* A thread keeps the text of its last second. */
static void add_time(line *l) {
    static _Thread_local char text[32];
    static _Thread_local size_t length;
    static _Thread_local time_t second;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (length == 0 || now.tv_sec != second) {
        size_t begin = l->length;
        add_date(l, now.tv_sec);
        length = l->failed || l->length - begin > sizeof text ? 0 : l->length - begin;
        memcpy(text, l->bytes + begin, length);
        second = now.tv_sec;
    } else {
        add_bytes(l, text, length);
    }
    add_number(l, (uint64_t)now.tv_nsec / 1000000, 3, "Z");
}

static void add_milliseconds(line *l, const trace *t, const char *after) {
    uint64_t microseconds = (uint64_t)(1e3 * trace_age(t) + 0.5);
    add_number(l, microseconds / 1000, 1, ".");
    add_number(l, microseconds % 1000, 3, after);
}

static void render_json(const log_entry *e, line *l) {
    add_text(l, "{\"time\":\"");
    add_time(l);
    add_text(l, "\"");
    add_pair(l, "id", e->trace->id);
    if (e->trace->parent[0])
        add_pair(l, "traceparent", e->trace->parent);
    add_pair(l, "peer", e->peer);
    if (e->client[0])
        add_pair(l, "client", e->client);
    add_pair(l, "method", e->method);
    add_pair(l, "target", e->target);
    add_pair(l, "route", e->route);
    add_pair(l, "format", e->format);
    if (e->reason)
        add_pair(l, "reason", e->reason);
    add_text(l, ",\"status\":");
    add_number(l, (uint64_t)e->status, 1, ",\"bytes\":");
    add_number(l, e->bytes, 1, ",\"ms\":");
    add_milliseconds(l, e->trace, "}\n");
}

static void render_text(const log_entry *e, line *l) {
    add_time(l);
    add_text(l, " ");
    add_escaped(l, e->client);
    add_text(l, e->client[0] ? "@" : "");
    add_escaped(l, e->peer);
    add_text(l, " ");
    add_escaped(l, e->trace->id);
    add_text(l, " ");
    add_escaped(l, e->method);
    add_text(l, " ");
    add_escaped(l, e->target);
    add_text(l, " ");
    add_number(l, (uint64_t)e->status, 1, " ");
    add_number(l, e->bytes, 1, " bytes ");
    add_milliseconds(l, e->trace, " ms\n");
}

size_t log_render(log_kind kind, const log_entry *e, char out[LOG_LINE]) {
    line l = {.bytes = out};
    (kind == LOG_JSON ? render_json : render_text)(e, &l);
    return l.failed ? 0 : l.length;
}
