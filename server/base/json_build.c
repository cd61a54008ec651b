#include "json_build.h"

json_t *json_set(json_t *object, const char *key, json_t *value) {
    if (object && json_object_set_new(object, key, value) == 0)
        return object;
    if (!object)
        json_decref(value);
    json_decref(object);
    return NULL;
}

json_t *json_append(json_t *array, json_t *value) {
    if (array && json_array_append_new(array, value) == 0)
        return array;
    if (!array)
        json_decref(value);
    json_decref(array);
    return NULL;
}

static int append(const char *bytes, size_t length, void *out) {
    return buffer_add(out, bytes, length) ? 0 : -1;
}

bool json_print(const json_t *value, size_t flags, buffer *out) {
    if (!value || json_dump_callback(value, append, out, flags) != 0)
        out->failed = true;
    return !out->failed;
}

bool json_print_line(json_t *value, buffer *out) {
    bool good = json_print(value, JSON_COMPACT, out) && buffer_text(out, "\n");
    json_decref(value);
    return good;
}
