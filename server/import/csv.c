#include "csv.h"

#include <errno.h>
#include <string.h>

void csv_start(csv *c, FILE *file) {
    static const char mark[] = "\xef\xbb\xbf";
    char first[sizeof mark - 1];
    c->file = file;
    c->line = 0;
    c->next = 1;
    rewind(file);
    if (fread(first, 1, sizeof first, file) != sizeof first || memcmp(first, mark, sizeof first))
        rewind(file);
}

static bool fail(csv *c, uint64_t line, const char *reason) {
    c->line = line;
    snprintf(c->reason, sizeof c->reason, "%s", reason);
    return false;
}

/* Adds a byte to the field. */
static bool add(csv *c, int byte) {
    if (byte == 0)
        return fail(c, c->next, "there is a NUL byte; the file must be text in UTF-8 or ASCII");
    if (c->used == CSV_ROW)
        return fail(c, c->line, "the row has more than 65536 bytes; is a quote not closed?");
    c->text[c->used++] = (char)byte;
    return true;
}

/* A field behind its first quote; *end: the byte behind its last. */
static bool read_quoted(csv *c, int *end) {
    for (;;) {
        int byte = getc_unlocked(c->file);
        if (byte == EOF)
            return fail(c, c->line, "a quoted field is not closed before the file ends");
        if (byte == '"' && (byte = getc_unlocked(c->file)) != '"') {
            *end = byte;
            return true;
        }
        c->next += byte == '\n';
        if (!add(c, byte))
            return false;
    }
}

static bool read_plain(csv *c, int byte, int *end) {
    while (byte != EOF && byte != ',' && byte != '\n' && byte != '\r') {
        if (byte == '"')
            return fail(c, c->next,
                        "there is a quote inside a field that does not begin with one; quote the "
                        "field and double the quote");
        if (!add(c, byte))
            return false;
        byte = getc_unlocked(c->file);
    }
    *end = byte;
    return true;
}

/* A field; *end: ',' or '\n' or EOF behind it. */
static bool read_field(csv *c, int byte, int *end) {
    if (c->count < CSV_FIELDS)
        c->field[c->count] = c->text + c->used;
    c->count++;
    bool quoted = byte == '"';
    if (!(quoted ? read_quoted(c, end) : read_plain(c, byte, end)))
        return false;
    if (*end == '\r') {
        *end = getc_unlocked(c->file);
        if (*end != '\n')
            return fail(c, c->next, "there is a CR that is not followed by LF");
    }
    if (quoted && *end != ',' && *end != '\n' && *end != EOF)
        return fail(c, c->next,
                    "a quoted field is followed by more than a comma or the line's end");
    if (c->used == CSV_ROW)
        return fail(c, c->line, "the row has more than 65536 bytes; is a quote not closed?");
    c->text[c->used++] = 0;
    return true;
}

csv_result csv_next(csv *c) {
    int byte = getc_unlocked(c->file), end = ',';
    c->line = c->next;
    c->count = 0;
    c->used = 0;
    if (byte == EOF && !ferror(c->file))
        return CSV_END;
    while (end == ',') {
        if (!read_field(c, byte, &end))
            return CSV_BAD;
        byte = end == ',' ? getc_unlocked(c->file) : EOF;
    }
    c->next += end == '\n';
    if (!ferror(c->file))
        return CSV_FOUND;
    fail(c, c->line, strerror(errno));
    return CSV_BAD;
}
