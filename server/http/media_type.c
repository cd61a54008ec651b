#include "media_type.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Returns true if every coding of the list is identity; true for an empty list. */
static bool is_identity(const char *list) {
    static const char gap[] = " \t,", identity[] = "identity";
    for (list += strspn(list, gap); *list; list += strspn(list, gap)) {
        size_t length = strcspn(list, gap);
        if (length != sizeof identity - 1 || strncasecmp(list, identity, length) != 0)
            return false;
        list += length;
    }
    return true;
}

static bool begins(const char *type, const char *with) {
    return strncasecmp(type, with, strlen(with)) == 0;
}

void media_type_check(const char *type, const char *encoding, problem *p) {
    static const char form[] = "multipart/form-data";
    if (encoding && !is_identity(encoding)) {
        p->uncoded = true;
        problem_add(
            p, 415, "Content-Encoding",
            "Content-Encoding is '%.40s', but a body must not have a content coding; send the "
            "body uncompressed",
            encoding);
    }
    if (!type || !begins(type, "multipart/"))
        return;
    if (!begins(type, form) || !strchr("; \t", type[sizeof form - 1]))
        problem_add(p, 415, "Content-Type",
                    "Content-Type is '%.60s', but the only multipart bodies that are supported are "
                    "multipart/form-data, as of curl -F",
                    type);
}
