#include "manifest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FORMAT 1 /* the value of "fmixd" in manifest.json */

/* Indexed by dtype and by query_layout. */
static const char *const type_names[DTYPE_COUNT] = {
    [DTYPE_F32] = "f32",   [DTYPE_U8] = "u8",     [DTYPE_I64] = "i64", [DTYPE_F64] = "f64",
    [DTYPE_BOOL] = "bool", [DTYPE_I8] = "i8",     [DTYPE_I16] = "i16", [DTYPE_I32] = "i32",
    [DTYPE_F16] = "f16",   [DTYPE_BF16] = "bf16",
};
static const char *const layout_names[] = {
    [LAYOUT_CHANNELS_FIRST] = "channels_first",
    [LAYOUT_CHANNELS_LAST] = "channels_last",
    [LAYOUT_NONE] = "none",
};
/* Indexed by dataset_head.numbers. */
static const char *const kind_names[] = {"rows", "numbers"};

#define DATA_FILE   "data.bin"
#define LABELS_STEM "labels"
#define LABELS_END  ".bin"
#define LAYOUTS     ((unsigned)(sizeof layout_names / sizeof *layout_names))

/* ---- names ---- */

bool manifest_name_is_valid(const char *name) {
    size_t length =
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
    return length > 0 && length <= DATASET_NAME && name[length] == 0;
}

bool manifest_head_is_valid(const char *name) {
    return strcmp(name, "y") == 0 ||
           (strncmp(name, "y.", 2) == 0 && manifest_name_is_valid(name + 2) &&
            strlen(name) < ARRAY_NAME);
}

const char *manifest_type_name(dtype type) {
    return type_names[type];
}

const char *manifest_layout_name(unsigned layout) {
    return layout_names[layout];
}

/* The index of a name in a table, or `count` if the table does not hold the name. */
static unsigned index_of(const char *const *names, unsigned count, const char *name) {
    unsigned i = 0;
    while (i < count && strcmp(names[i], name) != 0)
        i++;
    return i;
}

bool manifest_layout_of(const char *name, unsigned *out) {
    unsigned i = index_of(layout_names, LAYOUTS, name);
    if (i == LAYOUTS)
        return false;
    *out = i;
    return true;
}

/* ---- files ---- */

void manifest_file_name(const dataset *d, unsigned number, char out[MANIFEST_FILE_NAME]) {
    if (number == 0)
        snprintf(out, MANIFEST_FILE_NAME, "%s", DATA_FILE);
    else /* the head is y or y.NAME */
        snprintf(out, MANIFEST_FILE_NAME, LABELS_STEM "%s" LABELS_END,
                 d->head[number - 1].name + 1);
}

bool manifest_file_bytes(const dataset *d, unsigned number, uint64_t *out) {
    const dataset_head *h = number ? &d->head[number - 1] : NULL;
    uint64_t row = !h ? d->row_bytes : h->numbers ? 4 : 4 * h->classes;
    *out = d->count * row;
    return row == 0 || d->count <= UINT64_MAX / row;
}

bool manifest_owns_file(const char *name) {
    size_t length = strlen(name), stem = strlen(LABELS_STEM), end = strlen(LABELS_END);
    return strcmp(name, MANIFEST_NAME) == 0 || strcmp(name, DATA_FILE) == 0 ||
           (length >= stem + end && strncmp(name, LABELS_STEM, stem) == 0 &&
            strcmp(name + length - end, LABELS_END) == 0);
}

/* ---- reading ---- */

