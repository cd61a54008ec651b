#include "guard.h"

#include <string.h>
#include <strings.h>

/* RFC 9110 §5.6.2 */
static bool is_token(const char *text, size_t length) {
    static const char marks[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && (c == 0 || !strchr(marks, c)))
            return false;
    }
    return length > 0;
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

static bool check_line(const guard_request *r, problem *p) {
    if (!is_token(r->method, strlen(r->method)))
        problem_add(p, 400, NULL, "the method is no token");
    if (strcmp(r->version, "HTTP/1.1") != 0 && strcmp(r->version, "HTTP/1.0") != 0)
        problem_add(p, 505, NULL, "HTTP/1.0 and HTTP/1.1 are spoken here, not '%.20s'", r->version);
    return p->status == 0;
}

/* A space before the colon arrives as part of the name (RFC 9112 §5.1). */
static bool check_fields(const guard_request *r, problem *p) {
    if (r->count > GUARD_FIELDS) {
        problem_add(p, 431, NULL, "the request has %zu header fields; at most %d are taken",
                    r->count, GUARD_FIELDS);
        return false;
    }
    for (size_t i = 0; i < r->count; i++) {
        const guard_field *f = &r->fields[i];
        if (!is_token(f->name, f->name_length))
            problem_add(p, 400, NULL,
                        "a header field has a name that is no token (a space before the colon?)");
        else if (!is_value(f->value ? f->value : "", f->value_length))
            problem_add(p, 400, f->name, "%.40s holds a control character", f->name);
    }
    return p->status == 0;
}

/* reg-name, an IPv4 or bracketed IPv6 address, and a port (RFC 9110 §7.2). May be empty. */
static bool is_host(const char *text, size_t length) {
    static const char marks[] = "-._~!$&'()*+,;=%";
    size_t i = 0;
    if (length && text[0] == '[') {
        const char *close = memchr(text, ']', length);
        if (!close)
            return false;
        for (i = 1; text + i < close; i++)
            if (!strchr("0123456789abcdefABCDEF:.", text[i]))
                return false;
        i++;
    } else {
        for (; i < length && text[i] != ':'; i++) {
            char c = text[i];
            bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
            if (!letter && !(c >= '0' && c <= '9') && (c == 0 || !strchr(marks, c)))
                return false;
        }
    }
    if (i == length)
        return true;
    if (text[i] != ':')
        return false;
    for (i++; i < length; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    return true;
}

static void check_host(const guard_request *r, problem *p) {
    size_t count;
    const guard_field *host = find(r, "Host", &count);
    if (count > 1)
        problem_add(p, 400, "Host", "Host is given %zu times", count);
    else if (!host && strcmp(r->version, "HTTP/1.1") == 0)
        problem_add(p, 400, "Host", "Host is required of HTTP/1.1");
    else if (host && !is_host(host->value ? host->value : "", host->value_length))
        problem_add(p, 400, "Host", "Host is no host and port");
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
    if (coding && !(coding->value_length == 7 && strncasecmp(coding->value, "chunked", 7) == 0))
        problem_add(p, 501, "Transfer-Encoding", "the only transfer coding read here is chunked");
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
    if (expect && (count > 1 || expect->value_length != 12 ||
                   strncasecmp(expect->value, "100-continue", 12) != 0))
        problem_add(p, 417, "Expect", "the only expectation met here is 100-continue");
}

bool guard_check(const guard_request *r, problem *p) {
    if (!check_line(r, p) || !check_fields(r, p))
        return false;
    check_host(r, p);
    check_framing(r, p);
    check_expectation(r, p);
    return p->status == 0;
}

/* Bytes of "http://" or "https://" that a target begins with. */
static size_t scheme(const char *target) {
    return strncasecmp(target, "http://", 7) == 0    ? 7
           : strncasecmp(target, "https://", 8) == 0 ? 8
                                                     : 0;
}

/* RFC 9112 §3.2: origin-form, or absolute-form of http. */
const char *guard_target(const char *target) {
    for (const char *c = target; *c; c++)
        if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f)
            return "the request target holds a space, a control character or what is not ASCII";
    if (strchr(target, '#'))
        return "the request target holds a fragment";
    if (target[0] != '/' && !scheme(target))
        return "the request target must begin with a slash, or be an http URL";
    return NULL;
}

const char *guard_path(const char *target) {
    const char *path = target + scheme(target);
    return path == target ? target : path + strcspn(path, "/");
}
