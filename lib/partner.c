#include "convert.h"
#include "slice.h"
#include "words.h"

#include <stdlib.h>

/* Rows sorted by class, then by number. A key is class * 2^24 + row: a class is below 2^20, a row
 * below 2^24. */
#define ROW_BITS      24
#define ROW_OF(key)   ((uint32_t)((key) & (((uint64_t)1 << ROW_BITS) - 1)))
#define CLASS_OF(key) ((key) >> ROW_BITS)

static int by_key(const void *left, const void *right) {
    const uint64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

/* The rows of one class, rising, and their number. */
typedef struct members {
    const uint64_t *keys;
    uint32_t count;
} members;

static members members_from(const uint64_t *keys, uint32_t first, uint32_t n) {
    uint32_t end = first + 1;
    while (end < n && CLASS_OF(keys[end]) == CLASS_OF(keys[first]))
        end++;
    return (members){keys + first, end - first};
}

/* The row of number j, in rising order, among those that are not members. Before member k there are
 * row(k) - k others, which rises with k; so as many members as have at most j others before them
 * come before it. */
static uint32_t other(const members *m, uint32_t j) {
    uint32_t low = 0, high = m->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ROW_OF(m->keys[middle]) - middle <= j)
            low = middle + 1;
        else
            high = middle;
    }
    return j + low;
}

/* Draws the partner of the member of number k. */
static uint32_t draw(fmix_pairing_kind kind, fmix_word_reader *words, const members *m, uint32_t k,
                     uint32_t n) {
    bool same = kind == FMIX_PAIRING_SAME_CLASS;
    uint32_t candidates = same ? m->count - 1 : n - m->count;
    if (candidates == 0)
        return ROW_OF(m->keys[k]);
    uint32_t j = fmix_words_below(words, candidates);
    return same ? ROW_OF(m->keys[j < k ? j : j + 1]) : other(m, j);
}

/* Writes the keys of the rows, sorted. False: a class number is out of range. */
static bool sort_rows(fmix_dtype dtype, const unsigned char *classes, uint64_t count, uint32_t n,
                      uint64_t *keys) {
    uint64_t size = fmix_dtype_bytes(dtype);
    for (uint32_t i = 0; i < n; i++) {
        double number;
        fmix_load(dtype, classes + i * size, 1, &number);
        if (!(number >= 0 && number < (double)count))
            return false;
        keys[i] = (uint64_t)number << ROW_BITS | i;
    }
    qsort(keys, n, sizeof *keys, by_key);
    return true;
}

static void pair(fmix_pairing_kind kind, const fmix_key *key, const fmix_slice *slice,
                 const uint64_t *keys, int64_t *out) {
    uint32_t n = (uint32_t)slice->n;
    members m;
    for (uint32_t first = 0; first < n; first += m.count) {
        m = members_from(keys, first, n);
        for (uint32_t k = 0; k < m.count; k++) {
            uint32_t i = ROW_OF(m.keys[k]);
            fmix_word_reader words = {.key = key, .index = fmix_slice_t(slice, i)};
            out[i] = draw(kind, &words, &m, k, n);
        }
    }
}

fmix_status fmix_pairing_by_class(fmix_pairing_kind kind, uint64_t seed, const fmix_rows *rows,
                                  fmix_dtype dtype, const void *classes, uint64_t count,
                                  int64_t *out) {
    const fmix_slice all = {rows, FMIX_SCOPE_SAMPLE, 0, rows->count};
    if ((kind != FMIX_PAIRING_OTHER_CLASS && kind != FMIX_PAIRING_SAME_CLASS) || rows->count == 0 ||
        rows->count > FMIX_MAX_BATCH || !fmix_slice_is_valid(&all) ||
        fmix_dtype_bytes(dtype) == 0 || fmix_dtype_floats(dtype) || count == 0 ||
        count > FMIX_MAX_CLASSES)
        return FMIX_ERROR_RANGE;
    fmix_key key;
    fmix_status status = fmix_key_derive(seed, FMIX_DOMAIN_PARTNER, &key);
    if (status != FMIX_OK)
        return status;
    uint64_t *keys = malloc((size_t)rows->count * sizeof *keys); /* at most 2^27 bytes */
    if (!keys)
        return FMIX_ERROR_MEMORY;
    if (sort_rows(dtype, classes, count, (uint32_t)rows->count, keys))
        pair(kind, &key, &all, keys, out);
    else
        status = FMIX_ERROR_RANGE;
    free(keys);
    return status;
}

fmix_status fmix_neighbour(uint64_t seed, uint64_t t, uint64_t k, uint64_t *j) {
    fmix_key key;
    if (k == 0 || k > UINT32_MAX)
        return FMIX_ERROR_RANGE;
    fmix_status status = fmix_key_derive(seed, FMIX_DOMAIN_PARTNER, &key);
    if (status != FMIX_OK)
        return status;
    fmix_word_reader words = {.key = &key, .index = t};
    *j = fmix_words_below(&words, (uint32_t)k);
    return FMIX_OK;
}
