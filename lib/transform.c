#include "transform.h"
#include "context.h"

#include <fftw3.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct fmix_transform {
    fftw_plan plan;
};

/* FFTW's planner has process-wide state, whoever uses it through whichever context. What it learns
 * of each shape ("wisdom", some 200 bytes) it keeps for ever, after its plans too: so every so many
 * plans it is made to forget. Plans that there are stay as they are. */
#define FORGET_AFTER 1000
static pthread_mutex_t planner = PTHREAD_MUTEX_INITIALIZER;
static unsigned planned; /* since; guarded by planner */

static fftw_plan plan_new(const fmix_shape *shape, double *x, double *g) {
    int n[3];
    for (unsigned d = 0; d < shape->rank; d++)
        n[d] = (int)shape->side[d];
    pthread_mutex_lock(&planner);
    fftw_plan plan = fftw_plan_dft_c2r((int)shape->rank, n, (fftw_complex *)x, g,
                                       FFTW_ESTIMATE | FFTW_DESTROY_INPUT);
    if (++planned >= FORGET_AFTER) {
        planned = 0;
        fftw_forget_wisdom();
    }
    pthread_mutex_unlock(&planner);
    return plan;
}

static uint32_t largest_prime(uint32_t n) {
    uint32_t largest = 1;
    for (uint32_t p = 2; p * p <= n; p++)
        for (; n % p == 0; n /= p)
            largest = p;
    return n > 1 ? n : largest;
}

/* Measured: twiddles of up to 32 bytes an element; primes past 13 have a table of 4p² bytes, and
 * from 173 on are done by way of p-1 (Rader), in up to 80 bytes an element. */
static size_t side_bytes(uint32_t side) {
    uint32_t p = largest_prime(side);
    size_t bytes = (p < 173 ? 32u : 80u) * (size_t)side;
    while (p >= 173)
        p = largest_prime(p - 1);
    return bytes + (p > 13 ? 4 * (size_t)p * p : 0);
}

static size_t plan_bytes(const fmix_shape *shape) {
    size_t bytes = 12288;
    for (unsigned d = 0; d < shape->rank; d++)
        bytes += side_bytes(shape->side[d]);
    return bytes;
}

static fmix_status make(const void *key, void **object, size_t *bytes) {
    fmix_shape shape;
    memcpy(&shape, key, sizeof shape);
    fmix_status status = FMIX_ERROR_MEMORY;
    fmix_transform *transform = calloc(1, sizeof *transform);
    double *x = fmix_aligned_new(2 * fmix_shape_bins(&shape));
    double *g = fmix_aligned_new(fmix_shape_elements(&shape));
    if (!transform || !x || !g)
        goto out;
    transform->plan = plan_new(&shape, x, g);
    if (!transform->plan) {
        status = FMIX_ERROR_LIBRARY;
        goto out;
    }
    *object = transform;
    transform = NULL;
    *bytes = plan_bytes(&shape);
    status = FMIX_OK;
out:
    fmix_aligned_free(g);
    fmix_aligned_free(x);
    free(transform);
    return status;
}

static void destroy(void *object) {
    fmix_transform *transform = object;
    pthread_mutex_lock(&planner);
    fftw_destroy_plan(transform->plan);
    pthread_mutex_unlock(&planner);
    free(transform);
}

static const fmix_cache_kind transforms = {make, destroy};

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
    fftw_execute_dft_c2r(transform->plan, (fftw_complex *)x, g);
}

double fmix_transform_bound(uint64_t elements) {
    unsigned log2 = 0; /* rounded up */
    while ((UINT64_C(1) << log2) < elements)
        log2++;
    return 64.0 * 0x1p-53 * log2;
}

double *fmix_aligned_new(size_t doubles) {
    size_t bytes;
    if (!fmix_multiply(doubles, sizeof(double), &bytes) || bytes > SIZE_MAX - 64)
        return NULL;
    return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

void fmix_aligned_free(double *memory) {
    free(memory);
}
