/* safetensors: eight bytes of header length, a JSON header, and the tensors one after the other.
 * The reader applies all rules of the format, because they are what makes a file safe. */
#include "base/json_build.h"
#include "format.h"
#include "label_array.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX      8
#define ALIGN       64
#define HEADER_MOST 100000000u /* the format's limit */
#define HEADER_READ (1u << 20) /* fmixd's limit: parsed JSON takes some 16 times its bytes */
#define METADATA    "__metadata__"

/* ---- writing ---- */

/* Sorts the tensors by the size of their elements, largest first, and keeps the order of equals. So
 * each tensor begins at a multiple of its element's size. */
static void sort_tensors(const tensor_source *s, const tensor **out) {
    for (unsigned i = 0; i < s->count; i++) {
        const tensor *t = &s->tensors[i];
        unsigned at = i;
        for (; at && dtype_table[out[at - 1]->type].size < dtype_table[t->type].size; at--)
            out[at] = out[at - 1];
        out[at] = t;
    }
}

static json_t *metadata_of(const tensor_source *s) {
    json_t *root = json_object();
    bool good = true;
    char text[24];
    for (unsigned i = 0; i < s->metas; i++) {
        snprintf(text, sizeof text, "%" PRIu64, s->meta[i].value);
        good = good && json_object_set_new(root, s->meta[i].name, json_string(text)) == 0;
    }
    if (s->recipe)
        good = good && json_object_set_new(root, "recipe", json_string(s->recipe)) == 0;
    if (good)
        return root;
    json_decref(root);
    return NULL;
}

static json_t *entry_of(const tensor *t, uint64_t start) {
    json_t *shape = json_array();
    for (unsigned d = 0; d < t->rank; d++)
        if (json_array_append_new(shape, json_integer((json_int_t)t->shape[d])) != 0) {
            json_decref(shape);
            return NULL;
        }
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtype_table[t->type].safetensors, "shape",
                     shape, "data_offsets", (json_int_t)start,
                     (json_int_t)(start + tensor_bytes(t)));
}

/* Appends the padded header. Without memory a value is NULL, which jansson passes on. */
static bool put_header(const tensor_source *s, const tensor *const *order, buffer *out) {
    json_t *root = json_object();
    uint64_t start = 0;
    bool good = json_object_set_new(root, METADATA, metadata_of(s)) == 0;
    for (unsigned i = 0; i < s->count && good; i++) {
        good = json_object_set_new(root, order[i]->name, entry_of(order[i], start)) == 0;
        start += tensor_bytes(order[i]);
    }
    good = good && start <= INT64_MAX && json_print(root, JSON_COMPACT, out);
    json_decref(root);
    while (good && (PREFIX + out->length) % ALIGN)
        good = buffer_text(out, " ");
    return good;
}

static bool lay_out(const tensor_source *s, outline *out) {
    const tensor *order[SOURCE_TENSORS] = {0};
    buffer header = buffer_of(HEADER_READ), head = buffer_of(PREFIX + HEADER_READ);
    sort_tensors(s, order);
    bool good = put_header(s, order, &header);
    unsigned char prefix[PREFIX];
    for (unsigned i = 0; i < PREFIX; i++)
        prefix[i] = (unsigned char)((uint64_t)header.length >> 8 * i);
    good =
        good && buffer_add(&head, prefix, PREFIX) && buffer_add(&head, header.bytes, header.length);
    buffer_free(&header);
    if (!good) {
        buffer_free(&head);
        return false;
    }
    good = outline_literal(out, &head);
    for (unsigned i = 0; i < s->count && good; i++)
        good = outline_tensor(out, order[i]);
    return good;
}

/* ---- reading ---- */

/* An array's place in the data. */
typedef struct span {
    uint64_t start, end;
} span;

static bool broken(problem *p, const char *why) {
    problem_add(p, 400, "body", "the safetensors body %s", why);
    return false;
}

static bool refuse(problem *p, const char *name, const char *why) {
    problem_add(p, 400, name, "%s of the safetensors body %s", name, why);
    return false;
}

static uint64_t header_length(const unsigned char *body) {
    uint64_t length = 0;
    for (unsigned i = 0; i < PREFIX; i++)
        length |= (uint64_t)body[i] << 8 * i;
    return length;
}

static bool find_type(const char *name, dtype *out) {
    for (unsigned i = 0; i < DTYPE_READ; i++)
        if (strcmp(dtype_table[i].safetensors, name) == 0) {
            *out = (dtype)i;
            return true;
        }
    return false;
}

static bool is_count(const json_t *value) {
    return json_is_integer(value) && json_integer_value(value) >= 0;
}

static bool read_shape(const json_t *shape, array *a, problem *p) {
    size_t rank = json_array_size(shape);
    if (!json_is_array(shape))
        return refuse(p, a->name, "has no shape");
    if (rank > QUERY_RANK) {
        problem_add(p, 400, a->name, "%s has more than %d dimensions", a->name, QUERY_RANK);
        return false;
    }
    a->rank = (unsigned)rank;
    for (size_t d = 0; d < rank; d++) {
        const json_t *side = json_array_get(shape, d);
        if (!is_count(side))
            return refuse(p, a->name, "has a dimension that is not a whole number");
        a->shape[d] = (uint64_t)json_integer_value(side);
    }
    return true;
}

