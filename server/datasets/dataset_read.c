#include "dataset_read.h"
#include "base/message.h"
#include "dataset_info.h"
#include "dataset_part.h"
#include "verification.h"

#include <string.h>

#define HASH_COST 1.0 /* nanoseconds to hash a byte, measured */

uint64_t dataset_read_begin(const dataset *d) {
    return d->verification ? verification_generation(d->verification) : 0;
}

bool dataset_read_ended(const dataset *d, uint64_t begun) {
    return dataset_is_whole(d) && dataset_read_begin(d) == begun;
}

/* ---- damage ---- */

/* A fault holds 1 + the number of the file, and above these eight bits the piece. */
static void note_fault(dataset_fault *fault, unsigned file, uint64_t piece) {
    uint64_t none = 0;
    if (fault)
        atomic_compare_exchange_strong(fault, &none, piece << 8 | (file + 1));
}

/* "bytes A to B of data.bin (rows C to D) are not what was imported" */
static void describe(const dataset *d, unsigned file, uint64_t piece, char out[DATASET_FAULT]) {
    char range[DATASET_RANGE];
    uint64_t first = piece * PIECE_BYTES, end = first + PIECE_BYTES;
    uint64_t length = dataset_file(d, file)->length;
    dataset_info_range(d, file, first, end < length ? end : length, range);
    snprintf(out, DATASET_FAULT, "%s are not what was imported", range);
}

/* Not of a file that was truncated or touched: the reader learns that at the end, and reads again
 * where the file may still be right. */
static void tell(const dataset *d, unsigned file, uint64_t piece) {
    char text[DATASET_FAULT];
    uint64_t before = dataset_read_begin(d);
    if (!dataset_read_ended(d, before))
        return;
    describe(d, file, piece, text);
    if (d->log)
        message_print(
            d->log,
            "fmixd: data set '%s': %s; batches that need them are refused; to serve these "
            "again, repair the file and send the daemon a SIGHUP\n",
            d->name, text);
}

/* The result of a look at a piece. */
static dataset_bytes judge(const dataset *d, verification_result result, unsigned file,
                           uint64_t piece, dataset_fault *fault) {
    if (result == VERIFICATION_TRUE)
        return DATASET_TRUE;
    if (result == VERIFICATION_FOUND)
        tell(d, file, piece);
    note_fault(fault, file, piece);
    return DATASET_WRONG;
}

/* Bytes that have their hash, and cannot be right. */
static dataset_bytes condemn(const dataset *d, unsigned file, uint64_t from, dataset_fault *fault) {
    uint64_t piece = from / PIECE_BYTES;
    verification_result result =
        d->verification ? verification_condemn(d->verification, file, piece) : VERIFICATION_WRONG;
    return judge(d, result, file, piece, fault);
}

void dataset_fault_text(const dataset *d, const dataset_fault *fault, char out[DATASET_FAULT]) {
    uint64_t value = atomic_load(fault);
    out[0] = 0;
    if (value)
        describe(d, (unsigned)(value & 0xff) - 1, value >> 8, out);
}

/* ---- bytes ---- */

dataset_bytes dataset_need(const dataset *d, unsigned file, uint64_t from, uint64_t length,
                           dataset_fault *fault) {
    uint64_t piece = 0;
    if (!d->verification || length == 0)
        return DATASET_TRUE;
    verification_result result = verification_need(d->verification, file, from, length, &piece);
    return judge(d, result, file, piece, fault);
}

unsigned dataset_array_number(const dataset *d, const dataset_array *a) {
    return a == &d->x ? 0 : dataset_part_number(d, DATASET_PART_DENSE, (unsigned)(a - d->dense));
}

dataset_bytes dataset_need_row(const dataset *d, const dataset_array *a, uint64_t row,
                               dataset_fault *fault) {
    return d->verification ? dataset_need(d, dataset_array_number(d, a), row * a->row_bytes,
                                          a->row_bytes, fault)
                           : DATASET_TRUE;
}

