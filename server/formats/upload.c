#include "upload.h"
#include "label_array.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const array *upload_find(const upload *u, const char *name) {
    for (unsigned i = 0; i < u->count; i++)
        if (strcmp(u->arrays[i].name, name) == 0)
            return &u->arrays[i];
    return NULL;
}

const char *array_suffix(const char *name, const char *stem) {
    size_t length = strlen(stem);
    if (strncmp(name, stem, length) != 0)
        return NULL;
    const char *rest = name + length;
    return rest[0] == 0 || (rest[0] == '.' && rest[1]) ? rest : NULL;
}

void array_print_sides(const uint64_t *side, unsigned sides, char *out, size_t room) {
    size_t used = 0;
    out[0] = 0;
    for (unsigned i = 0; i < sides && used < room; i++)
        used += (size_t)snprintf(out + used, room - used, "%s%" PRIu64, i ? "x" : "", side[i]);
}

bool array_same(const array *a, const array *b) {
    return a->type == b->type && a->rank == b->rank &&
           memcmp(a->shape, b->shape, a->rank * sizeof *a->shape) == 0;
}

const array *upload_partners(const upload *u, const array *of, const char *stem, const char *suffix,
                             problem *p) {
    char name[2 * ARRAY_NAME];
    snprintf(name, sizeof name, "%s%s", stem, suffix);
    const array *partners = upload_find(u, name);
    if (partners && array_same(partners, of))
        return partners;
    problem_add(p, 400, name, "with x2, %s is required, with the shape and dtype of %s", name,
                of->name);
    return NULL;
}

/* The length of the letters, digits and _ that the text begins with. */
static size_t word_length(const char *text, size_t length) {
    size_t n = 0;
    while (n < length &&
           ((text[n] >= 'a' && text[n] <= 'z') || (text[n] >= 'A' && text[n] <= 'Z') ||
            (text[n] >= '0' && text[n] <= '9') || text[n] == '_'))
        n++;
    return n;
}

static bool is_name(const char *text, size_t length) {
    size_t at = word_length(text, length);
    bool good = at > 0 && length < ARRAY_NAME;
    while (good && at < length) {
        size_t n = word_length(text + at + 1, length - at - 1);
        good = (text[at] == '.' || text[at] == '-') && n > 0;
        at += 1 + n;
    }
    return good;
}

array *upload_add(upload *u, const char *name, size_t length, problem *p) {
    array a = {.name = ""};
    if (!is_name(name, length)) {
        problem_add(p, 400, "body",
                    "the body holds an array named '%.*s'; a name has at most %d characters: "
                    "letters, digits and _, with single . and - between them",
                    length < 40 ? (int)length : 40, name, ARRAY_NAME - 1);
        return NULL;
    }
    memcpy(a.name, name, length);
    if (upload_find(u, a.name)) {
        problem_add(p, 400, a.name, "the body holds two arrays named %s", a.name);
        return NULL;
    }
    if (u->count == UPLOAD_ARRAYS) {
        problem_add(p, 400, "body", "the body holds more than %d arrays", UPLOAD_ARRAYS);
        return NULL;
    }
    u->arrays[u->count] = a;
    return &u->arrays[u->count++];
}

void upload_swap(upload *u) {
    for (unsigned i = 0; i < u->count; i++) {
        const array *a = &u->arrays[i];
        size_t length = dtype_table[a->type].size;
        for (unsigned d = 0; d < a->rank; d++)
            length *= (size_t)a->shape[d]; /* array_check has checked for overflow */
        dtype_swap(a->type, (unsigned char *)a->bytes, length);
    }
}

bool array_check(const array *a, uint64_t bytes, problem *p) {
    uint64_t needed = dtype_table[a->type].size;
    if (a->type >= DTYPE_COUNT && !label_named(a->name)) {
        problem_add(p, 400, a->name,
                    "%s has type %s, which only labels (y, y.NAME) may have; use u8, i8 to i64, "
                    "f16, bf16, f32, f64 or bool",
                    a->name, dtype_table[a->type].name);
        return false;
    }
    for (unsigned d = 0; d < a->rank; d++) {
        if (a->shape[d] == 0) {
            problem_add(p, 400, a->name,
                        "dimension %u of %s is 0; every dimension must be at least 1", d, a->name);
            return false;
        }
        if (needed > UINT64_MAX / a->shape[d]) {
            problem_add(p, 413, a->name, "the shape of %s has too many elements", a->name);
            return false;
        }
        needed *= a->shape[d];
    }
    if (needed != bytes) {
        problem_add(p, 400, a->name,
                    "%s needs %" PRIu64 " bytes for its shape and type, but has %" PRIu64, a->name,
                    needed, bytes);
        return false;
    }
    return true;
}
