#include "guard.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The length of the leading token (RFC 9110 §5.6.2). */
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

/* RFC 9110 §5.5: visible characters, spaces, tabs, and opaque bytes outside ASCII. */
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

/* The first field of this name or NULL, and the number of such fields. */
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

/* The length of a value without trailing white space, which is not part of the value (RFC 9112 §5).
 * libmicrohttpd has removed leading white space. */
static size_t value_length(const guard_field *f) {
    size_t length = f->value_length;
    while (length && (f->value[length - 1] == ' ' || f->value[length - 1] == '\t'))
        length--;
    return length;
}

static void check_target(const guard_request *r, problem *p) {
    static const char *const wrong[] = {
        [GUARD_UNCLEAN] = "contains a space, a control character or a character outside ASCII",
        [GUARD_FRAGMENT] = "contains a fragment",
        [GUARD_HOSTLESS] = "is a URL without a valid host",
        [GUARD_FORMLESS] = "must begin with a slash or be an http URL",
    };
    if (strcmp(r->method, "CONNECT") == 0)
        problem_add(p, 501, NULL, "CONNECT is not supported");
    else if (r->form >= GUARD_UNCLEAN)
        problem_add(p, 400, NULL, "the request target %s", wrong[r->form]);
    else if (r->form == GUARD_AUTHORITY)
        problem_add(p, 400, NULL,
                    "the request target is a host and port, which only CONNECT may have");
    else if (r->form == GUARD_ASTERISK && strcmp(r->method, "OPTIONS") != 0)
        problem_add(p, 400, NULL, "the request target is *, which only OPTIONS may have");
}

static bool check_line(const guard_request *r, problem *p) {
    if (!is_token(r->method, strlen(r->method)))
        problem_add(p, 400, NULL, "the method is not a token");
    if (strcmp(r->version, "HTTP/1.1") != 0 && strcmp(r->version, "HTTP/1.0") != 0)
        problem_add(p, 505, NULL,
                    "the HTTP version '%.20s' is not supported; HTTP/1.0 and HTTP/1.1 are",
                    r->version);
    check_target(r, p);
    return p->status == 0;
}

/* Advances *at over a part and so many separator bytes after it. False: the part does not begin at
 * *at. */
static bool step(uintptr_t *at, const char *part, size_t length, size_t separators) {
    bool is_next = (uintptr_t)part == *at;
    *at += length + separators;
    return is_next;
}

/* Returns true if every byte of the head belongs to a part that the library shows, or to a
 * separator that must be there. Otherwise the head has hidden bytes: a folded line, bytes after a
 * NUL, a bare line feed, a second space, a line without a name. A proxy may have acted on the
 * hidden bytes. */
static bool is_all_shown(const guard_request *r) {
    uintptr_t at = (uintptr_t)r->method;
    bool shown = step(&at, r->method, strlen(r->method), 1) &&
                 step(&at, r->target, r->target_length, 1) &&
                 step(&at, r->version, strlen(r->version), 2);
    for (size_t i = 0; shown && i < r->count; i++) {
        const guard_field *f = &r->fields[i];
        shown = step(&at, f->name, f->name_length, 1) && (uintptr_t)f->value >= at;
        at = (uintptr_t)f->value + f->value_length +
             2; /* only spaces and tabs come before the value */
    }
    return shown && at + 2 == (uintptr_t)r->method + r->size;
}

/* A space before the colon arrives as part of the name (RFC 9112 §5.1). If the colon comes late,
 * the name may contain a credential, so only the leading token is quoted. */
static void explain_name(const guard_field *f, problem *p) {
    char name[41];
    snprintf(name, sizeof name, "%.*s", (int)token_length(f->name, f->name_length), f->name);
    problem_add(p, 400, name,
                "the name of the header field '%s' is not a token (is there a space before the "
                "colon?)",
                name);
}

