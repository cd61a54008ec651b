/*
 * vectors.h - reads the contract's golden vectors (tests/golden/stream.json)
 */
#ifndef VECTORS_H
#define VECTORS_H

#include "unit.h"

#include <jansson.h>

#define FILE_NAME "tests/golden/stream.json"
enum { MOST = 4096 };

static inline json_t *section(const char *name) {
    static json_t *all;
    json_error_t error;
    if (!all)
        all = json_load_file(FILE_NAME, 0, &error);
    if (!all)
        fail_msg("%s: %s (run from the project's root)", FILE_NAME, error.text);
    json_t *entries = json_object_get(all, name);
    assert_true(json_array_size(entries) > 0);
    return entries;
}

static inline const char *text(const json_t *v, const char *name) {
    const char *value = json_string_value(json_object_get(v, name));
    assert_non_null(value);
    return value;
}

static inline uint64_t large(const json_t *v, const char *name) {
    return strtoull(text(v, name), NULL, 10);
}

static inline double real(const json_t *v, const char *name) {
    assert_true(json_is_number(json_object_get(v, name)));
    return json_number_value(json_object_get(v, name));
}

static inline uint64_t whole(const json_t *v, const char *name) {
    return (uint64_t)real(v, name);
}

static inline bool is(const json_t *v, const char *name, const char *value) {
    const char *found = json_string_value(json_object_get(v, name));
    return found && strcmp(found, value) == 0;
}

static inline size_t bytes_of(const json_t *v, const char *name, unsigned char *out) {
    const char *hex = text(v, name);
    size_t n = strlen(hex) / 2;
    assert_true(n <= MOST);
    for (size_t i = 0; i < n; i++) {
        const char pair[] = {hex[2 * i], hex[2 * i + 1], 0};
        out[i] = (unsigned char)strtoul(pair, NULL, 16);
    }
    return n;
}

static inline uint64_t entry_of(const json_t *v, const char *name, size_t i) {
    return (uint64_t)json_integer_value(json_array_get(json_object_get(v, name), i));
}

static inline fmix_dtype type_of(const json_t *v, const char *name) {
    static const struct {
        const char *name;
        fmix_dtype type;
    } types[] = {{"u8", FMIX_DTYPE_U8},     {"f16", FMIX_DTYPE_F16},  {"f32", FMIX_DTYPE_F32},
                 {"bf16", FMIX_DTYPE_BF16}, {"f64", FMIX_DTYPE_F64},  {"i32", FMIX_DTYPE_I32},
                 {"i64", FMIX_DTYPE_I64},   {"bool", FMIX_DTYPE_BOOL}};
    size_t i = 0;
    while (!is(v, name, types[i].name))
        i++;
    return types[i].type;
}

#define EACH(v, name)                                                                              \
    json_t *v;                                                                                     \
    size_t v##_number;                                                                             \
    json_array_foreach(section(name), v##_number, v)

#endif
