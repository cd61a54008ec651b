#include "cors.h"

#include <stddef.h>
#include <string.h>

/* The headers that a page may send and read beyond the standard ones. * would not include
 * Authorization. */
static const char sent[] =
    "Authorization, Content-Type, If-Match, If-None-Match, If-Range, Range, X-Request-ID, "
    "traceparent";
static const char read[] =
    "Accept-Ranges, Allow, Content-Range, ETag, Retry-After, WWW-Authenticate, X-Fmix-Dtype, "
    "X-Fmix-Shape, X-Fmix-Stream, X-Request-ID, traceparent";

/* Seconds for which a browser may cache a preflight. Browsers allow at most a day. */
static const char age[] = "86400";

/* scheme://host or scheme://host:port, as browsers send them: in lower case, without a path. */
static bool is_origin(const char *text, size_t length) {
    static const char small[] = "abcdefghijklmnopqrstuvwxyz0123456789-._[]:";
    static const char *const schemes[] = {"http://", "https://"};
    for (unsigned i = 0; i < 2; i++) {
        size_t scheme = strlen(schemes[i]);
        if (length > scheme && strncmp(text, schemes[i], scheme) == 0)
            return strspn(text + scheme, small) >= length - scheme && text[scheme] != ':';
    }
    return false;
}

static bool is_any(const char *allowed) {
    return strcmp(allowed, "*") == 0;
}

bool cors_is_list(const char *allowed) {
    bool good = true;
    if (!*allowed || is_any(allowed))
        return true;
    for (const char *next = allowed; good && next; allowed = next) {
        size_t length = strcspn(allowed, ",");
        good = is_origin(allowed, length);
        next = allowed[length] ? allowed + length + 1 : NULL;
    }
    return good;
}

/* Origins arrive normalised and are compared byte for byte (RFC 6454 §5). */
static bool is_listed(const char *allowed, const char *origin) {
    size_t wanted = strlen(origin);
    for (const char *next = allowed; next; allowed = next) {
        size_t length = strcspn(allowed, ",");
        if (length == wanted && length > 0 && memcmp(allowed, origin, length) == 0)
            return true;
        next = allowed[length] ? allowed + length + 1 : NULL;
    }
    return false;
}

static void add(cors *out, const char *name, const char *value) {
    out->headers[out->count].name = name;
    out->headers[out->count].value = value;
    out->count++;
}

/* A preflight for a method or header that is not allowed gets the same answer, and the browser
 * refuses the request. With * also a request without an origin gets the fields (Fetch, "CORS
 * protocol and HTTP caches"): a cache may keep its answer for a page. */
void cors_answer(const char *allowed, const cors_request *r, const char *methods, cors *out) {
    bool any = is_any(allowed);
    *out = (cors){.vary = *allowed && !any};
    if (!*allowed || (!any && (!r->origin || !is_listed(allowed, r->origin))))
        return;
    add(out, "Access-Control-Allow-Origin", any ? "*" : r->origin);
    if (strcmp(r->method, "OPTIONS") != 0 || !r->wanted) {
        add(out, "Access-Control-Expose-Headers", read);
        return;
    }
    add(out, "Access-Control-Allow-Methods", methods);
    add(out, "Access-Control-Allow-Headers", sent);
    add(out, "Access-Control-Max-Age", age);
}
