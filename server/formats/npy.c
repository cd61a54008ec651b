/* NumPy's array format: numpy.lib.format, versions 1.0 (written, read) and 2.0 (read). */
#include "npy.h"
#include "label_array.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREAMBLE 10 /* magic, version, length of the header in two bytes */
#define ALIGN    64

static const unsigned char magic[] = {0x93, 'N', 'U', 'M', 'P', 'Y'};

bool npy_header(const tensor *t, buffer *out) {
    buffer dict = buffer_of(256);
    buffer_text(&dict, "{'descr': '");
    buffer_text(&dict, dtype_table[t->type].descr);
    buffer_text(&dict, "', 'fortran_order': False, 'shape': (");
    for (unsigned d = 0; d < t->rank; d++) {
        buffer_text(&dict, d ? ", " : "");
        buffer_number(&dict, t->shape[d]);
    }
    buffer_text(&dict, t->rank == 1 ? ",), }" : "), }");
    char spaces[ALIGN];
    memset(spaces, ' ', sizeof spaces);
    buffer_add(&dict, spaces, (ALIGN - (PREAMBLE + dict.length + 1) % ALIGN) % ALIGN);
    buffer_text(&dict, "\n");
    unsigned char preamble[PREAMBLE] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
    preamble[8] = (unsigned char)dict.length;
    preamble[9] = (unsigned char)(dict.length >> 8);
    out->failed |= dict.failed;
    bool good =
        buffer_add(out, preamble, sizeof preamble) && buffer_add(out, dict.bytes, dict.length);
    buffer_free(&dict);
    return good;
}

bool npy_holds(const tensor *t, const char *where, problem *p) {
    if (dtype_table[t->type].descr)
        return true;
    bool chosen = strcmp(t->name, "mixed") == 0; /* by the request */
    problem_add(p, 400, chosen ? "out_dtype" : t->name,
                "NumPy has no type %s, so %s cannot hold %s; %sask for raw or safetensors",
                dtype_table[t->type].name, where, t->name,
                chosen ? "choose another out_dtype, or " : "");
    return false;
}

static bool check(const tensor_source *s, problem *p) {
    return npy_holds(&s->tensors[s->main], "npy", p);
}

static bool lay_out(const tensor_source *s, outline *out) {
    buffer head = buffer_of(512);
    npy_header(&s->tensors[s->main], &head);
    return outline_literal(out, &head) && outline_tensor(out, &s->tensors[s->main]);
}

/* The header is a Python dict of three known keys. Other dicts are refused. */
typedef struct cursor {
    const char *at, *end;
} cursor;

static void skip_spaces(cursor *c) {
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\t'))
        c->at++;
}

static bool take(cursor *c, char wanted) {
    skip_spaces(c);
    if (c->at == c->end || *c->at != wanted)
        return false;
    c->at++;
    return true;
}

static bool take_word(cursor *c, const char *word) {
    size_t length = strlen(word);
    skip_spaces(c);
    if ((size_t)(c->end - c->at) < length || memcmp(c->at, word, length) != 0)
        return false;
    c->at += length;
    return true;
}

/* 'text' or "text", without escapes */
static bool take_string(cursor *c, char *out, size_t room) {
    skip_spaces(c);
    if (c->at == c->end || (*c->at != '\'' && *c->at != '"'))
        return false;
    char quote = *c->at++;
    size_t length = 0;
    while (c->at < c->end && *c->at != quote) {
        if (length + 1 >= room || *c->at == '\\' || *c->at == 0)
            return false;
        out[length++] = *c->at++;
    }
    out[length] = 0;
    return take(c, quote);
}

static bool take_number(cursor *c, uint64_t *out) {
    skip_spaces(c);
    if (c->at == c->end || *c->at < '0' || *c->at > '9')
        return false;
    uint64_t value = 0;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) {
        uint64_t digit = (uint64_t)(*c->at - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = 10 * value + digit;
    }
    *out = value;
    return true;
}

/* (), (3,), (3, 4), (3, 4,) */
static bool take_shape(cursor *c, array *out, bool *too_many) {
    if (!take(c, '('))
        return false;
    out->rank = 0;
    while (!take(c, ')')) {
        uint64_t side;
        if (!take_number(c, &side))
            return false;
        if (out->rank == QUERY_RANK) {
            *too_many = true;
            return false;
        }
        out->shape[out->rank++] = side;
        if (!take(c, ',') && (c->at == c->end || *c->at != ')'))
            return false;
    }
    return true;
}

typedef struct header {
    char descr[24];
    bool fortran, too_many, structured;
    bool has_descr, has_order, has_shape;
} header;

static bool take_entry(cursor *c, header *h, array *out) {
    char key[24];
    if (!take_string(c, key, sizeof key) || !take(c, ':'))
        return false;
    if (strcmp(key, "descr") == 0 && !h->has_descr) {
        h->structured = take(c, '[');
        h->has_descr = !h->structured && take_string(c, h->descr, sizeof h->descr);
        return h->has_descr;
    }
    if (strcmp(key, "shape") == 0 && !h->has_shape) {
        h->has_shape = take_shape(c, out, &h->too_many);
        return h->has_shape;
    }
    if (strcmp(key, "fortran_order") == 0 && !h->has_order) {
        h->fortran = take_word(c, "True");
        h->has_order = h->fortran || take_word(c, "False");
        return h->has_order;
    }
    return false;
}

