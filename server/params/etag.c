#include "etag.h"
#include "base/text.h"

#include <sodium.h>
#include <string.h>

static void hash_text(crypto_generichash_state *state, const char *text) {
    crypto_generichash_update(state, (const unsigned char *)text, strlen(text));
}

void etag_make(const char *text, const char *resource, const char *format, unsigned version,
               char out[ETAG_ROOM]) {
    unsigned char digest[16];
    char number[TEXT_DIGITS + 1] = "", *end = number + TEXT_DIGITS;
    const char *const parts[] = {
        text, "\n", resource, "\n", format, " ", text_number(version, 1, end)};
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof digest);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        hash_text(&state, parts[i]);
    crypto_generichash_final(&state, digest, sizeof digest);
    out[0] = '"';
    sodium_bin2hex(out + 1, 2 * sizeof digest + 1, digest, sizeof digest);
    memcpy(out + 1 + 2 * sizeof digest, "\"", 2);
}

/* RFC 9110 §8.8.3.2 and §13.1: a list is tags, or * alone. A strong comparison never matches a weak
 * tag. Reading stops at the first mistake in the list. fmixd's own tags do not hold commas. */
static bool names(const char *list, const char *etag, bool strongly) {
    static const char space[] = " \t", gap[] = " \t,";
    size_t length = strlen(etag);
    list += strspn(list, space);
    if (*list == '*')
        return list[1 + strspn(list + 1, space)] == 0;
    for (list += strspn(list, gap); *list; list += strspn(list, gap)) {
        bool weak = strncmp(list, "W/", 2) == 0;
        list += weak ? 2 : 0;
        const char *close = *list == '"' ? strchr(list + 1, '"') : NULL;
        const char *end = close ? close + 1 + strspn(close + 1, space) : NULL;
        if (!end || (*end && *end != ','))
            return false;
        if (!(weak && strongly) && (size_t)(close + 1 - list) == length &&
            memcmp(list, etag, length) == 0)
            return true;
        list = end;
    }
    return false;
}

bool etag_matches(const char *list, const char *etag) {
    return list && names(list, etag, false);
}

bool etag_is_named(const char *list, const char *etag) {
    return list && names(list, etag, true);
}
