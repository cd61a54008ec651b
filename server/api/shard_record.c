#include "shard_record.h"
#include "formats/tar.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define NUMBER 32 /* the most bytes of a number in JSON, with its comma */

/* Returns true if tensor i is a file of its own, and no part of the JSON. */
static bool is_member(const tensor_source *batch, unsigned i) {
    return i == 0 || dense_has_name(batch->tensors[i].name);
}

/* The most bytes that the JSON of a row takes: every other tensor, by its name. */
static uint64_t facts_length(const tensor_source *batch) {
    uint64_t length = 64;
    for (unsigned i = 0; i < batch->count; i++) {
        const tensor *t = &batch->tensors[i];
        if (!is_member(batch, i))
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

/* "labels":[0.25,0.75] */
static void print_fact(const tensor *t, const unsigned char *row, buffer *out) {
    size_t size = dtype_table[t->type].size;
    uint64_t values = t->row_bytes / size;
    buffer_print(out, "\"%s\":%s", t->name, t->rank > 1 ? "[" : "");
    for (uint64_t v = 0; v < values; v++) {
        buffer_text(out, v ? "," : "");
        print_number(t, row + v * size, out);
    }
    buffer_text(out, t->rank > 1 ? "]" : "");
}

/* {"rows":5,"pairing":2,"labels":[0.25,0.75]}, padded with spaces to its one length. */
static bool write_facts(const shard_record *r, uint64_t row, unsigned char *const *data,
                        unsigned char *out) {
    buffer text = buffer_of((size_t)r->facts_length);
    const tensor_source *batch = r->batch;
    const char *before = "{";
    for (unsigned i = 0; i < batch->count; i++) {
        const tensor *t = &batch->tensors[i];
        if (is_member(batch, i))
            continue;
        buffer_text(&text, before);
        print_fact(t, data[i] + row * t->row_bytes, &text);
        before = ",";
    }
    buffer_text(&text, "}");
    bool good = !text.failed;
    if (good)
        memcpy(out, text.bytes, text.length);
    memset(out + (good ? text.length : 0), ' ', r->facts_length - (good ? text.length : 0));
    buffer_free(&text);
    return good;
}

uint64_t shard_record_length(const shard_record *r) {
    return r->facts_start + tar_padded(r->facts_length);
}

/* Writes the header of a file of row `number` whose bytes begin at `at`. */
static void write_header(const shard_record *r, uint64_t number, const char *suffix,
                         uint64_t length, unsigned char *at) {
    char name[100];
    snprintf(name, sizeof name, "%06" PRIu64 "-%06" PRIu64 ".%s", r->step, number, suffix);
    tar_header(name, length, at - TAR_BLOCK);
}

bool shard_record_write(const shard_record *r, uint64_t row, uint64_t number,
                        unsigned char *const *data, unsigned char *out) {
    memset(out, 0, (size_t)shard_record_length(r));
    for (unsigned i = 0, k = 0; k < r->count; i++) {
        const shard_member *m = &r->members[k];
        if (!is_member(r->batch, i))
            continue;
        write_header(r, number, m->suffix, m->length, out + m->start);
        shard_member_write(m, data[i] + row * m->row_bytes, out + m->start);
        k++;
    }
    write_header(r, number, "json", r->facts_length, out + r->facts_start);
    return write_facts(r, row, data, out + r->facts_start);
}

/* Measures the file of tensor i, of which there is one more in any case. */
static bool add_member(shard_record *r, unsigned i, problem *p) {
    const tensor *all = r->batch->tensors;
    shard_member *m = &r->members[r->count++];
    return i == 0 ? shard_member_sample(m, &all[0], r->png, p)
                  : shard_member_dense(m, &all[i], &all[0], r->png, p);
}

bool shard_record_begin(shard_record *r, problem *p) {
    uint64_t at = 0;
    for (unsigned i = 0; i < r->batch->count; i++) {
        if (!is_member(r->batch, i))
            continue;
        if (!add_member(r, i, p))
            return false;
        shard_member *m = &r->members[r->count - 1];
        m->start = at + TAR_BLOCK;
        at = m->start + tar_padded(m->length);
    }
    r->facts_length = facts_length(r->batch);
    r->facts_start = at + TAR_BLOCK;
    return true;
}

void shard_record_end(shard_record *r) {
    for (unsigned i = 0; i < r->count; i++)
        shard_member_end(&r->members[i]);
}
