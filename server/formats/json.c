/* One flat object: each tensor under its name as nested lists, and metadata as decimal text. */
#include "base/json_build.h"
#include "format.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* JSON does not have NaN and infinities: they become null. */
static json_t *element(dtype type, const unsigned char *at) {
    double value;
    switch (type) {
    case DTYPE_BOOL:
        return json_boolean(*at);
    case DTYPE_U8:
    case DTYPE_I8:
    case DTYPE_I16:
    case DTYPE_I32:
    case DTYPE_I64:
        return json_integer(dtype_integer(type, at));
    case DTYPE_F16:
    case DTYPE_BF16:
    case DTYPE_F32:
    case DTYPE_F64:
        value = dtype_real(type, at);
        return isfinite(value) ? json_real(value) : json_null();
    case DTYPE_U16:
    case DTYPE_U32:
    case DTYPE_U64:
    case DTYPE_READ:
        break;
    }
    return NULL;
}

static json_t *nested(const tensor *t, unsigned side, const unsigned char **at) {
    if (side == t->rank) {
        json_t *value = element(t->type, *at);
        *at += dtype_table[t->type].size;
        return value;
    }
    json_t *list = json_array();
    for (uint64_t i = 0; i < t->shape[side]; i++)
        if (json_array_append_new(list, nested(t, side + 1, at)) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static bool encode(const tensor_source *s, const unsigned char *const *data, buffer *out) {
    json_t *root = json_object();
    bool good = root != NULL;
    for (unsigned i = 0; i < s->metas && good; i++) {
        char text[24];
        snprintf(text, sizeof text, "%" PRIu64, s->meta[i].value);
        good = json_object_set_new(root, s->meta[i].name, json_string(text)) == 0;
    }
    for (unsigned i = 0; i < s->count && good; i++) {
        const unsigned char *at = data[i];
        good = json_object_set_new(root, s->tensors[i].name, nested(&s->tensors[i], 0, &at)) == 0;
    }
    if (good)
        return json_print_line(root, out);
    json_decref(root);
    return false;
}

/* jansson keeps a node of at most 48 bytes and a pointer for each element. The text, of at most 25
 * characters an element, is dumped before it is copied. */
static uint64_t working(const tensor_source *s) {
    uint64_t bytes = 0;
    for (unsigned i = 0; i < s->count; i++)
        bytes += tensor_bytes(&s->tensors[i]) / dtype_table[s->tensors[i].type].size * 96;
    return bytes;
}

static double cost(const tensor_source *s, uint64_t nodes) {
    (void)s;
    return 300 * (double)nodes;
}

const format format_json = {
    .name = "json",
    .media_type = "application/json",
    .kind = FORMAT_ARRAYS,
    .version = 1,
    .all = true,
    .most = 3 << 19, /* an element or list costs some 50 bytes while it is built */
    .encode = encode,
    .cost = cost,
    .working = working,
};
