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
static const char *const kind_names[DATASET_HEAD_KINDS] = {
    [DATASET_ROWS] = "rows",
    [DATASET_NUMBERS] = "numbers",
    [DATASET_VALUES] = "values",
};
static const char *const store_names[DATASET_STORES] = {
    [DATASET_FILES] = "files",
    [DATASET_PIXELS] = "pixels",
};

#define LAYOUTS ((unsigned)(sizeof layout_names / sizeof *layout_names))

/* ---- names ---- */

bool manifest_name_is_valid(const char *name) {
    size_t length =
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
    return length > 0 && length <= DATASET_NAME && name[length] == 0;
}

/* Returns true if the name is the stem, or the stem with a NAME behind a dot. */
static bool has_stem(const char *name, const char *stem) {
    size_t length = strlen(stem);
    return strncmp(name, stem, length) == 0 && strlen(name) < ARRAY_NAME &&
           (name[length] == 0 ||
            (name[length] == '.' && manifest_name_is_valid(name + length + 1)));
}

bool manifest_head_is_valid(const char *name) {
    return has_stem(name, "y");
}

bool manifest_dense_is_valid(const char *name) {
    return has_stem(name, "dense");
}

const char *manifest_type_name(dtype type) {
    return type_names[type];
}

const char *manifest_layout_name(unsigned layout) {
    return layout_names[layout];
}

const char *manifest_kind_name(dataset_head_kind kind) {
    return kind_names[kind];
}