static bool parse_header(cursor c, header *h, array *out) {
    if (!take(&c, '{'))
        return false;
    while (!take(&c, '}')) {
        if (!take_entry(&c, h, out))
            return false;
        if (!take(&c, ',') && (c.at == c.end || *c.at != '}'))
            return false;
    }
    skip_spaces(&c);
    return c.at == c.end && h->has_descr && h->has_order && h->has_shape;
}

/* Finds the header and the offset of the data. */
static bool find_header(const unsigned char *body, size_t length, const char *name, cursor *c,
                        size_t *data, problem *p) {
    if (length < PREAMBLE || memcmp(body, magic, sizeof magic) != 0) {
        problem_add(p, 400, name, "%s is not an npy file", name);
        return false;
    }
    size_t start = PREAMBLE, size = (size_t)body[8] | (size_t)body[9] << 8;
    if ((body[6] != 1 && body[6] != 2) || body[7] != 0) {
        problem_add(p, 400, name, "npy version %u.%u is not supported; 1.0 and 2.0 are", body[6],
                    body[7]);
        return false;
    }
    if (body[6] == 2) {
        if (length < 12) {
            problem_add(p, 400, name, "%s is truncated within the length of its npy header", name);
            return false;
        }
        start = 12;
        size |= (size_t)body[10] << 16 | (size_t)body[11] << 24;
    }
    if (size > length - start) {
        problem_add(p, 400, name, "the npy header of %s claims %zu bytes, but only %zu follow",
                    name, size, length - start);
        return false;
    }
    c->at = (const char *)body + start;
    c->end = c->at + size;
    *data = start + size;
    return true;
}

#define TYPES                                                                                      \
    "supported are little-endian floats ('<f2', '<f4', '<f8'), signed integers, '|u1' and '|b1', " \
    "and for labels '<u2' to '<u8'"

static void explain_header(const header *h, const char *name, problem *p) {
    if (h->structured)
        problem_add(p, 400, name, "%s has a structured dtype; " TYPES, name);
    else if (h->too_many)
        problem_add(p, 400, name, "%s has more than %d dimensions", name, QUERY_RANK);
    else
        problem_add(p, 400, name,
                    "the npy header of %s is not a dict of descr, fortran_order and shape", name);
}

/* The signed integers that hold these unsigned ones; NULL where `found` is false, or of other
 * types. */
static const char *signed_of(bool found, dtype type) {
    if (!found || type < DTYPE_U16)
        return NULL;
    return type == DTYPE_U16 ? "<i4" : "<i8";
}

static void explain_type(const header *h, const char *name, const char *instead, problem *p) {
    char advice[80] = "";
    if (instead)
        snprintf(advice, sizeof advice, "; save %s.astype('%s')", name, instead);
    problem_add(p, 400, name, "%s has dtype '%s'; " TYPES "%s", name, h->descr, advice);
}

bool npy_read_array(const unsigned char *bytes, size_t length, array *out, problem *p) {
    header h = {0};
    cursor c;
    size_t data;
    const char *name = out->name;
    if (!find_header(bytes, length, name, &c, &data, p))
        return false;
    if (!parse_header(c, &h, out)) {
        explain_header(&h, name, p);
        return false;
    }
    bool found = dtype_of_descr(h.descr, &out->type);
    if (!found || (out->type >= DTYPE_COUNT && !label_named(name))) {
        explain_type(&h, name, signed_of(found, out->type), p);
        return false;
    }
    if (h.fortran && out->rank > 1) {
        problem_add(p, 400, name, "%s is in Fortran order; save numpy.ascontiguousarray(%s)", name,
                    name);
        return false;
    }
    out->bytes = bytes + data;
    return array_check(out, length - data, p);
}

static bool read_npy(const upload_body *body, upload *out, problem *p) {
    array *x = &out->arrays[out->count++];
    *x = (array){.name = "x"};
    return npy_read_array(body->bytes, body->length, x, p);
}

#define HEADER_COST 2.0 /* nanoseconds a byte */

/* Reading does not touch the data. */
static weight weigh(const upload_body *body, uint64_t most) {
    cursor c;
    size_t data;
    problem p = {0};
    (void)most;
    bool found = find_header(body->bytes, body->length, "x", &c, &data, &p);
    return (weight){.cost = found ? HEADER_COST * (double)(c.end - c.at) : 0};
}

static bool begins(const unsigned char *body, size_t length) {
    return length >= sizeof magic && memcmp(body, magic, sizeof magic) == 0;
}

const format format_npy = {
    .name = "npy",
    .media_type = "application/x-npy",
    .kind = FORMAT_ARRAYS,
    .version = 1,
    .check = check,
    .lay_out = lay_out,
    .read = read_npy,
    .weigh = weigh,
    .begins = begins,
};
