/*
 * upload.h - a format's reader: whatever the bytes, arrays lie within what there is
 */
#ifndef FUZZ_UPLOAD_H
#define FUZZ_UPLOAD_H

#include "fuzz.h"

#include "formats/format.h"

#define UPLOAD_CAP (1u << 20) /* of what is inflated */

static inline bool upload_within(const array *a, const unsigned char *from, size_t length) {
    uint64_t bytes = dtype_table[a->type].size;
    for (unsigned d = 0; d < a->rank; d++)
        bytes *= a->shape[d];
    return from && a->bytes >= from && bytes <= length &&
           (size_t)(a->bytes - from) <= length - bytes;
}

static inline int upload_fuzz(const format *f, const uint8_t *data, size_t size) {
    query q;
    problem p = {0};
    upload all = {.inflated = buffer_of(UPLOAD_CAP)};
    query_init(&q);
    const upload_body body = {.bytes = data, .length = size, .query = &q};
    if (f->begins)
        f->begins(data, size);
    bool good = f->read(&body, &all, &p);
    FUZZ_ASSERT(good == (p.status == 0));
    unsigned sum = 0;
    for (unsigned i = 0; good && i < all.count; i++) {
        const array *a = &all.arrays[i];
        FUZZ_ASSERT(a->rank <= QUERY_RANK);
        FUZZ_ASSERT(upload_within(a, data, size) ||
                    upload_within(a, all.inflated.bytes, all.inflated.length));
        sum += a->bytes[0];
    }
    buffer_free(&all.inflated);
    return sum == 1u << 30;
}

#endif