const char *manifest_store_name(dataset_store store) {
    return store_names[store];
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

bool manifest_store_of(const char *name, unsigned *out) {
    *out = index_of(store_names, DATASET_STORES, name);
    return *out < DATASET_STORES;
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

/* A dimension of a row; one that each row has of its own is null, which reads as 0. */
static bool read_side(const json_t *value, bool null, uint64_t *out) {
    *out = 0;
    return null ? json_is_null(value) : read_count(value, out) && *out <= UINT32_MAX;
}

/* The shape of a row, of which the first `open` dimensions are each row's own, and the bytes of a
 * row; those of all rows fit a size_t. */
static bool read_shape(const json_t *shape, unsigned open, uint64_t rows, dataset_array *out) {
    size_t rank = json_array_size(shape), bytes = dtype_table[out->type].size;
    if (rank < 1 || rank > QUERY_RANK - 1 || rank < open)
        return false;
    out->rank = (unsigned)rank;
    for (unsigned i = 0; i < out->rank; i++) {
        bool own = i < open;
        uint64_t side = 1;
        if (!read_side(json_array_get(shape, i), own, &out->side[i]))
            return false;
        side = own ? 1 : out->side[i];
        if (bytes > SIZE_MAX / side)
            return false;
        bytes *= (size_t)side;
    }
    out->row_bytes = bytes;
    return rows <= SIZE_MAX / bytes;
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
    unsigned kind = index_of(kind_names, DATASET_HEAD_KINDS, text_of(o, "kind"));
    if (!manifest_head_is_valid(name) || has_head(out, name) || kind == DATASET_HEAD_KINDS ||
        !read_count(json_object_get(o, "classes"), &h->classes) || h->classes > FMIX_MAX_CLASSES ||
        (kind == DATASET_VALUES && h->classes != 1))
        return false;
    snprintf(h->name, sizeof h->name, "%s", name);
    h->kind = (dataset_head_kind)kind;
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

static bool has_dense(const dataset *d, const char *name) {
    for (unsigned i = 0; i < d->denses; i++)
        if (strcmp(d->dense[i].name, name) == 0)
            return true;
    return false;
}

/* The dense targets of an image set are label maps. */
static bool is_map(const dataset_array *a) {
    return a->type == DTYPE_U8 && a->rank == 2 && a->layout == LAYOUT_NONE;
}

static bool read_dense(const json_t *o, dataset *out) {
    dataset_array *a = &out->dense[out->denses];
    const char *name = text_of(o, "name");
    unsigned type = index_of(type_names, DTYPE_COUNT, text_of(o, "dtype"));
    if (!manifest_dense_is_valid(name) || has_dense(out, name) || type == DTYPE_COUNT)
        return false;
    snprintf(a->name, sizeof a->name, "%s", name);
    a->type = (dtype)type;
    if (!read_shape(json_object_get(o, "shape"), out->images ? 2 : 0, out->count, a) ||
        !manifest_layout_of(text_of(o, "layout"), &a->layout) || !dataset_array_fits(a, &out->x) ||
        (out->images && !is_map(a)))
        return false;
    out->denses++;
    return true;
}

/* Sets without dense targets have no such key, as those have that were written before there were
 * any; so it is with neighbours and ragged. */
static bool read_denses(const json_t *root, dataset *out) {
    const json_t *list = json_object_get(root, "dense");
    if (!list)
        return true;
    if (out->ragged || json_array_size(list) < 1 || json_array_size(list) > DATASET_DENSE)
        return false;
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!read_dense(json_array_get(list, i), out))
            return false;
    return true;
}

static bool read_neighbours(const json_t *root, dataset *out) {
    const json_t *k = json_object_get(root, "neighbours");
    return !k || (read_count(k, &out->neighbours.k) && out->neighbours.k <= DATASET_NEIGHBOURS);
}

static bool read_ragged(const json_t *root, dataset *out) {
    const json_t *ragged = json_object_get(root, "ragged");
    out->ragged = json_is_true(ragged);
    return !ragged || out->ragged;
}

static bool read_images(const json_t *root, dataset *out) {
    const json_t *images = json_object_get(root, "images");
    unsigned store;
    if (!images)
        return true;
    out->images = !out->ragged && manifest_store_of(text_of(images, "store"), &store);
    out->store = out->images ? (dataset_store)store : DATASET_FILES;
    return out->images;
}

/* The pictures of an image set are grey, or RGB with the channels behind each other. */
static bool fits_images(const dataset_array *x) {
    return x->type == DTYPE_U8 &&
           ((x->rank == 2 && x->layout == LAYOUT_NONE) ||
            (x->rank == 3 && x->side[2] == 3 && x->layout == LAYOUT_CHANNELS_LAST));
}

static bool read_digest(const json_t *root, const char *key, char out[DATASET_DIGEST + 1]) {
    const char *digest = text_of(root, key);
    snprintf(out, DATASET_DIGEST + 1, "%s", digest);
    return strlen(digest) == DATASET_DIGEST && strspn(digest, "0123456789abcdef") == DATASET_DIGEST;
}

/* Of a ragged set, beside its pieces: nobody reads all offsets when such a set is opened. */
static bool read_lengths(const json_t *root, dataset *out) {
    const json_t *lengths = json_object_get(root, "lengths");
    return read_count(json_object_get(lengths, "least"), &out->shortest) &&
           read_count(json_object_get(lengths, "most"), &out->longest) &&
           read_count(json_object_get(lengths, "total"), &out->steps) &&
           out->shortest <= out->longest && out->longest <= UINT32_MAX &&
           out->longest <= out->steps;
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

/* The facts of x, and the layout of rows. */
static bool read_x(const json_t *root, dataset *out, char reason[MANIFEST_REASON]) {
    unsigned type = index_of(type_names, DTYPE_COUNT, text_of(root, "dtype"));
    snprintf(out->x.name, sizeof out->x.name, "x");
    if (type == DTYPE_COUNT)
        return refuse_name("dtype", type_names, DTYPE_COUNT, reason);
    out->x.type = (dtype)type;
    if (!read_ragged(root, out))
        return refuse(": ragged must be true, or missing", reason);
    if (!read_images(root, out))
        return refuse(": images must be an object whose store is files or pixels, or missing, as "
                      "where ragged is true",
                      reason);
    unsigned open = out->images ? 2 : out->ragged;
    if (!read_shape(json_object_get(root, "shape"), open, out->count, &out->x))
        return refuse(": shape must hold the one to four dimensions of a row; the first is null "
                      "if ragged is true, and the first two are with images",
                      reason);
    if (!manifest_layout_of(text_of(root, "layout"), &out->x.layout))
        return refuse_name("layout", layout_names, LAYOUTS, reason);
    if (out->images && !fits_images(&out->x))
        return refuse(": the rows of an image set must be u8, of shape [null, null] with layout "
                      "none, or [null, null, 3] with layout channels_last",
                      reason);
    return !out->ragged || out->x.layout != LAYOUT_CHANNELS_FIRST ||
           refuse(": layout must be channels_last or none if ragged is true", reason);
}

/* Sets that were written before there were pieces have no such key. */
static bool read_pieces(const json_t *root, dataset *out, char reason[MANIFEST_REASON]) {
    if (!json_object_get(root, "pieces"))
        return true;
    if (!read_digest(root, "pieces", out->pieces))
        return refuse(": pieces must be 64 hexadecimal digits", reason);
    return !out->ragged || read_lengths(root, out) ||
           refuse(": lengths must have least, most and total, the lengths of rows in steps, if "
                  "ragged is true and there are pieces",
                  reason);
}

bool manifest_read(const json_t *root, dataset *out, char reason[MANIFEST_REASON]) {
    if (json_integer_value(json_object_get(root, "fmixd")) != FORMAT)
        return refuse(" is not of a known format: it must say \"fmixd\": 1", reason);
    if (!read_count(json_object_get(root, "count"), &out->count) || out->count > FMIX_MAX_SAMPLES)
        return refuse(": count must be an integer of at least 1", reason);
    if (!read_x(root, out, reason))
        return false;
    if (!read_heads(root, out))
        return refuse(": heads must be a list of objects with name (y or y.NAME, each once), kind "
                      "(numbers, rows or values) and classes (of values 1)",
                      reason);
    if (!read_denses(root, out))
        return refuse(
            ": dense must be a list of objects with name (dense or dense.NAME, each "
            "once), dtype, shape and layout, and with the spatial dimensions of shape; of "
            "an image set u8, [null, null] and none",
            reason);
    if (!read_neighbours(root, out))
        return refuse(": neighbours must be an integer from 1 to 1024", reason);
    if (!read_digest(root, "digest", out->digest))
        return refuse(": digest must be 64 hexadecimal digits", reason);
    return read_pieces(root, out, reason);
}

/* ---- writing ---- */

json_t *manifest_shape(const dataset_array *a) {
    json_t *shape = json_array();
    for (unsigned i = 0; i < a->rank; i++)
        shape = json_append(shape, a->side[i] ? json_integer((json_int_t)a->side[i]) : json_null());
    return shape;
}

static json_t *heads_of(const dataset *d) {
    json_t *heads = json_array();
    for (unsigned i = 0; i < d->heads; i++)
        heads = json_append(heads, json_pack("{ss ss sI}", "name", d->head[i].name, "kind",
                                             kind_names[d->head[i].kind], "classes",
                                             (json_int_t)d->head[i].classes));
    return heads;
}

static json_t *denses_of(const dataset *d) {
    json_t *list = json_array();
    for (unsigned i = 0; i < d->denses; i++) {
        const dataset_array *a = &d->dense[i];
        list = json_append(list, json_pack("{ss ss so ss}", "name", a->name, "dtype",
                                           type_names[a->type], "shape", manifest_shape(a),
                                           "layout", layout_names[a->layout]));
    }
    return list;
}

json_t *manifest_lengths(const dataset *d) {
    return json_pack("{sI sI sI}", "least", (json_int_t)d->shortest, "most", (json_int_t)d->longest,
                     "total", (json_int_t)d->steps);
}

size_t manifest_class_bytes(const char *name) {
    static const char around[] = ",\n   \"\"";
    size_t bytes = sizeof around;
    for (; *name; name++)
        bytes += (unsigned char)*name < ' ' ? 6 : *name == '"' || *name == '\\' ? 2 : 1;
    return bytes;
}

json_t *manifest_write(const dataset *d, json_t *class_names) {
    json_t *root =
        json_pack("{si sI ss so ss so sO}", "fmixd", FORMAT, "count", (json_int_t)d->count, "dtype",
                  type_names[d->x.type], "shape", manifest_shape(&d->x), "layout",
                  layout_names[d->x.layout], "heads", heads_of(d), "class_names", class_names);
    if (d->denses)
        root = json_set(root, "dense", denses_of(d));
    if (d->neighbours.k)
        root = json_set(root, "neighbours", json_integer((json_int_t)d->neighbours.k));
    if (d->ragged)
        root = json_set(root, "ragged", json_true());
    if (d->images)
        root = json_set(root, "images", json_pack("{ss}", "store", store_names[d->store]));
    root = json_set(root, "digest", json_string(d->digest));
    if (d->pieces[0] && d->ragged)
        root = json_set(root, "lengths", manifest_lengths(d));
    return d->pieces[0] ? json_set(root, "pieces", json_string(d->pieces)) : root;
}

/* "u8 none 28 28" */
static void print_array(const dataset_array *a, buffer *out) {
    buffer_print(out, "%s %s", type_names[a->type], layout_names[a->layout]);
    for (unsigned i = 0; i < a->rank; i++)
        buffer_print(out, " %" PRIu64, a->side[i]);
}

void manifest_print_facts(const dataset *d, buffer *out) {
    buffer_print(out, "fmixd %d\n%" PRIu64 " ", FORMAT, d->count);
    print_array(&d->x, out);
    for (unsigned i = 0; i < d->heads; i++)
        buffer_print(out, "\n%s %d %" PRIu64, d->head[i].name, (int)d->head[i].kind,
                     d->head[i].classes);
    for (unsigned i = 0; i < d->denses; i++) {
        buffer_print(out, "\n%s ", d->dense[i].name);
        print_array(&d->dense[i], out);
    }
    if (d->neighbours.k)
        buffer_print(out, "\nneighbours %" PRIu64, d->neighbours.k);
    if (d->images)
        buffer_print(out, "\nimages %s", store_names[d->store]);
    buffer_text(out, d->ragged ? "\nragged\n" : "\n");
}
