#include "format.h"

#include <string.h>

static bool lay_out(const tensor_source *s, outline *out) {
    return outline_tensor(out, &s->tensors[s->main]);
}

/* The kind of an image file, by its first bytes. NULL: the body is not an image file. */
static const char *image_kind(const unsigned char *body, size_t length) {
    static const struct {
        const char *kind, *magic;
    } kinds[] = {{"JPEG", "\xff\xd8\xff"}, {"PNG", "\x89PNG\r\n\x1a\n"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t magic = strlen(kinds[i].magic);
        if (length >= magic && memcmp(body, kinds[i].magic, magic) == 0)
            return kinds[i].kind;
    }
    return NULL;
}

static bool read_raw(const upload_body *body, upload *out, problem *p) {
    const query *q = body->query;
    const char *kind = image_kind(body->bytes, body->length);
    /* With both parameters the bytes are elements, even if they look like an image file. */
    if (kind && !(q->given[QUERY_X_SHAPE] && q->given[QUERY_X_DTYPE])) {
        problem_add(p, 415, "body",
                    "the body is a %s file, but mix takes arrays; decode the images, stack them, "
                    "and send them as npy, npz, safetensors, or raw with x_shape and x_dtype",
                    kind);
        return false;
    }
    if (!q->given[QUERY_X_SHAPE])
        problem_add(p, 400, "x_shape", "a raw body needs x_shape, for example x_shape=8x3x32x32");
    if (!q->given[QUERY_X_DTYPE])
        problem_add(p, 400, "x_dtype", "a raw body needs x_dtype, for example x_dtype=f32");
    if (p->status)
        return false;
    array *x = &out->arrays[out->count++];
    *x = (array){
        .name = "x", .bytes = body->bytes, .type = (dtype)q->x_dtype, .rank = q->x_shape.rank};
    for (unsigned d = 0; d < x->rank; d++)
        x->shape[d] = q->x_shape.side[d];
    return array_check(x, body->length, p);
}

const format format_raw = {
    .name = "raw",
    .media_type = "application/octet-stream",
    .kind = FORMAT_ARRAYS,
    .version = 1,
    .lay_out = lay_out,
    .read = read_raw,
};
