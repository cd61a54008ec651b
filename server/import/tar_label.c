#include "tar_label.h"
#include "base/json_build.h"

#include <stdio.h>
#include <string.h>

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool tar_label_cls(const char *text, size_t length, tar_label *out) {
    size_t digits = 0;
    while (length > 0 && is_space(text[length - 1]))
        length--;
    for (; length > 0 && is_space(*text); text++)
        length--;
    *out = (tar_label){.kind = TAR_LABEL_NUMBER};
    for (; digits < length && text[digits] >= '0' && text[digits] <= '9' && digits < 18; digits++)
        out->number = 10 * out->number + (uint64_t)(text[digits] - '0');
    return digits > 0 && digits == length;
}

static bool take(const json_t *label, tar_label *out) {
    const char *name = json_string_value(label);
    if (json_is_integer(label) && json_integer_value(label) >= 0) {
        out->kind = TAR_LABEL_NUMBER;
        out->number = (uint64_t)json_integer_value(label);
        return true;
    }
    if (!name || !name[0] || strlen(name) >= sizeof out->name)
        return false;
    out->kind = TAR_LABEL_NAMED;
    snprintf(out->name, sizeof out->name, "%s", name);
    return true;
}

bool tar_label_json(const char *text, size_t length, tar_label *out) {
    json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
    const json_t *label = json_object_get(root, "label");
    *out = (tar_label){.kind = TAR_LABEL_NONE};
    bool good = json_is_object(root) && (!label || take(label, out));
    json_decref(root);
    return good;
}
