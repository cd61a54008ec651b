#include "shard_record.h"
#include "formats/npy.h"
#include "formats/png_plain.h"
#include "formats/tar.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define PNG_SIDE 1000000 /* the most that libpng reads by default */
#define NUMBER   32      /* the most bytes of a number in JSON, with its comma */

/* The most bytes that the JSON of a row takes: every tensor but the first, by its name. */
static uint64_t facts_length(const tensor_source *batch) {
    uint64_t length = 64;
    for (unsigned i = 1; i < batch->count; i++) {
        const tensor *t = &batch->tensors[i];
        length += strlen(t->name) + 8 + NUMBER * (t->row_bytes / dtype_table[t->type].size);
    }
    return length;
}

/* NaN and infinities, which JSON cannot hold, become null. */
static void print_number(const tensor *t, const unsigned char *at, buffer *out) {
    if (!dtype_floats(t->type))
        buffer_print(out, "%" PRId64, dtype_integer(t->type, at));
    else if (isfinite(dtype_real(t->type, at)))
        buffer_real(out, dtype_real(t->type, at));
    else
        buffer_text(out, "null");
}

/* {"rows":5,"pairing":2,"labels":[0.25,0.75]}, padded with spaces to its one length. */
static bool write_facts(const shard_record *r, uint64_t row, unsigned char *const *data,
                        unsigned char *out) {
    buffer text = buffer_of((size_t)r->facts.length);
    const tensor_source *batch = r->batch;
    buffer_text(&text, "{");
    for (unsigned i = 1; i < batch->count; i++) {
        const tensor *t = &batch->tensors[i];
        size_t size = dtype_table[t->type].size;
        uint64_t values = t->row_bytes / size;
        buffer_print(&text, "%s\"%s\":%s", i > 1 ? "," : "", t->name, t->rank > 1 ? "[" : "");
        for (uint64_t v = 0; v < values; v++) {
            buffer_text(&text, v ? "," : "");
            print_number(t, data[i] + row * t->row_bytes + v * size, &text);
        }
        buffer_text(&text, t->rank > 1 ? "]" : "");
    }
    buffer_text(&text, "}");
    bool good = !text.failed;
    if (good)
        memcpy(out, text.bytes, text.length);
    memset(out + (good ? text.length : 0), ' ', r->facts.length - (good ? text.length : 0));
    buffer_free(&text);
    return good;
}

static void write_sample(const shard_record *r, const unsigned char *row, unsigned char *out) {
    if (r->png) {
        png_plain(r->width, r->height, r->channels, row, out);
        return;
    }
    memcpy(out, r->head.bytes, r->head.length);
    memcpy(out + r->head.length, row, (size_t)r->batch->tensors[0].row_bytes);
}

uint64_t shard_record_length(const shard_record *r) {
    return r->facts.start + tar_padded(r->facts.length);
}

bool shard_record_write(const shard_record *r, uint64_t row, uint64_t number,
                        unsigned char *const *data, unsigned char *out) {
    char name[100];
    const tensor *mixed = &r->batch->tensors[0];
    memset(out, 0, (size_t)shard_record_length(r));
    snprintf(name, sizeof name, "%06" PRIu64 "-%06" PRIu64 ".%s", r->step, number,
             r->png ? "png" : "npy");
    tar_header(name, r->sample.length, out + r->sample.start - TAR_BLOCK);
    snprintf(name, sizeof name, "%06" PRIu64 "-%06" PRIu64 ".json", r->step, number);
    tar_header(name, r->facts.length, out + r->facts.start - TAR_BLOCK);
    write_sample(r, data[0] + row * mixed->row_bytes, out + r->sample.start);
    return write_facts(r, row, data, out + r->facts.start);
}

/* A png file holds u8 of one or two spatial sides, with its channels last. */
static bool fit_image(shard_record *r, problem *p) {
    const tensor *t = &r->batch->tensors[0];
    const image_shape *of = &t->image;
    if (t->type != DTYPE_U8 || of->sides == 0 || of->sides > 2 || of->channels == 2 ||
        of->channels > 4 || (of->channels > 1 && of->apart)) {
        problem_add(p, 400, "member",
                    "member is 'png', which holds u8 of one or two spatial dimensions, with 1, 3 "
                    "or 4 channels last");
        return false;
    }
    r->channels = (unsigned)of->channels;
    r->width = of->width;
    r->height = of->height;
    if (r->width <= PNG_SIDE && r->height <= PNG_SIDE)
        return true;
    problem_add(p, 400, "member",
                "member is 'png', and readers of png files refuse more than %d pixels a side",
                PNG_SIDE);
    return false;
}

static bool measure_png(shard_record *r, problem *p) {
    if (!fit_image(r, p))
        return false;
    r->sample.length = png_plain_length(r->width, r->height, r->channels);
    return true;
}

static bool measure_npy(shard_record *r, problem *p) {
    tensor row = r->batch->tensors[0];
    if (!npy_holds(&row, "npy", p))
        return false;
    row.rank--;
    memmove(row.shape, row.shape + 1, row.rank * sizeof *row.shape);
    r->head = buffer_of(512);
    if (!npy_header(&row, &r->head)) {
        problem_add(p, 500, NULL, "out of memory");
        return false;
    }
    r->sample.length = r->head.length + row.row_bytes;
    return true;
}

bool shard_record_begin(shard_record *r, problem *p) {
    if (!(r->png ? measure_png : measure_npy)(r, p))
        return false;
    r->sample.start = TAR_BLOCK;
    r->facts.length = facts_length(r->batch);
    r->facts.start = r->sample.start + tar_padded(r->sample.length) + TAR_BLOCK;
    return true;
}

void shard_record_end(shard_record *r) {
    buffer_free(&r->head);
}