static const char *text_of(const json_t *o, const char *key) {
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

/* An integer of at least 1. */
static bool read_count(const json_t *value, uint64_t *out) {
    if (!json_is_integer(value) || json_integer_value(value) < 1)
        return false;
    *out = (uint64_t)json_integer_value(value);
    return true;
}

/* The shape of a row, and the bytes of a row; those of all rows fit a size_t. */
static bool read_shape(const json_t *root, dataset *out) {
    const json_t *shape = json_object_get(root, "shape");
    size_t rank = json_array_size(shape), bytes = dtype_table[out->type].size;
    if (rank < 1 || rank > QUERY_RANK - 1)
        return false;
    out->rank = (unsigned)rank;
    for (unsigned i = 0; i < out->rank; i++) {
        if (!read_count(json_array_get(shape, i), &out->side[i]) || out->side[i] > UINT32_MAX ||
            bytes > SIZE_MAX / out->side[i])
            return false;
        bytes *= (size_t)out->side[i];
    }
    out->row_bytes = bytes;
    return out->count <= SIZE_MAX / bytes;
}

static bool has_head(const dataset *d, const char *name) {
    for (unsigned i = 0; i < d->heads; i++)
        if (strcmp(d->head[i].name, name) == 0)
            return true;
    return false;
}

static bool read_head(const json_t *o, dataset *out) {
    dataset_head *h = &out->head[out->heads];
    const char *name = text_of(o, "name");
    unsigned kind = index_of(kind_names, 2, text_of(o, "kind"));
    if (!manifest_head_is_valid(name) || has_head(out, name) || kind == 2 ||
        !read_count(json_object_get(o, "classes"), &h->classes) || h->classes > FMIX_MAX_CLASSES)
        return false;
    snprintf(h->name, sizeof h->name, "%s", name);
    h->numbers = kind == 1;
    out->heads++;
    return true;
}

static bool read_heads(const json_t *root, dataset *out) {
    const json_t *heads = json_object_get(root, "heads");
    if (!json_is_array(heads) || json_array_size(heads) > DATASET_HEADS)
        return false;
    for (size_t i = 0; i < json_array_size(heads); i++)
        if (!read_head(json_array_get(heads, i), out))
            return false;
    return true;
}

static bool read_digest(const json_t *root, dataset *out) {
    const char *digest = text_of(root, "digest");
    snprintf(out->digest, sizeof out->digest, "%s", digest);
    return strlen(digest) == DATASET_DIGEST && strspn(digest, "0123456789abcdef") == DATASET_DIGEST;
}

/* "manifest.json: KEY must be one of A, B, C" */
static bool refuse_name(const char *key, const char *const *names, unsigned count,
                        char reason[MANIFEST_REASON]) {
    size_t used =
        (size_t)snprintf(reason, MANIFEST_REASON, MANIFEST_NAME ": %s must be one of", key);
    for (unsigned i = 0; i < count && used < MANIFEST_REASON; i++)
        used += (size_t)snprintf(reason + used, MANIFEST_REASON - used, "%s %s", i ? "," : "",
                                 names[i]);
    return false;
}

static bool refuse(const char *text, char reason[MANIFEST_REASON]) {
    snprintf(reason, MANIFEST_REASON, MANIFEST_NAME "%s", text);
    return false;
}

bool manifest_read(const json_t *root, dataset *out, char reason[MANIFEST_REASON]) {
    if (json_integer_value(json_object_get(root, "fmixd")) != FORMAT)
        return refuse(" is not of a known format: it must say \"fmixd\": 1", reason);
    if (!read_count(json_object_get(root, "count"), &out->count) || out->count > FMIX_MAX_SAMPLES)
        return refuse(": count must be an integer of at least 1", reason);
    unsigned type = index_of(type_names, DTYPE_COUNT, text_of(root, "dtype"));
    if (type == DTYPE_COUNT)
        return refuse_name("dtype", type_names, DTYPE_COUNT, reason);
    out->type = (dtype)type;
    if (!read_shape(root, out))
        return refuse(": shape must hold the one to four dimensions of a row", reason);
    if (!manifest_layout_of(text_of(root, "layout"), &out->layout))
        return refuse_name("layout", layout_names, LAYOUTS, reason);
    if (!read_heads(root, out))
        return refuse(": heads must be a list of objects with name (y or y.NAME, each once), kind "
                      "(numbers or rows) and classes",
                      reason);
    return read_digest(root, out) || refuse(": digest must be 64 hexadecimal digits", reason);
}

/* ---- writing ---- */

static json_t *shape_of(const dataset *d) {
    json_t *shape = json_array();
    for (unsigned i = 0; i < d->rank; i++)
        shape = json_append(shape, json_integer((json_int_t)d->side[i]));
    return shape;
}

static json_t *heads_of(const dataset *d) {
    json_t *heads = json_array();
    for (unsigned i = 0; i < d->heads; i++)
        heads = json_append(heads, json_pack("{ss ss sI}", "name", d->head[i].name, "kind",
                                             kind_names[d->head[i].numbers], "classes",
                                             (json_int_t)d->head[i].classes));
    return heads;
}

json_t *manifest_write(const dataset *d, json_t *class_names) {
    return json_pack("{si sI ss so ss so sO ss}", "fmixd", FORMAT, "count", (json_int_t)d->count,
                     "dtype", type_names[d->type], "shape", shape_of(d), "layout",
                     layout_names[d->layout], "heads", heads_of(d), "class_names", class_names,
                     "digest", d->digest);
}

void manifest_print_facts(const dataset *d, buffer *out) {
    buffer_print(out, "fmixd %d\n%" PRIu64 " %s %s", FORMAT, d->count, type_names[d->type],
                 layout_names[d->layout]);
    for (unsigned i = 0; i < d->rank; i++)
        buffer_print(out, " %" PRIu64, d->side[i]);
    for (unsigned i = 0; i < d->heads; i++)
        buffer_print(out, "\n%s %d %" PRIu64, d->head[i].name, d->head[i].numbers,
                     d->head[i].classes);
    buffer_text(out, "\n");
}
