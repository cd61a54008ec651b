#include "format.h"

static bool lay_out(const tensor_source *s, outline *out) {
    return outline_tensor(out, &s->tensors[s->main]);
}

static bool read_raw(const upload_body *body, upload *out, problem *p) {
    const query *q = body->query;
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
