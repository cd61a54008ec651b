#include "media_type.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Whether each coding of a list is identity; an empty list is. */
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

void media_type_check(const char *type, const char *encoding, problem *p) {
    if (encoding && !is_identity(encoding)) {
        p->uncoded = true;
        problem_add(p, 415, "Content-Encoding",
                    "Content-Encoding is '%.40s'; a body is taken without a content coding, so "
                    "send it as it was before it was compressed",
                    encoding);
    }
    if (type && strncasecmp(type, "multipart/", 10) == 0)
        problem_add(p, 415, "Content-Type",
                    "Content-Type is '%.60s'; a body of several parts is not taken. Send one file "
                    "as the whole body, the samples as an array x: application/x-npy, npz, "
                    "safetensors, or application/octet-stream with x_shape and x_dtype (curl "
                    "--data-binary @x.npy instead of curl -F). Pictures become arrays by 'fmixd "
                    "import'",
                    type);
}