static bool read_offsets(const json_t *offsets, uint64_t data, const array *a, span *out,
                         problem *p) {
    const json_t *start = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !is_count(start) || !is_count(end))
        return refuse(p, a->name, "has data_offsets that are not two whole numbers");
    *out = (span){(uint64_t)json_integer_value(start), (uint64_t)json_integer_value(end)};
    if (out->start > out->end || out->end > data)
        return refuse(p, a->name, "has data_offsets outside the data");
    return true;
}

static bool read_entry(const json_t *entry, const unsigned char *data, uint64_t length, array *a,
                       span *out, problem *p) {
    const char *type = json_string_value(json_object_get(entry, "dtype"));
    if (json_object_size(entry) != 3 || !type)
        return refuse(p, a->name, "must be described by dtype, shape and data_offsets alone");
    if (!find_type(type, &a->type) || (a->type >= DTYPE_COUNT && !label_named(a->name))) {
        problem_add(p, 400, a->name,
                    "%s has dtype '%.20s', which is not supported; U8, I8 to I64, F16, BF16, F32, "
                    "F64 and BOOL are, and for labels U16 to U64",
                    a->name, type);
        return false;
    }
    if (!read_shape(json_object_get(entry, "shape"), a, p) ||
        !read_offsets(json_object_get(entry, "data_offsets"), length, a, out, p))
        return false;
    a->bytes = data + out->start;
    return array_check(a, out->end - out->start, p);
}

/* Metadata map strings to strings. */
static bool check_metadata(json_t *object, problem *p) {
    const char *key;
    json_t *value;
    bool good = json_is_object(object);
    json_object_foreach(object, key, value) good = good && json_is_string(value);
    return good ? true : broken(p, "has a " METADATA " that is not an object of strings");
}

/* Every array begins where another ends, so that each byte belongs to one array. */
static bool check_whole(const span *spans, unsigned count, uint64_t length, problem *p) {
    uint64_t reached = 0;
    for (unsigned found = 0; found < count; found++) {
        unsigned i = 0;
        while (i < count && (spans[i].start != reached || spans[i].end == reached))
            i++;
        if (i == count)
            return broken(p, "has arrays that overlap, or a gap between arrays");
        reached = spans[i].end;
    }
    return reached == length ? true : broken(p, "has data that do not belong to an array");
}

static bool read_arrays(json_t *root, const unsigned char *data, uint64_t length, upload *out,
                        problem *p) {
    span spans[UPLOAD_ARRAYS];
    const char *key;
    json_t *entry;
    json_object_foreach(root, key, entry) {
        if (strcmp(key, METADATA) == 0) {
            if (!check_metadata(entry, p))
                return false;
            continue;
        }
        array *a = upload_add(out, key, strlen(key), p);
        if (!a || !read_entry(entry, data, length, a, &spans[out->count - 1], p))
            return false;
    }
    return check_whole(spans, out->count, length, p);
}

static bool check_prefix(const unsigned char *body, size_t length, problem *p) {
    if (length < PREFIX)
        return broken(p, "ends before its header");
    uint64_t header = header_length(body);
    if (header > HEADER_MOST)
        return broken(p, "has a header of more than the 100000000 bytes that the format allows");
    if (header > length - PREFIX)
        return broken(p, "ends within its header");
    if (header == 0 || body[PREFIX] != '{')
        return broken(p, "has a header that does not begin with {");
    if (header <= HEADER_READ)
        return true;
    problem_add(p, 413, "body", "the safetensors header has %" PRIu64 " bytes; the limit is %u",
                header, HEADER_READ);
    return false;
}

static bool read_safetensors(const upload_body *body, upload *out, problem *p) {
    json_error_t error;
    if (!check_prefix(body->bytes, body->length, p))
        return false;
    size_t header = (size_t)header_length(body->bytes);
    errno = 0; /* without memory jansson reports an invalid token */
    json_t *root =
        json_loadb((const char *)body->bytes + PREFIX, header, JSON_REJECT_DUPLICATES, &error);
    if (!root && errno == ENOMEM) {
        problem_add(p, 500, NULL, "out of memory");
        return false;
    }
    if (!root) {
        problem_add(p, 400, "body", "the header of the safetensors body is not valid JSON: %s",
                    error.text);
        return false;
    }
    size_t before = PREFIX + header;
    bool good = read_arrays(root, body->bytes + before, body->length - before, out, p);
    json_decref(root);
    return good;
}

#define PARSE_COST   30.0 /* nanoseconds a byte of header, */
#define PARSE_MEMORY 32u  /* and at most so many bytes for the tree of its values */

static weight weigh(const upload_body *body, uint64_t most) {
    problem p = {0};
    (void)most;
    uint64_t header = check_prefix(body->bytes, body->length, &p) ? header_length(body->bytes) : 0;
    return (weight){.cost = PARSE_COST * (double)header, .memory = PARSE_MEMORY * header};
}

/* Numbers can have { at the same place, as the byte 123. So the bytes after { and at the end of the
 * header count, too. */
static bool begins(const unsigned char *body, size_t length) {
    if (length < PREFIX + 2)
        return false;
    uint64_t header = header_length(body);
    if (header < 2 || header > length - PREFIX || body[PREFIX] != '{')
        return false;
    unsigned char next = body[PREFIX + 1], last = body[PREFIX + header - 1];
    return memchr("\"} \t\r\n", next, 6) && memchr("} \t\r\n", last, 5);
}

const format format_safetensors = {
    .name = "safetensors",
    .media_type = "application/x-safetensors",
    .kind = FORMAT_ARRAYS,
    .version = 1,
    .all = true,
    .lay_out = lay_out,
    .read = read_safetensors,
    .weigh = weigh,
    .several = true,
    .begins = begins,
};
