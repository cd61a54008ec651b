#include "guard.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* How much of it is a token (RFC 9110 §5.6.2). */
static size_t token_length(const char *text, size_t length) {
    static const char marks[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && (c == 0 || !strchr(marks, c)))
            return i;
    }
    return length;
}

static bool is_token(const char *text, size_t length) {
    return length > 0 && token_length(text, length) == length;
}

/* RFC 9110 §5.5: visible characters, spaces and tabs; what is past ASCII is opaque. */
static bool is_value(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static bool is_field(const guard_field *f, const char *name) {
    return strlen(name) == f->name_length && strncasecmp(f->name, name, f->name_length) == 0;
}

/* The first field of this name, and how many there are. */
static const guard_field *find(const guard_request *r, const char *name, size_t *count) {
    const guard_field *first = NULL;
    *count = 0;
    for (size_t i = 0; i < r->count; i++)
        if (is_field(&r->fields[i], name)) {
            first = first ? first : &r->fields[i];
            ++*count;
        }
    return first;
}

/* The length of a value without the white space behind it, which is no part of it (RFC 9112 §5).
 * What is before it is gone by then. */
static size_t value_length(const guard_field *f) {
    size_t length = f->value_length;
    while (length && (f->value[length - 1] == ' ' || f->value[length - 1] == '\t'))
        length--;
    return length;
}

static void check_target(const guard_request *r, problem *p) {
    static const char *const wrong[] = {
        [GUARD_UNCLEAN] = "holds a space, a control character or what is not ASCII",
        [GUARD_FRAGMENT] = "holds a fragment",
        [GUARD_HOSTLESS] = "is a URL without a proper host",
        [GUARD_FORMLESS] = "must begin with a slash, or be an http URL",
    };
    if (strcmp(r->method, "CONNECT") == 0)
        problem_add(p, 501, NULL, "there are no tunnels here");
    else if (r->form >= GUARD_UNCLEAN)
        problem_add(p, 400, NULL, "the request target %s", wrong[r->form]);
    else if (r->form == GUARD_AUTHORITY)
        problem_add(p, 400, NULL, "a host and port is a target of CONNECT alone");
    else if (r->form == GUARD_ASTERISK && strcmp(r->method, "OPTIONS") != 0)
        problem_add(p, 400, NULL, "* is a target of OPTIONS alone");
}

static bool check_line(const guard_request *r, problem *p) {
    if (!is_token(r->method, strlen(r->method)))
        problem_add(p, 400, NULL, "the method is no token");
    if (strcmp(r->version, "HTTP/1.1") != 0 && strcmp(r->version, "HTTP/1.0") != 0)
        problem_add(p, 505, NULL, "HTTP/1.0 and HTTP/1.1 are spoken here, not '%.20s'", r->version);
    check_target(r, p);
    return p->status == 0;
}

/* Steps over what lies at *at, if it does, and over so many bytes behind it. */
static bool step(uintptr_t *at, const char *part, size_t length, size_t behind) {
    bool there = (uintptr_t)part == *at;
    *at += length + behind;
    return there;
}

/* Whether every byte of the head is a part that is shown, or between two where one must be. Else
 * something came that is hidden: a folded line, bytes behind a NUL, a bare line feed, a second
 * space, a line without a name. What is hidden may be what a proxy went by. */
static bool is_all_shown(const guard_request *r) {
    uintptr_t at = (uintptr_t)r->method;
    bool shown = step(&at, r->method, strlen(r->method), 1) &&
                 step(&at, r->target, r->target_length, 1) &&
                 step(&at, r->version, strlen(r->version), 2);
    for (size_t i = 0; shown && i < r->count; i++) {
        const guard_field *f = &r->fields[i];
        shown = step(&at, f->name, f->name_length, 1) && (uintptr_t)f->value >= at;
        at = (uintptr_t)f->value + f->value_length + 2; /* before it were spaces and tabs alone */
    }
    return shown && at + 2 == (uintptr_t)r->method + r->size;
}

/* A space before the colon arrives as part of the name (RFC 9112 §5.1). So may a credential, of a
 * line whose colon comes late: what is quoted ends where it is no token any more. */
static void explain_name(const guard_field *f, problem *p) {
    char name[41];
    snprintf(name, sizeof name, "%.*s", (int)token_length(f->name, f->name_length), f->name);
    problem_add(p, 400, name,
                "the name of the header field '%s' is no token (a space before the colon?)", name);
}

static bool check_fields(const guard_request *r, problem *p) {
    if (r->count > GUARD_FIELDS) {
        problem_add(p, 431, NULL, "the request has %zu header fields; at most %d are taken",
                    r->count, GUARD_FIELDS);
        return false;
    }
    for (size_t i = 0; i < r->count; i++) {
        const guard_field *f = &r->fields[i];
        if (!is_token(f->name, f->name_length))
            explain_name(f, p);
        else if (!is_value(f->value, f->value_length))
            problem_add(p, 400, f->name, "%.40s holds a control character", f->name);
    }
    if (p->status == 0 && r->size && !is_all_shown(r))
        problem_add(p, 400, NULL,
                    "the head holds more than its request line and fields: a folded line, a bare "
                    "line feed, a NUL, a second space or a field without a name");
    return p->status == 0;
}

static bool is_ipv6(const char *text, size_t length) {
    char address[INET6_ADDRSTRLEN];
    unsigned char bytes[16];
    if (length >= sizeof address)
        return false;
    memcpy(address, text, length);
    address[length] = 0;
    return inet_pton(AF_INET6, address, bytes) == 1;
}

static bool is_port(const char *text, size_t length) {
    unsigned long port = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        port = 10 * port + (unsigned long)(text[i] - '0');
        if (port > UINT16_MAX)
            return false;
    }
    return true;
}

