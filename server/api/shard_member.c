#include "shard_member.h"
#include "formats/npy.h"
#include "formats/png_plain.h"

#include <stdio.h>
#include <string.h>

#define PNG_SIDE 1000000 /* the most that libpng reads by default */

static bool measure_npy(shard_member *m, const tensor *t, problem *p) {
    tensor row = *t;
    m->kind = SHARD_MEMBER_NPY;
    row.rank--;
    memmove(row.shape, row.shape + 1, row.rank * sizeof *row.shape);
    m->head = buffer_of(512);
    if (!npy_header(&row, &m->head)) {
        problem_add(p, 500, NULL, "out of memory");
        return false;
    }
    m->length = m->head.length + row.row_bytes;
    return true;
}

/* A png file holds u8 of one or two spatial sides, with its channels last. */
static bool measure_png(shard_member *m, const tensor *t, problem *p) {
    const image_shape *of = &t->image;
    if (t->type != DTYPE_U8 || of->sides == 0 || of->sides > 2 || of->channels == 2 ||
        of->channels > 4 || (of->channels > 1 && of->apart)) {
        problem_add(p, 400, "member",
                    "member is 'png', which holds u8 of one or two spatial dimensions, with 1, 3 "
                    "or 4 channels last");
        return false;
    }
    m->kind = SHARD_MEMBER_PNG;
    m->channels = (unsigned)of->channels;
    m->width = of->width;
    m->height = of->height;
    m->length = png_plain_length(m->width, m->height, m->channels);
    if (m->width <= PNG_SIDE && m->height <= PNG_SIDE)
        return true;
    problem_add(p, 400, "member",
                "member is 'png', and readers of png files refuse more than %d pixels a side",
                PNG_SIDE);
    return false;
}

bool shard_member_sample(shard_member *m, const tensor *mixed, bool png, problem *p) {
    *m = (shard_member){.row_bytes = mixed->row_bytes};
    snprintf(m->suffix, sizeof m->suffix, "%s", png ? "png" : "npy");
    return png ? measure_png(m, mixed, p) : npy_holds(mixed, "npy", p) && measure_npy(m, mixed, p);
}

/* The sides of a target are those of the image, so its rank tells whether it has channels. The
 * image is a png file beside it, so that its sides are not too long. */
static bool is_label_map(const tensor *dense, const tensor *mixed) {
    return !dtype_floats(dense->type) && dtype_table[dense->type].size == 1 &&
           mixed->image.sides == 2 && dense->rank == 3;
}

bool shard_member_dense(shard_member *m, const tensor *dense, const tensor *mixed, bool png,
                        problem *p) {
    bool indices = png && is_label_map(dense, mixed);
    *m = (shard_member){.row_bytes = dense->row_bytes};
    snprintf(m->suffix, sizeof m->suffix, "%s.%s", dense->name, indices ? "png" : "npy");
    if (!indices)
        return npy_holds(dense, "a shard", p) && measure_npy(m, dense, p);
    m->kind = SHARD_MEMBER_INDICES;
    m->width = mixed->image.width;
    m->height = mixed->image.height;
    m->length = png_indices_length(m->width, m->height);
    return true;
}

void shard_member_end(shard_member *m) {
    buffer_free(&m->head);
}

void shard_member_write(const shard_member *m, const unsigned char *row, unsigned char *out) {
    switch (m->kind) {
    case SHARD_MEMBER_NPY:
        memcpy(out, m->head.bytes, m->head.length);
        memcpy(out + m->head.length, row, (size_t)m->row_bytes);
        break;
    case SHARD_MEMBER_PNG:
        png_plain(m->width, m->height, m->channels, row, out);
        break;
    case SHARD_MEMBER_INDICES:
        png_indices(m->width, m->height, row, out);
    }
}
