#include "pairing.h"

#include <stdlib.h>

#define CHUNK 1024 /* places that are shuffled at once */

/* A place of a window, with its sample and that sample's length. */
typedef struct place {
    uint64_t length, place, sample;
} place;

static int by_length(const void *left, const void *right) {
    const place *a = left, *b = right;
    if (a->length != b->length)
        return a->length < b->length ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

/* Hoare's partition, at the middle one of three places: none of the places in front comes after any
 * of the others. Returns how many are in front, neither none nor all. count: at least 3. */
static size_t divide(place *places, size_t count) {
    place *a = places, *b = places + count / 2, *c = places + count - 1;
    const place *low = by_length(a, b) < 0 ? a : b, *high = low == a ? b : a;
    const place pivot = by_length(c, low) < 0 ? *low : by_length(c, high) < 0 ? *c : *high;
    size_t i = 0, j = count - 1;
    for (;; i++, j--) {
        while (by_length(&places[i], &pivot) < 0)
            i++;
        while (by_length(&pivot, &places[j]) < 0)
            j--;
        if (i >= j)
            return i;
        const place kept = places[i];
        places[i] = places[j];
        places[j] = kept;
    }
}

/* Sorts no more than it takes for places begin … end-1 to hold what they hold when all are sorted.
 * The rounds are bounded, lest unlucky pivots take n² steps. */
static void sort_range(place *places, size_t count, size_t begin, size_t end) {
    size_t low = 0, high = count, middle = 0;
    for (unsigned rounds = 64; high - low > 16 && rounds; rounds--) {
        middle = low + divide(places + low, high - low);
        if (end <= middle)
            high = middle;
        else if (begin >= middle)
            low = middle;
        else
            break;
    }
    qsort(places + low, high - low, sizeof *places, by_length);
}

/* The window of a step: places first … first+count-1. */
typedef struct window {
    uint64_t batch; /* rows of a whole batch, at most the samples */
    uint64_t q;     /* the number of the step in the window */
    uint64_t index; /* of the window, counted over all epochs */
    uint64_t t;     /* of place 0 of the epoch */
    uint64_t first, count;
} window;

/* *out = a * b + c; false: that passes 2^64-1. */
static bool multiply_add(uint64_t a, uint64_t b, uint64_t c, uint64_t *out) {
    if (b != 0 && a > UINT64_MAX / b)
        return false;
    *out = a * b + c;
    return *out >= c;
}

static uint64_t divide_up(uint64_t a, uint64_t b) {
    return a / b + (a % b != 0);
}

/* False: a number of the bucket, or the step, is out of range. */
static bool find_window(const fmix_bucket *bucket, uint64_t step, window *w) {
    uint64_t n = bucket->samples;
    if ((!bucket->offsets && !bucket->length) || n == 0 || n > FMIX_MAX_SAMPLES ||
        bucket->batch == 0 || bucket->windows == 0)
        return false;
    w->batch = bucket->batch < n ? bucket->batch : n;
    uint64_t batches = divide_up(n, w->batch); /* of the epoch */
    uint64_t each = bucket->windows < batches ? bucket->windows : batches;
    if (step >= batches)
        return false;
    uint64_t whole = each * w->batch; /* below 2 n */
    w->q = step % each;
    w->first = (step - w->q) * w->batch; /* below n */
    w->count = whole < n - w->first ? whole : n - w->first;
    return w->count <= FMIX_MAX_BATCH && multiply_add(bucket->epoch, n, 0, &w->t) &&
           multiply_add(bucket->epoch, divide_up(batches, each), step / each, &w->index);
}

static fmix_status length_of(const fmix_bucket *bucket, uint64_t sample, uint64_t *length) {
    if (!bucket->offsets)
        return bucket->length(bucket->self, sample, length);
    *length = (uint64_t)bucket->offsets[sample + 1] - (uint64_t)bucket->offsets[sample];
    return FMIX_OK;
}

static fmix_status fill(const fmix_bucket *bucket, const window *w, place *places) {
    uint64_t samples[CHUNK];
    for (uint64_t i = 0; i < w->count; i++) {
        uint64_t at = w->first + i;
        if (!bucket->shuffles) {
            samples[i % CHUNK] = at;
        } else if (i % CHUNK == 0) {
            uint64_t n = w->count - i < CHUNK ? w->count - i : CHUNK;
            fmix_status status =
                fmix_shuffle(bucket->seed, bucket->epoch, bucket->samples, at, n, samples);
            if (status != FMIX_OK)
                return status;
        }
        places[i] = (place){.place = at, .sample = samples[i % CHUNK]};
        fmix_status found = length_of(bucket, places[i].sample, &places[i].length);
        if (found != FMIX_OK)
            return found;
    }
    return FMIX_OK;
}

/* The number, in order of length, of the batch that is served at place q of the window. Only whole
 * batches change places. */
static fmix_status number_of(const fmix_bucket *bucket, const window *w, uint64_t *number) {
    uint32_t whole = (uint32_t)(w->count / w->batch); /* at most FMIX_MAX_BATCH */
    fmix_key key;
    *number = w->q;
    if (w->q >= whole)
        return FMIX_OK;
    fmix_status status = fmix_key_derive(bucket->seed, FMIX_DOMAIN_BUCKET, &key);
    if (status != FMIX_OK)
        return status;
    int64_t *order = malloc(whole * sizeof *order); /* at most 2^27 bytes */
    if (!order)
        return FMIX_ERROR_MEMORY;
    fmix_pairing_permute(&key, w->index, whole, order);
    *number = (uint64_t)order[w->q];
    free(order);
    return FMIX_OK;
}

fmix_status fmix_bucket_batch(const fmix_bucket *bucket, uint64_t step, uint64_t *rows,
                              uint64_t *sample, uint64_t *t) {
    window w;
    uint64_t number;
    if (!find_window(bucket, step, &w))
        return FMIX_ERROR_RANGE;
    fmix_status status = number_of(bucket, &w, &number);
    if (status != FMIX_OK)
        return status;
    place *places = malloc((size_t)w.count * sizeof *places); /* at most 2^24 places */
    if (!places)
        return FMIX_ERROR_MEMORY;
    status = fill(bucket, &w, places);
    uint64_t begin = number * w.batch, rest = w.count - begin;
    *rows = rest < w.batch ? rest : w.batch;
    if (status == FMIX_OK)
        sort_range(places, (size_t)w.count, (size_t)begin, (size_t)(begin + *rows));
    for (uint64_t i = 0; i < *rows && status == FMIX_OK; i++) {
        sample[i] = places[begin + i].sample;
        if (!multiply_add(1, w.t, places[begin + i].place, &t[i]))
            status = FMIX_ERROR_RANGE;
    }
    free(places);
    return status;
}