/* reg-name, an IPv4 or bracketed IPv6 address, and a port (RFC 9110 §7.2). May be empty. */
static bool is_host(const char *text, size_t length) {
    static const char marks[] = "-._~!$&'()*+,;=%";
    size_t i = 0;
    if (length && text[0] == '[') {
        const char *close = memchr(text, ']', length);
        if (!close || !is_ipv6(text + 1, (size_t)(close - text) - 1))
            return false;
        i = (size_t)(close - text) + 1;
    } else {
        for (; i < length && text[i] != ':'; i++) {
            char c = text[i];
            bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
            if (!letter && !(c >= '0' && c <= '9') && (c == 0 || !strchr(marks, c)))
                return false;
        }
    }
    return i == length || (text[i] == ':' && is_port(text + i + 1, length - i - 1));
}

static void check_host(const guard_request *r, problem *p) {
    size_t count;
    const guard_field *host = find(r, "Host", &count);
    if (count > 1)
        problem_add(p, 400, "Host", "Host is given %zu times", count);
    else if (!host && strcmp(r->version, "HTTP/1.1") == 0)
        problem_add(p, 400, "Host", "Host is required of HTTP/1.1");
    else if (host && !is_host(host->value, value_length(host)))
        problem_add(p, 400, "Host", "Host is no host and port");
}

static bool is_chunked(const char *text, size_t length) {
    return length == 7 && strncasecmp(text, "chunked", 7) == 0;
}

/* Whether chunked is the last of the codings and none before it. */
static bool ends_chunked(const char *text, size_t length) {
    const char *end = text + length;
    for (;;) {
        const char *comma = memchr(text, ',', (size_t)(end - text));
        const char *stop = comma ? comma : end;
        while (text < stop && (*text == ' ' || *text == '\t'))
            text++;
        while (text < stop && (stop[-1] == ' ' || stop[-1] == '\t'))
            stop--;
        bool chunked = is_chunked(text, (size_t)(stop - text));
        if (chunked || !comma)
            return chunked && !comma;
        text = comma + 1;
    }
}

/* RFC 9112 §6.1 and §6.3: a coding that is not known is 501, but where chunked is not the last
 * nobody can say where the body ends: 400. White space behind chunked is refused as well:
 * libmicrohttpd 0.9.75 does not take it off, and would not read the chunks. */
static void check_coding(const guard_field *f, problem *p) {
    if (is_chunked(f->value, f->value_length))
        return;
    bool several = memchr(f->value, ',', f->value_length) != NULL;
    problem_add(p, several && ends_chunked(f->value, f->value_length) ? 501 : 400,
                "Transfer-Encoding", "Transfer-Encoding is '%.40s'; only chunked is read here",
                f->value);
}