dataset_bytes dataset_labels(const dataset *d, unsigned head, uint64_t row, void *out,
                             dataset_fault *fault) {
    const dataset_head *h = &d->head[head];
    unsigned file = dataset_part_number(d, DATASET_PART_HEAD, head);
    size_t bytes = 4 * (size_t)(h->kind == DATASET_NUMBERS ? 1 : h->classes);
    if (dataset_need(d, file, row * bytes, bytes, fault) != DATASET_TRUE)
        return DATASET_WRONG;
    memcpy(out, h->file.bytes + row * bytes, bytes);
    if (h->kind != DATASET_NUMBERS || (uint64_t)dtype_integer(DTYPE_I32, out) < h->classes)
        return DATASET_TRUE;
    return condemn(d, file, row * bytes, fault);
}

/* One of the 64-bit numbers of a file. */
static dataset_bytes read_number(const dataset *d, unsigned file, uint64_t i, dataset_fault *fault,
                                 uint64_t *out) {
    if (dataset_need(d, file, 8 * i, 8, fault) != DATASET_TRUE)
        return DATASET_WRONG;
    *out = (uint64_t)dtype_integer(DTYPE_I64, dataset_file(d, file)->bytes + 8 * i);
    return DATASET_TRUE;
}

dataset_bytes dataset_neighbour(const dataset *d, uint64_t row, uint64_t j, dataset_fault *fault,
                                uint64_t *out) {
    unsigned file = dataset_part_number(d, DATASET_PART_NEIGHBOURS, 0);
    uint64_t i = row * d->neighbours.k + j;
    if (read_number(d, file, i, fault, out) != DATASET_TRUE)
        return DATASET_WRONG;
    return *out < d->count ? DATASET_TRUE : condemn(d, file, 8 * i, fault);
}

dataset_bytes dataset_find_span(const dataset *d, uint64_t row, dataset_fault *fault,
                                dataset_span *out) {
    unsigned file = dataset_part_number(d, DATASET_PART_OFFSETS, 0);
    uint64_t begin = 0, end = 0;
    if (read_number(d, file, row, fault, &begin) != DATASET_TRUE ||
        read_number(d, file, row + 1, fault, &end) != DATASET_TRUE)
        return DATASET_WRONG;
    *out = (dataset_span){begin, end - begin};
    bool good =
        begin < end && end <= d->steps && out->length >= d->shortest && out->length <= d->longest;
    return good ? DATASET_TRUE : condemn(d, file, 8 * row, fault);
}

dataset_bytes dataset_need_span(const dataset *d, const dataset_span *span, dataset_fault *fault) {
    return dataset_need(d, 0, span->begin * d->x.row_bytes, span->length * d->x.row_bytes, fault);
}

static unsigned index_number(const dataset *d, const dataset_array *a) {
    return a == &d->x ? dataset_part_number(d, DATASET_PART_INDEX, 0)
                      : dataset_part_number(d, DATASET_PART_MAPS, (unsigned)(a - d->dense));
}

/* The sides of a dense target are compared with those of x, whose entry must be right first. */
dataset_bytes dataset_find_picture(const dataset *d, const dataset_array *a, uint64_t row,
                                   dataset_fault *fault, dataset_picture *out) {
    unsigned file = index_number(d, a);
    uint64_t entry = row * DATASET_PICTURE_ENTRY;
    if ((a != &d->x && dataset_find_picture(d, &d->x, row, fault, out) != DATASET_TRUE) ||
        dataset_need(d, file, entry, DATASET_PICTURE_ENTRY, fault) != DATASET_TRUE)
        return DATASET_WRONG;
    return dataset_picture_in(d, a, row, out) ? DATASET_TRUE : condemn(d, file, entry, fault);
}

dataset_bytes dataset_need_picture(const dataset *d, const dataset_array *a,
                                   const dataset_picture *p, dataset_fault *fault) {
    return dataset_need(d, dataset_array_number(d, a), (uint64_t)(p->bytes - a->file.bytes),
                        p->length, fault);
}

/* ---- cost ---- */

double dataset_read_cost(const dataset *d, unsigned file, uint64_t rows, uint64_t row_bytes,
                         bool scattered) {
    if (!d->verification || rows == 0)
        return 0;
    verification_counts c = verification_count_file(d->verification, file);
    if (c.pieces == c.compared)
        return 0;
    double length = (double)dataset_file(d, file)->length, total = (double)c.pieces;
    double span = (double)rows * (double)row_bytes / (double)PIECE_BYTES;
    double touched = span + (scattered ? (double)rows : 1);
    touched = touched < total ? touched : total;
    return HASH_COST * length / total * touched * (total - (double)c.compared) / total;
}
