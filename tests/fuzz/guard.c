/* Lines: method, version, target, then fields as name:value. What the guard lets pass is
 * unambiguous. */
#include "fuzz.h"

#include "http/guard.h"

#include <strings.h>

static size_t count(const guard_request *r, const char *name) {
    size_t n = 0;
    for (size_t i = 0; i < r->count; i++)
        n += strlen(name) == r->fields[i].name_length &&
             strncasecmp(name, r->fields[i].name, r->fields[i].name_length) == 0;
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static guard_field fields[GUARD_FIELDS];
    char *text = malloc(size + 1), *lines[3] = {"", "", ""};
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = 0;
    char *end = text + size, *at = text;
    guard_request r = {.fields = fields};
    for (size_t n = 0; at < end; n++) {
        char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop ? stop : end;
        *stop = 0;
        char *colon = memchr(at, ':', (size_t)(stop - at));
        if (n < 3)
            lines[n] = at;
        else if (r.count < GUARD_FIELDS)
            fields[r.count++] =
                (guard_field){at, colon ? colon + 1 : "", (size_t)((colon ? colon : stop) - at),
                              colon ? (size_t)(stop - colon - 1) : 0};
        at = stop + 1;
    }
    r.method = lines[0];
    r.version = lines[1];
    r.target = lines[2];
    r.target_length = strlen(lines[2]);
    r.form = guard_target(lines[2]);
    problem p = {0};
    bool good = guard_check(&r, &p);
    FUZZ_ASSERT(good == (p.status == 0));
    if (good) {
        FUZZ_ASSERT(count(&r, "Host") <= 1);
        FUZZ_ASSERT(count(&r, "Content-Length") + count(&r, "Transfer-Encoding") <= 1);
    }
    if (good)
        FUZZ_ASSERT(r.form < GUARD_UNCLEAN && *guard_path(lines[2]));
    free(text);
    return 0;
}