/* RFC 9112 §6: one way to say where the body ends. 19 digits always fit 64 bits. */
static void check_framing(const guard_request *r, problem *p) {
    size_t lengths, codings;
    const guard_field *length = find(r, "Content-Length", &lengths);
    const guard_field *coding = find(r, "Transfer-Encoding", &codings);
    if (lengths > 1)
        problem_add(p, 400, "Content-Length", "Content-Length is given %zu times", lengths);
    if (codings > 1)
        problem_add(p, 400, "Transfer-Encoding", "Transfer-Encoding is given %zu times", codings);
    if (length && coding)
        problem_add(p, 400, "Transfer-Encoding",
                    "Transfer-Encoding and Content-Length both say where the body ends");
    if (coding && strcmp(r->version, "HTTP/1.1") != 0)
        problem_add(p, 400, "Transfer-Encoding", "HTTP/1.0 has no Transfer-Encoding");
    if (coding)
        check_coding(coding, p);
    if (!length)
        return;
    bool digits = length->value_length > 0 && length->value_length <= 19;
    for (size_t i = 0; digits && i < length->value_length; i++)
        digits = length->value[i] >= '0' && length->value[i] <= '9';
    if (!digits)
        problem_add(p, 400, "Content-Length", "Content-Length must be 1 to 19 digits");
}

static void check_expectation(const guard_request *r, problem *p) {
    size_t count;
    const guard_field *expect = find(r, "Expect", &count);
    if (expect && (count > 1 || value_length(expect) != 12 ||
                   strncasecmp(expect->value, "100-continue", 12) != 0))
        problem_add(p, 417, "Expect", "the only expectation met here is 100-continue");
}

static bool check_all(const guard_request *r, problem *p) {
    if (!check_line(r, p) || !check_fields(r, p))
        return false;
    check_host(r, p);
    check_framing(r, p);
    check_expectation(r, p);
    return p->status == 0;
}

void guard_explain(int status, problem *p) {
    static const struct {
        int page, status;
        const char *detail;
    } rows[] = {
        {400, 400,
         "the request cannot be parsed: its request line, a header field, Content-Length or the "
         "chunks of its body are malformed"},
        {413, 413, "Content-Length, or a chunk of the body, is larger than can be taken"},
        {414, 414, "the request line is longer than is taken"},
        {431, 431, "the header fields are longer, or more of them, than are taken"},
        /* libmicrohttpd 0.9.75 blames itself for a line that its buffer does not hold. */
        {500, 400, "a line of the chunked body, with a chunk's size and extensions, is too long"},
        {505, 505, "HTTP/1.0 and HTTP/1.1 are spoken here"},
    };
    p->reason = REFUSAL_GUARD;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].page == status) {
            problem_add(p, rows[i].status, NULL, "%s", rows[i].detail);
            return;
        }
    problem_add(p, status, NULL, "the request cannot be read");
}

bool guard_check(const guard_request *r, problem *p) {
    bool good = check_all(r, p);
    if (!good)
        p->reason = REFUSAL_GUARD;
    return good;
}

/* Bytes of "http://" or "https://" that a target begins with. */
static size_t scheme(const char *target) {
    return strncasecmp(target, "http://", 7) == 0    ? 7
           : strncasecmp(target, "https://", 8) == 0 ? 8
                                                     : 0;
}

/* %2F would be a slash once it is decoded, and %00 the end. */
static guard_form form_of_path(const char *path, guard_form form) {
    for (; *path && *path != '?'; path++) {
        if (strncmp(path, "%00", 3) == 0)
            return GUARD_NUL;
        if (strncasecmp(path, "%2F", 3) == 0)
            form = GUARD_SLASH;
    }
    return form;
}

guard_form guard_target(const char *target) {
    for (const char *c = target; *c; c++)
        if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f)
            return GUARD_UNCLEAN;
    if (strchr(target, '#'))
        return GUARD_FRAGMENT;
    if (target[0] == '/')
        return form_of_path(target, GUARD_ORIGIN);
    if (strcmp(target, "*") == 0)
        return GUARD_ASTERISK;
    const char *authority = target + scheme(target);
    size_t length = strcspn(authority, "/?");
    bool host = length > 0 && authority[0] != ':' && is_host(authority, length);
    if (authority > target)
        return host ? form_of_path(authority, GUARD_ABSOLUTE) : GUARD_HOSTLESS;
    const char *port = strrchr(target, ':');
    return host && !target[length] && port && port[1] ? GUARD_AUTHORITY : GUARD_FORMLESS;
}

const char *guard_path(const char *target) {
    size_t authority = scheme(target);
    const char *path = target + authority + (authority ? strcspn(target + authority, "/") : 0);
    return *path ? path : "/";
}
