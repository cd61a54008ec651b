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

void media_type_check(const char *type, const char *encoding, problem *p) {
    if (encoding && !is_identity(encoding)) {
        p->uncoded = true;
        problem_add(
            p, 415, "Content-Encoding",
            "Content-Encoding is '%.40s', but a body must not have a content coding; send the "
            "body uncompressed",
            encoding);
    }
    if (type && strncasecmp(type, "multipart/", 10) == 0)
        problem_add(
            p, 415, "Content-Type",
            "Content-Type is '%.60s', but multipart bodies are not supported. Send one file "
            "as the whole body, with the samples as an array named x: application/x-npy, "
            "npz, safetensors, or application/octet-stream with x_shape and x_dtype (curl "
            "--data-binary @x.npy instead of curl -F). 'fmixd import' converts images to "
            "arrays",
            type);
}
