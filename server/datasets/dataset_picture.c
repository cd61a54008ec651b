#include "dataset_picture.h"
#include "formats/image.h"

/* A little-endian number of so many bytes. */
static uint64_t number_at(const unsigned char *at, unsigned bytes) {
    uint64_t number = 0;
    for (unsigned i = bytes; i-- > 0;)
        number = number << 8 | at[i];
    return number;
}

static void put_number(unsigned char *at, unsigned bytes, uint64_t number) {
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (unsigned char)(number >> 8 * i);
}

void dataset_picture_entry(uint64_t offset, uint64_t length, uint32_t height, uint32_t width,
                           unsigned char out[DATASET_PICTURE_ENTRY]) {
    put_number(out, 8, offset);
    put_number(out + 8, 8, length);
    put_number(out + 16, 4, height);
    put_number(out + 20, 4, width);
}

uint64_t dataset_picture_end(const unsigned char entry[DATASET_PICTURE_ENTRY]) {
    return number_at(entry, 8) + number_at(entry + 8, 8);
}

unsigned dataset_array_pixels(const dataset_array *a) {
    return a->rank == 3 ? 3 : 1;
}

unsigned dataset_picture_channels(const dataset *d) {
    return dataset_array_pixels(&d->x);
}

static bool fits_limits(const dataset_picture *p) {
    return p->height >= 1 && p->height <= IMAGE_SIDE && p->width >= 1 && p->width <= IMAGE_SIDE &&
           (uint64_t)p->height * p->width <= IMAGE_PIXELS && p->length >= 1 &&
           p->length <= DATASET_PICTURE_BYTES;
}

uint64_t dataset_picture_at(const dataset_array *a, uint64_t at) {
    uint64_t row = 0, end = a->index.length / DATASET_PICTURE_ENTRY;
    while (row + 1 < end) {
        uint64_t middle = row + (end - row) / 2;
        if (number_at(a->index.bytes + middle * DATASET_PICTURE_ENTRY, 8) <= at)
            row = middle;
        else
            end = middle;
    }
    return row;
}

static bool find(const dataset *d, const dataset_array *a, uint64_t row, dataset_picture *out) {
    if (row >= a->index.length / DATASET_PICTURE_ENTRY)
        return false;
    const unsigned char *entry = a->index.bytes + row * DATASET_PICTURE_ENTRY;
    uint64_t offset = number_at(entry, 8), all = a->file.length;
    *out = (dataset_picture){.length = number_at(entry + 8, 8),
                             .height = (uint32_t)number_at(entry + 16, 4),
                             .width = (uint32_t)number_at(entry + 20, 4)};
    if (!fits_limits(out) || offset > all || out->length > all - offset)
        return false;
    out->bytes = a->file.bytes + offset;
    uint64_t samples = (uint64_t)out->height * out->width * dataset_array_pixels(a);
    return d->store == DATASET_FILES || out->length == samples;
}

bool dataset_picture_of(const dataset *d, uint64_t row, dataset_picture *out) {
    return find(d, &d->x, row, out);
}

bool dataset_picture_in(const dataset *d, const dataset_array *a, uint64_t row,
                        dataset_picture *out) {
    dataset_picture of;
    return find(d, a, row, out) &&
           (a == &d->x ||
            (find(d, &d->x, row, &of) && of.height == out->height && of.width == out->width));
}

dataset_unusable *dataset_unusable_of(dataset *d, const dataset_array *a) {
    return a == &d->x ? &d->unusable : &d->unusable_maps[a - d->dense];
}

bool dataset_unusable_note(dataset_unusable *u, uint64_t row) {
    for (unsigned i = 0; i < DATASET_UNUSABLE; i++) {
        uint64_t there = 0;
        if (atomic_compare_exchange_strong(&u->rows[i], &there, row + 1))
            return true;
        if (there == row + 1)
            return false;
    }
    return false;
}

bool dataset_unusable_has(const dataset_unusable *u, uint64_t row) {
    uint64_t there = 1;
    for (unsigned i = 0; i < DATASET_UNUSABLE && there; i++) {
        there = atomic_load_explicit(&u->rows[i], memory_order_relaxed);
        if (there == row + 1)
            return true;
    }
    return false;
}
