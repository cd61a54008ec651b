#include "transform.h"

#include <stdlib.h>
#include <string.h>

uint32_t fmix_largest_prime(uint32_t n) {
    uint32_t largest = 1;
    for (uint32_t p = 2; p * p <= n; p++)
        for (; n % p == 0; n /= p)
            largest = p;
    return n > 1 ? n : largest;
}

/* Measured: twiddle factors take up to 32 bytes an element. A prime past 13 has a table of 4p²
 * bytes. From 173 on FFTW goes by way of p-1 (Rader), with up to 80 bytes an element. */
static size_t side_bytes(uint32_t side) {
    uint32_t p = fmix_largest_prime(side);
    size_t bytes = (p < 173 ? 32u : 80u) * (size_t)side;
    while (p >= 173)
        p = fmix_largest_prime(p - 1);
    return bytes + (p > 13 ? 4 * (size_t)p * p : 0);
}

/* FFTW sums a prime past 13 by its definition, and from 173 on goes by way of p-1, whose largest
 * prime counts in turn. Measured: 8191 12 ns an element, 65521 43, 394861 66, 1000003 100. */
static double prime_penalty(uint32_t p) {
    double penalty = 0;
    for (; p >= 173; p = fmix_largest_prime(p - 1))
        penalty += p < 1 << 14 ? 16 : 48; /* past the caches */
    return penalty + (p > 13 ? 0.12 * p : 0);
}

double fmix_transform_penalty(const fmix_shape *shape) {
    double penalty = 0;
    for (unsigned d = 0; d < shape->rank; d++)
        penalty += prime_penalty(fmix_largest_prime(shape->side[d]));
    return penalty;
}

/* What a plan takes besides its sides, and its share of FFTW's table of known plans: more than was
 * seen in test_transform, which compares the sum with what malloc gave. */
#define PLAN_BYTES 12288

static size_t plan_bytes(const fmix_shape *shape) {
    size_t bytes = PLAN_BYTES;
    for (unsigned d = 0; d < shape->rank; d++)
        bytes += side_bytes(shape->side[d]);
    return bytes;
}

static fmix_status make(const void *key, void **object, size_t *bytes) {
    fmix_transform *t = calloc(1, sizeof *t);
    if (!t)
        return FMIX_ERROR_MEMORY;
    bool measured;
    memcpy(&t->shape, key, sizeof t->shape);
    fmix_status status = fmix_fft_new(&t->shape, &t->fft, &measured);
    if (status != FMIX_OK) {
        free(t);
        return status;
    }
    atomic_init(&t->stage, measured ? FMIX_TRANSFORM_MEASURED : FMIX_TRANSFORM_ESTIMATED);
    *object = t;
    /* The first way and a measured one of each kind. Where FFTW runs out of time, a faster plan of
     * each further attempt stays, too, and is not counted. */
    *bytes = 3 * plan_bytes(&t->shape);
    return FMIX_OK;
}

static void destroy(void *object) {
    fmix_transform *t = object;
    fmix_fft_free(t->fft);
    free(t);
}

static const fmix_cache_kind transforms = {make, destroy};

/* The same bytes for equal shapes: sides past the rank are 0. */
static void key_of(const fmix_shape *shape, unsigned char key[FMIX_CACHE_KEY_BYTES]) {
    fmix_shape clean = {.rank = shape->rank};
    _Static_assert(sizeof clean <= FMIX_CACHE_KEY_BYTES, "a shape fits a key");
    for (unsigned d = 0; d < shape->rank; d++)
        clean.side[d] = shape->side[d];
    memset(key, 0, FMIX_CACHE_KEY_BYTES);
    memcpy(key, &clean, sizeof clean);
}

fmix_status fmix_transform_get(fmix_cache *cache, const fmix_shape *shape,
                               const fmix_transform **out, void **entry) {
    unsigned char key[FMIX_CACHE_KEY_BYTES];
    void *object = NULL;
    key_of(shape, key);
    fmix_status status = fmix_cache_get(cache, &transforms, key, &object, entry);
    *out = object;
    return status;
}

bool fmix_transform_cached(fmix_cache *cache, const fmix_shape *shape) {
    unsigned char key[FMIX_CACHE_KEY_BYTES];
    key_of(shape, key);
    return fmix_cache_has(cache, &transforms, key);
}

void fmix_transform_run(const fmix_transform *transform, double *x, double *g) {
    fmix_fft_run(transform->fft, x, g);
}

double fmix_transform_bound(uint64_t elements) {
    unsigned log2 = 0; /* rounded up */
    while ((UINT64_C(1) << log2) < elements)
        log2++;
    return 64.0 * 0x1p-53 * log2;
}