static bool check_fields(const guard_request *r, problem *p) {
    if (r->count > GUARD_FIELDS) {
        problem_add(p, 431, NULL, "the request has %zu header fields; the limit is %d", r->count,
                    GUARD_FIELDS);
        return false;
    }
    for (size_t i = 0; i < r->count; i++) {
        const guard_field *f = &r->fields[i];
        if (!is_token(f->name, f->name_length))
            explain_name(f, p);
        else if (!is_value(f->value, f->value_length))
            problem_add(p, 400, f->name, "the value of %.40s contains a control character",
                        f->name);
    }
    if (p->status == 0 && r->size && !is_all_shown(r))
        problem_add(
            p, 400, NULL,
            "the head contains more than its request line and fields: a folded line, a bare "
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

/* A reg-name, IPv4 address or bracketed IPv6 address, and an optional port (RFC 9110 §7.2). May be
 * empty. */
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
        problem_add(p, 400, "Host", "Host is sent %zu times", count);
    else if (!host && strcmp(r->version, "HTTP/1.1") == 0)
        problem_add(p, 400, "Host", "HTTP/1.1 requires Host");
    else if (host && !is_host(host->value, value_length(host)))
        problem_add(p, 400, "Host", "Host is not a valid host, or host and port");
}

static bool is_chunked(const char *text, size_t length) {
    return length == 7 && strncasecmp(text, "chunked", 7) == 0;
}

/* Returns true if chunked is the last coding of the list, and occurs once. */
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

/* RFC 9112 §6.1 and §6.3: an unknown coding is 501; if chunked is not the last coding, the end of
 * the body is unknown: 400. White space after chunked is refused too: libmicrohttpd 0.9.75 does not
 * remove it, and would not read the chunks. */
static void check_coding(const guard_field *f, problem *p) {
    if (is_chunked(f->value, f->value_length))
        return;
    bool several = memchr(f->value, ',', f->value_length) != NULL;
    problem_add(p, several && ends_chunked(f->value, f->value_length) ? 501 : 400,
                "Transfer-Encoding", "Transfer-Encoding is '%.40s'; only chunked is supported",
                f->value);
}

/* RFC 9112 §6: a request must state the end of its body in one way. 19 digits always fit 64 bits.
 */
static void check_framing(const guard_request *r, problem *p) {
    size_t lengths, codings;
    const guard_field *length = find(r, "Content-Length", &lengths);
    const guard_field *coding = find(r, "Transfer-Encoding", &codings);
    if (lengths > 1)
        problem_add(p, 400, "Content-Length", "Content-Length is sent %zu times", lengths);
    if (codings > 1)
        problem_add(p, 400, "Transfer-Encoding", "Transfer-Encoding is sent %zu times", codings);
    if (length && coding)
        problem_add(p, 400, "Transfer-Encoding",
                    "Transfer-Encoding and Content-Length must not both be sent");
    if (coding && strcmp(r->version, "HTTP/1.1") != 0)
        problem_add(p, 400, "Transfer-Encoding",
                    "an HTTP/1.0 request must not have Transfer-Encoding");
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
        problem_add(p, 417, "Expect", "the only expectation that is supported is 100-continue");
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
        {413, 413, "Content-Length, or the size of a chunk, is too large"},
        {414, 414, "the request line is too long"},
        {431, 431, "the header fields are too long or too many"},
        /* libmicrohttpd 0.9.75 answers 500 if its buffer cannot hold a line. */
        {500, 400,
         "a line of the chunked body, with the size and extensions of a chunk, is too long"},
        {505, 505, "the HTTP version is not supported; HTTP/1.0 and HTTP/1.1 are"},
    };
    p->reason = REFUSAL_GUARD;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].page == status) {
            problem_add(p, rows[i].status, NULL, "%s", rows[i].detail);
            return;
        }
    problem_add(p, status, NULL, "the request cannot be parsed");
}

bool guard_check(const guard_request *r, problem *p) {
    bool good = check_all(r, p);
    if (!good)
        p->reason = REFUSAL_GUARD;
    return good;
}

/* The length of the "http://" or "https://" that the target begins with, or 0. */
static size_t scheme_length(const char *target) {
    return strncasecmp(target, "http://", 7) == 0    ? 7
           : strncasecmp(target, "https://", 8) == 0 ? 8
                                                     : 0;
}

/* Decoding would make %2F a slash, and %00 the end of the path. */
static guard_form form_of_path(const char *path, guard_form form) {
    for (; *path && *path != '?'; path++) {
        if (*path != '%')
            continue;
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
    const char *authority = target + scheme_length(target);
    size_t length = strcspn(authority, "/?");
    bool host = length > 0 && authority[0] != ':' && is_host(authority, length);
    if (authority > target)
        return host ? form_of_path(authority, GUARD_ABSOLUTE) : GUARD_HOSTLESS;
    const char *port = strrchr(target, ':');
    return host && !target[length] && port && port[1] ? GUARD_AUTHORITY : GUARD_FORMLESS;
}

const char *guard_path(const char *target) {
    size_t authority = scheme_length(target);
    const char *path = target + authority + (authority ? strcspn(target + authority, "/") : 0);
    return *path ? path : "/";
}
