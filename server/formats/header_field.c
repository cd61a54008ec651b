#include "header_field.h"

#include <string.h>
#include <strings.h>

bool field_is(field_text t, const char *string) {
    return t.length == strlen(string) && field_begins(t, string);
}

bool field_begins(field_text t, const char *string) {
    size_t length = strlen(string);
    return t.length >= length && (length == 0 || strncasecmp(t.at, string, length) == 0);
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* RFC 9110 §5.6.2 */
static bool is_token_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != 0 && strchr("!#$%&'*+-.^_`|~", c));
}

bool field_is_token(field_text t) {
    size_t i = 0;
    while (i < t.length && is_token_character(t.at[i]))
        i++;
    return i == t.length && i > 0;
}

static void skip_blanks(field *f) {
    while (f->at < f->end && is_blank(*f->at))
        f->at++;
}

field_text field_value(const char *bytes, size_t length, field *rest) {
    const char *stop = length ? memchr(bytes, ';', length) : NULL;
    *rest = (field){.at = stop ? stop : bytes + length, .end = bytes + length};
    field_text value = {bytes, (size_t)(rest->at - bytes)};
    while (value.length && is_blank(value.at[0])) {
        value.at++;
        value.length--;
    }
    while (value.length && is_blank(value.at[value.length - 1]))
        value.length--;
    return value;
}

static field_text take_token(field *f) {
    const char *from = f->at;
    while (f->at < f->end && is_token_character(*f->at))
        f->at++;
    return (field_text){from, (size_t)(f->at - from)};
}

/* From behind the first quote to behind the second. False: there is no second one. */
static bool take_quoted(field *f, field_text *out) {
    const char *from = f->at;
    while (f->at < f->end && *f->at != '"')
        f->at += *f->at == '\\' && f->end - f->at > 1 ? 2 : 1;
    if (f->at >= f->end)
        return false;
    *out = (field_text){from, (size_t)(f->at - from)};
    f->at++;
    return true;
}

static bool take_value(field *f, field_parameter *out) {
    if (f->at == f->end || *f->at != '=')
        return false;
    f->at++;
    out->quoted = f->at < f->end && *f->at == '"';
    if (out->quoted) {
        f->at++;
        return take_quoted(f, &out->value);
    }
    out->value = take_token(f);
    return out->value.length > 0;
}

bool field_next(field *f, field_parameter *out) {
    bool separated = false;
    skip_blanks(f);
    for (; f->at < f->end && *f->at == ';'; skip_blanks(f)) {
        separated = true;
        f->at++;
    }
    if (f->at == f->end)
        return false;
    out->name = take_token(f);
    f->broken = !separated || out->name.length == 0 || !take_value(f, out);
    return !f->broken;
}

bool field_copy(const field_parameter *of, char *out, size_t room) {
    size_t used = 0;
    for (size_t i = 0; i < of->value.length; i++) {
        i += of->quoted && of->value.at[i] == '\\';
        if (used + 1 >= room)
            return false;
        out[used++] = of->value.at[i];
    }
    out[used] = 0;
    return true;
}
